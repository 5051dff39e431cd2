import { InvalidInput } from '../../../src/domain/inputs.ts';
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
    const { clock, log, signal, run } = tools;
    const execution = await execute(plan, { prober: httpProber(), clock, log }, signal);
    const path = `${run.temp}/smoke-test-${execution.started}.json`;
    await tools.writeFile(path, resultFile(plan, execution));
    return reportOf(plan, execution, path);
  },
};

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
