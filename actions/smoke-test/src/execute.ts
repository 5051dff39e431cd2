import { loadLine } from '../../../src/domain/load/load-report.ts';
import type { LoadParts, PlacedLoadResult } from '../../../src/domain/load/result.ts';
import { type ChecksTools, runChecks } from '../../../src/engine/checks/run-checks.ts';
import { finishLoad } from '../../../src/engine/load/finish-load.ts';
import { type LoadTools, runLoad } from '../../../src/engine/load/run-load.ts';
import type { Plan } from './plan.ts';
import { partsOf } from './plan/lines.ts';
import type { Execution } from './report.ts';

export interface Tools extends ChecksTools {
  /** Loaded when the plan has a load. `close` drops the connections that it kept. */
  openLoad(): Promise<{ readonly tools: LoadTools; close(): Promise<void> }>;
}

/** Makes the checks and the flows; the loads only when none of them failed. Nothing is changed anywhere, so that a run may be stopped and repeated at will. */
export async function execute(
  plan: Plan,
  tools: Tools,
  { baseline, signal }: { readonly baseline: ReadonlyMap<string, LoadParts>; readonly signal: AbortSignal },
): Promise<Execution> {
  const { document, target } = plan;
  const name = target.host === undefined ? '' : ` as ${target.host}`;
  tools.log.info(`${partsOf(document)} against ${target.url}${name}`);
  const started = tools.clock.now();
  const result = await runChecks({ document, target }, tools, signal);
  const loads = await runLoads(plan, tools, { baseline, signal, after: result.verdict });
  const notRun = loads.length > 0 ? [] : (document.loads ?? []);
  return { result, loads, notRun, started, ended: tools.clock.now() };
}

async function runLoads(
  { document, target }: Plan,
  tools: Tools,
  {
    baseline,
    signal,
    after,
  }: { readonly baseline: ReadonlyMap<string, LoadParts>; readonly signal: AbortSignal; readonly after: string },
): Promise<readonly PlacedLoadResult[]> {
  const loads = document.loads ?? [];
  if (loads.length === 0) return [];
  if (after === 'fail') {
    tools.log.warning('The loads are not run, because checks failed');
    return [];
  }
  const opened = await tools.openLoad();
  try {
    const results: PlacedLoadResult[] = [];
    for (const load of loads) {
      const stable = load.stable === undefined ? {} : { stable: { ...target, url: load.stable } };
      const run = await runLoad({ load, target, secrets: document.secrets, ...stable }, opened.tools, signal);
      const earlier = baseline.get(load.name);
      const result = finishLoad(load, run, {
        secrets: document.secrets,
        ...(earlier === undefined ? {} : { baseline: earlier }),
      });
      tools.log.info(loadLine(result));
      results.push({ result, at: load.at, rulesAt: load.rules.map((rule) => rule.at) });
    }
    return results;
  } finally {
    await opened.close();
  }
}
