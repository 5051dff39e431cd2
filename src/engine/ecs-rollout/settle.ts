import { type Instant, between, formatDuration, seconds } from '../../domain/duration.ts';
import { isSteady } from '../../domain/ecs/start.ts';
import { DeadlinePassed, Failure } from '../../domain/failure.ts';
import { CloudFailure, mayPass } from '../../domain/retry-policy.ts';
import type { EcsService, EcsServiceRef } from '../../ports/ecs.ts';
import { until } from '../until.ts';
import { isMoving } from './moving-record.ts';
import type { RolloutTools } from './rollout.ts';

const LOOK_EVERY = seconds(5);

interface Waiting {
  readonly ref: EcsServiceRef;
  readonly deadline: Instant;
}

/** Waits until the service runs what it wants, without a deployment. undefined: not before the deadline. */
export async function settle(
  { ref, deadline }: Waiting,
  desired: number,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<EcsService | undefined> {
  tools.log.info(`Waiting for ${ref.service} to run ${desired} tasks`);
  return waitFor(
    { ref, deadline },
    (service) => Promise.resolve(service.desired === desired && isSteady(service)),
    tools,
    signal,
  );
}

/** Waits until nobody's deployment is in flight. */
export async function waitForOthers(
  { ref, deadline }: Waiting,
  what: string,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<void> {
  const left = formatDuration(between(tools.clock.now(), deadline));
  tools.log.info(`Waiting for ${what} to end before this one starts, ${left} at most`);
  const free = await waitFor(
    { ref, deadline },
    async (service, inner) => !(await isMoving(service, tools.ecs, inner)),
    tools,
    signal,
  );
  if (free === undefined) {
    throw new Failure({
      what: `Could not deploy to ${ref.service}`,
      why: `${what} is still in flight at the deadline`,
      now: 'Nothing was changed',
    });
  }
}

async function waitFor(
  { ref, deadline }: Waiting,
  holds: (service: EcsService, signal: AbortSignal) => Promise<boolean>,
  { ecs, clock }: RolloutTools,
  signal: AbortSignal,
): Promise<EcsService | undefined> {
  try {
    return await until(clock, { every: LOOK_EVERY, deadline, signal }, async () => {
      try {
        const [service] = await ecs.describeServices([ref], signal);
        return service !== undefined && (await holds(service, signal)) ? service : undefined;
      } catch (thrown) {
        if (thrown instanceof CloudFailure && mayPass(thrown.kind)) return undefined;
        throw thrown;
      }
    });
  } catch (thrown) {
    if (thrown instanceof DeadlinePassed) return undefined;
    throw thrown;
  }
}
