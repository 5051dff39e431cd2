import { revisionName } from '../../../src/domain/ecs/arn.ts';
import { type Situation, type Start, decideStart } from '../../../src/domain/ecs/start.ts';
import { describeChanges } from '../../../src/domain/ecs/task-definition.ts';
import { unreachable } from '../../../src/domain/unreachable.ts';
import type { Request } from './inputs.ts';

/*
 * The judgement of a rollout lives in src/domain/ecs, because blue-green deploys its candidate by the same engine:
 * start.ts (how to begin), rollout.ts (what a look says), way-back.ts (the next step back). Here is only the dry-run.
 *
 * Safe state, process dead: ECS goes on with what it was told, the old tasks serve until the new ones are healthy, and
 * `post` stops the deployment and goes back (on-cancel: rollback) or leaves it. Runner dead: the service's circuit breaker
 * ends a bad deployment; the next run finds one in flight by its tags and follows it.
 */

export interface Plan {
  readonly start: Start['kind'];
  /** What would be done, a line each. */
  readonly lines: readonly string[];
}

/** PURE: what a run would do now. */
export function planOf(situation: Situation, request: Request): Plan {
  const images = request.container === undefined ? request.image : { [request.container]: request.image };
  const wish = {
    images,
    release: request.release,
    run: '',
    ...(request.desired === undefined ? {} : { desired: request.desired }),
  };
  const start = decideStart(situation, wish);
  return { start: start.kind, lines: describeStart(start, situation, request) };
}

function describeStart(start: Start, { service, current }: Situation, request: Request): readonly string[] {
  const name = revisionName(current.arn);
  const count =
    request.desired === undefined || request.desired === service.desired
      ? []
      : [`Set the desired count from ${service.desired} to ${request.desired}`];
  const ending = [
    `Follow that deployment for ${request.onFailure === 'rollback' ? 'its end, or the way back' : 'its end'}`,
  ];
  switch (start.kind) {
    case 'refuse':
      return [`Refuse: ${start.facts.why ?? start.facts.what}`];
    case 'conflict':
      return [
        request.onConflict === 'wait' || start.byUs
          ? `Wait for the end of ${start.with}, then look again`
          : `Refuse: ${start.with} is in flight`,
      ];
    case 'attach':
      return [`Follow the deployment of ${name} that is in flight already (${start.deployment.id})`];
    case 'unchanged':
      return [`Nothing: ${service.running} of ${service.desired} tasks run ${name} with this image`];
    case 'settle':
      return [`Wait until ${service.desired} tasks run ${name}, which has this image already`];
    case 'scale':
      return [...count, `Wait until ${start.desired} tasks run ${name}, which has this image already`];
    case 'restart':
      return [`Deploy ${name} again: ${start.why}`, ...count, ...ending];
    case 'deploy':
      return [
        `Register a revision after ${name} with:`,
        ...describeChanges(start.changes),
        `Update ${service.ref.service} to it`,
        ...count,
        ...ending,
      ];
    default:
      return unreachable(start);
  }
}
