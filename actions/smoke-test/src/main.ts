import { junitXml } from '../../../src/domain/checks/junit.ts';
import { InvalidInput } from '../../../src/domain/inputs.ts';
import { type LoadParts, readBaseline } from '../../../src/domain/load/result.ts';
import type { LoadTools } from '../../../src/engine/load/run-load.ts';
import type { ActionDefinition, ActionTools } from '../../../src/runtime/action.ts';
import { runAction } from '../../../src/runtime/run-action.ts';
import { execute } from './execute.ts';
import { type Request, spec, toRequest } from './inputs.ts';
import { type Plan, planLines, planOf } from './plan.ts';
import { plannedReport, reportOf, resultFile } from './report.ts';

const definition: ActionDefinition<typeof spec, Request> = {
  name: 'smoke-test',
  spec,
  toRequest,
  async main(request, tools) {
    const plan = await openPlan(request, tools);
    if (request.mode === 'dry-run') {
      tools.log.verbatim('Plan', planLines(plan).join('\n'));
      return plannedReport(plan);
    }
    const { httpProber } = await import('../../../src/adapters/http/prober.ts');
    const { systemRandom } = await import('../../../src/adapters/system/random.ts');
    const { clock, log, signal, run, mask } = tools;
    const random = systemRandom();
    const baseline = await openBaseline(request, tools);
    const checksTools = { prober: httpProber(), clock, log, random, mask };
    const openLoad = () => openLoadTools({ clock, log, random, mask });
    const execution = await execute(plan, { ...checksTools, openLoad }, { baseline, signal });
    const path = `${run.temp}/smoke-test-${execution.started}.json`;
    const junit = path.replace(/json$/, 'xml');
    await tools.writeFile(path, resultFile(plan, execution));
    await tools.writeFile(
      junit,
      junitXml(
        execution.result.checks,
        execution.loads.map(({ result }) => result),
      ),
    );
    return reportOf(plan, execution, { results: path, junit });
  },
};

/** Load has libraries of its own, which a smoke test does not wait for. */
async function openLoadTools(tools: Pick<LoadTools, 'clock' | 'log' | 'random' | 'mask'>) {
  const { pooledProber } = await import('../../../src/adapters/http/pooled-prober.ts');
  const { hdrHistograms } = await import('../../../src/adapters/histogram/hdr.ts');
  const { systemStopwatch } = await import('../../../src/adapters/system/stopwatch.ts');
  const prober = pooledProber();
  return {
    tools: { ...tools, prober, histograms: hdrHistograms(), stopwatch: systemStopwatch() },
    close: () => prober.close(),
  };
}

async function openBaseline({ baselineFile }: Request, tools: ActionTools): Promise<ReadonlyMap<string, LoadParts>> {
  if (baselineFile === undefined) return new Map();
  const loads = readBaseline(await tools.readFile(baselineFile, 'baseline'));
  if (loads !== undefined) return loads;
  const problem = { input: 'baseline', given: baselineFile, problem: 'is not a result file of this action' };
  throw new InvalidInput('The baseline', [
    { ...problem, accepted: 'the output `results` of an earlier run with loads' },
  ]);
}

async function openPlan(request: Request, tools: ActionTools): Promise<Plan> {
  const path = request.checksFile;
  const file = path === undefined ? undefined : { path, text: await tools.readFile(path, 'checks') };
  const { readYaml } = await import('../../../src/runtime/read-yaml.ts');
  const { matchers } = await import('../../../src/adapters/http/matchers.ts');
  const { environment } = tools;
  const plan = planOf(request, { ...(file === undefined ? {} : { file }), readYaml, matchers, environment });
  if (!plan.ok) throw new InvalidInput(path === undefined ? 'The checks' : `The checks of ${path}`, plan.problems);
  for (const secret of plan.value.document.secrets) tools.mask(secret);
  return plan.value;
}

export const main = (): Promise<void> => runAction(definition, 'main');
export const post = (): Promise<void> => runAction(definition, 'post');
