import { junitXml } from '../../../src/domain/checks/junit.ts';
import { type InputProblem, InvalidInput } from '../../../src/domain/inputs.ts';
import type { Baseline } from '../../../src/domain/load/foresee.ts';
import { type LoadParts, readBaseline } from '../../../src/domain/load/result.ts';
import type { LoadTools } from '../../../src/engine/load/run-load.ts';
import type { ActionDefinition, ActionTools } from '../../../src/runtime/action.ts';
import { runAction } from '../../../src/runtime/run-action.ts';
import { execute } from './execute.ts';
import { type Request, spec, toRequest } from './inputs.ts';
import { type Plan, planOf } from './plan.ts';
import { planLines } from './plan/lines.ts';
import { plannedReport, reportOf, resultFile } from './report.ts';

const definition: ActionDefinition<typeof spec, Request> = {
  name: 'smoke-test',
  spec,
  toRequest,
  async main(request, tools) {
    const { plan, baseline } = await openPlan(request, tools);
    if (request.mode === 'dry-run') {
      tools.log.verbatim('Plan', planLines(plan).join('\n'));
      return plannedReport(plan);
    }
    const { httpProber } = await import('../../../src/adapters/http/prober.ts');
    const { systemRandom } = await import('../../../src/adapters/system/random.ts');
    const { clock, log, signal, run, mask } = tools;
    const random = systemRandom();
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
        execution.notRun,
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

interface Opened {
  readonly plan: Plan;
  readonly baseline: ReadonlyMap<string, LoadParts>;
}

/** The plan with what it is compared with, or every problem of both. A load in short words does without YAML. */
async function openPlan(request: Request, tools: ActionTools): Promise<Opened> {
  const path = request.checksFile;
  const checks = await textOf(path, 'checks', tools);
  const { loads: baseline, problems: ofBaseline } = await openBaseline(request, tools);
  const subject = path === undefined ? 'The checks' : `The checks of ${path}`;
  if (checks.problems.length > 0) throw new InvalidInput(subject, [...checks.problems, ...ofBaseline]);
  const { matchers } = await import('../../../src/adapters/http/matchers.ts');
  const file = path === undefined || checks.text === undefined ? {} : { file: await yamlFile(path, checks.text) };
  const plan = planOf(request, { ...file, matchers, environment: tools.environment, baseline });
  const problems = [...ofBaseline, ...(plan.ok ? [] : plan.problems)];
  if (!plan.ok || problems.length > 0) throw new InvalidInput(subject, problems);
  for (const secret of plan.value.document.secrets) tools.mask(secret);
  return { plan: plan.value, baseline: baseline instanceof Map ? baseline : new Map() };
}

async function yamlFile(path: string, text: string) {
  const { readYaml } = await import('../../../src/runtime/read-yaml.ts');
  return { path, text, readYaml };
}

/** A file that cannot be read is told with the other problems. */
async function textOf(path: string | undefined, namedBy: string, tools: ActionTools) {
  if (path === undefined) return { text: undefined, problems: [] };
  try {
    return { text: await tools.readFile(path, namedBy), problems: [] };
  } catch (thrown) {
    if (!(thrown instanceof InvalidInput)) throw thrown;
    return { text: undefined, problems: thrown.problems };
  }
}

async function openBaseline(
  { baselineFile }: Request,
  tools: ActionTools,
): Promise<{ readonly loads: Baseline; readonly problems: readonly InputProblem[] }> {
  if (baselineFile === undefined) return { loads: undefined, problems: [] };
  const { text, problems } = await textOf(baselineFile, 'baseline', tools);
  if (text === undefined) return { loads: 'unreadable', problems };
  const loads = readBaseline(text);
  if (loads !== undefined) return { loads, problems: [] };
  const problem = { input: 'baseline', given: baselineFile, problem: 'is not a result file of this action' };
  const accepted = 'the output `results` of an earlier run with loads';
  return { loads: 'unreadable', problems: [{ ...problem, accepted }] };
}

export const main = (): Promise<void> => runAction(definition, 'main');
export const post = (): Promise<void> => runAction(definition, 'post');
