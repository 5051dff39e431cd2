import { Failure } from '../../../src/domain/failure.ts';
import { type ActionDefinition, type ActionTools } from '../../../src/runtime/action.ts';
import { runAction } from '../../../src/runtime/run-action.ts';
import { execute } from './execute.ts';
import { type Request, spec, toRequest } from './inputs.ts';
import { reportOf } from './report.ts';

const definition: ActionDefinition<typeof spec, Request> = {
  name: 'approval-gate',
  spec,
  toRequest,
  async main(request, tools) {
    const tracker = await trackerOf(request, tools);
    const { sha256 } = await import('../../../src/adapters/system/digest.ts');
    const { clock, log, run } = tools;
    const onOpened = (issue: number): void => tools.saveState('issue', String(issue));
    const server = tools.environment('GITHUB_SERVER_URL') ?? 'https://github.com';
    const context = {
      repository: run.repository,
      runId: run.runId,
      runUrl: `${server}/${run.repository}/actions/runs/${run.runId}`,
    };
    const result = await execute(request, context, { tracker, clock, log, sha256, onOpened }, tools.signal);
    return reportOf(result, request);
  },
  /** main was killed or cancelled: its request is closed, so that nobody votes into the void. */
  async post(request, tools) {
    const issue = Number(tools.savedState('issue') ?? '');
    if (!(issue > 0)) return undefined;
    const tracker = await trackerOf(request, tools);
    if ((await tracker.issue(issue, tools.signal)).state === 'open') {
      await tracker.comment(issue, 'The run ended before there was a verdict: not approved.', tools.signal);
      await tracker.close(issue, 'not_planned', tools.signal);
      tools.log.info(`Request ${issue} is closed: the run ended before there was a verdict`);
    }
    return undefined;
  },
};

async function trackerOf(request: Request, tools: ActionTools) {
  const { githubIssues } = await import('../../../src/adapters/github/issue-tracker.ts');
  if (tools.run.repository === '')
    throw new Failure({ what: 'GITHUB_REPOSITORY is not set', why: 'the gate runs only inside a workflow' });
  const apiUrl = tools.environment('GITHUB_API_URL') ?? 'https://api.github.com';
  return githubIssues({ token: request.token, apiUrl, repository: tools.run.repository });
}

export const main = (): Promise<void> => runAction(definition, 'main');
export const post = (): Promise<void> => runAction(definition, 'post');
