import { between } from '../../../src/domain/duration.ts';
import type { Following } from '../../../src/engine/ecs-rollout/rollout.ts';
import { startRollBack } from '../../../src/engine/ecs-rollout/roll-back.ts';
import type { Ecs } from '../../../src/ports/ecs.ts';
import type { ActionDefinition, ActionTools } from '../../../src/runtime/action.ts';
import { runAction } from '../../../src/runtime/run-action.ts';
import { deploy, plan, undo } from './execute.ts';
import { type Request, spec, toRequest } from './inputs.ts';
import { planReport, reportOf } from './report.ts';

const FOLLOWING = 'following';

const definition: ActionDefinition<typeof spec, Request> = {
  name: 'deploy-ecs',
  spec,
  toRequest,
  async main(request, tools) {
    const { clock, log, run, signal } = tools;
    const ecs = await ecsFor(request, tools);
    if (request.mode === 'plan') {
      const planned = await plan(request, { ecs }, signal);
      log.verbatim('Plan', planned.lines.join('\n'));
      return planReport(planned, request);
    }
    const startedAt = clock.now();
    const context = {
      ecs,
      clock,
      log,
      run: `${run.runId}/${run.attempt}`,
      commit: run.commit,
      onWrite: tools.willChange,
      onFollowing: (following: Following | undefined) => keep(following, request, ecs, tools),
    };
    const result = await deploy(request, context, signal);
    if (result.diagnosis.length > 0) log.verbatim('What was seen', result.diagnosis.join('\n'));
    return reportOf(result, request, between(startedAt, clock.now()));
  },
  /** main was cancelled or died: its deployment is stopped, taken back and awaited, unless it shall be left. */
  async post(request, tools) {
    const { clock, log, signal } = tools;
    const left = tools.savedState(FOLLOWING) ?? '';
    if (left === '') return undefined;
    if (request.onCancel === 'leave') {
      log.info(
        `The deployment to ${request.service} goes on without this run, as asked (on-cancel: leave); the next run follows it`,
      );
      return undefined;
    }
    const ecs = await ecsFor(request, tools);
    const startedAt = clock.now();
    tools.willChange();
    const result = await undo(JSON.parse(left) as Following, { ecs, clock, log }, signal);
    tools.saveState(FOLLOWING, '');
    return reportOf(result, request, between(startedAt, clock.now()));
  },
};

/** Keeps for `post`, and for a signal, what there is to undo. */
function keep(following: Following | undefined, request: Request, ecs: Ecs, tools: ActionTools): void {
  tools.saveState(FOLLOWING, following === undefined ? '' : JSON.stringify(following));
  const restores = following !== undefined && request.onCancel === 'rollback';
  tools.onCancel(restores ? (signal) => startRollBack(following, { ecs }, signal) : undefined);
}

async function ecsFor(request: Request, tools: ActionTools): Promise<Ecs> {
  const [{ awsSession }, { ecsOf }] = await Promise.all([
    import('../../../src/adapters/aws/session.ts'),
    import('../../../src/adapters/aws/ecs.ts'),
  ]);
  const { region, roleToAssume, allowedAccountIds } = request;
  const session = await awsSession(
    {
      ...(region === undefined ? {} : { region }),
      ...(roleToAssume === undefined ? {} : { roleToAssume }),
      ...(allowedAccountIds === undefined ? {} : { allowedAccountIds }),
    },
    tools,
    tools.signal,
  );
  return ecsOf(session, tools.log);
}

export const main = (): Promise<void> => runAction(definition, 'main');
export const post = (): Promise<void> => runAction(definition, 'post');
