import { type ChecksTools, runChecks } from '../../../src/engine/checks/run-checks.ts';
import type { Plan } from './plan.ts';
import type { Execution } from './report.ts';

/** Makes the checks. Nothing is changed anywhere, so that a run may be stopped at any moment and repeated at will. */
export async function execute(plan: Plan, tools: ChecksTools, signal: AbortSignal): Promise<Execution> {
  const { document, target } = plan;
  const name = target.host === undefined ? '' : ` as ${target.host}`;
  tools.log.info(`${document.checks.length} checks against ${target.url}${name}`);
  const started = tools.clock.now();
  const result = await runChecks({ document, target }, tools, signal);
  return { result, started, ended: tools.clock.now() };
}
