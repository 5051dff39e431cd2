/** Tasks of one deployment that should run, by what the scheduler thinks of them. */
export interface Tally {
  readonly healthy: number;
  /** Starting, or running without a verdict of the health checks yet. */
  readonly warming: number;
  readonly unhealthy: number;
}

export interface Situation {
  readonly desired: number;
  /** Tasks that must stay healthy, and tasks that may run, in numbers: see `bounds`. */
  readonly minimum: number;
  readonly maximum: number;
  readonly primary: Tally;
  /** All other deployments together. */
  readonly old: Tally;
  readonly starts: 'allowed' | 'paused' | 'ended';
}

export interface Moves {
  readonly start: number;
  /** Of the PRIMARY. */
  readonly stopUnhealthy: number;
  readonly stopWarming: number;
  readonly stopHealthy: number;
  /** Of the others: unfinished ones never count as capacity, so they go at once. */
  readonly stopOldUnfinished: number;
  readonly stopOldHealthy: number;
}

/** minimumHealthyPercent is rounded up, maximumPercent down (API reference, DeploymentConfiguration). */
export const bounds = (
  desired: number,
  percent: { readonly minimumHealthyPercent: number; readonly maximumPercent: number },
): { readonly minimum: number; readonly maximum: number } => ({
  minimum: Math.ceil((desired * percent.minimumHealthyPercent) / 100),
  maximum: Math.floor((desired * percent.maximumPercent) / 100),
});

/**
 * PURE: one round of the scheduler. Old tasks go as far as the healthy ones allow; new ones come as far as there is room.
 * An unhealthy task is replaced first and stopped when enough are healthy without it; where there is no room for the
 * replacement, one is stopped to make some.
 */
export function pace(now: Situation): Moves {
  const { primary, old, desired, minimum, maximum } = now;
  if (now.starts === 'ended') return { ...NOTHING, stopUnhealthy: healthyIn(now) >= minimum ? primary.unhealthy : 0 };
  const stopOldUnfinished = old.warming + old.unhealthy;
  const stopOldHealthy = Math.min(old.healthy, Math.max(0, healthyIn(now) - minimum));
  const surplus = surplusOf(primary, desired);
  const missing = Math.max(0, desired - primary.healthy - primary.warming);
  const running = sum(primary) + sum(old) - stopOldUnfinished - stopOldHealthy - surplus.warming - surplus.healthy;
  const enough = healthyIn(now) >= minimum;
  const crowded = missing > 0 && running >= maximum && now.starts === 'allowed';
  const stopUnhealthy = enough ? primary.unhealthy : Math.min(primary.unhealthy, crowded ? 1 : 0);
  const room = Math.max(0, maximum - running + stopUnhealthy);
  return {
    start: now.starts === 'allowed' ? Math.min(missing, room) : 0,
    stopUnhealthy,
    stopWarming: surplus.warming,
    stopHealthy: surplus.healthy,
    stopOldUnfinished,
    stopOldHealthy,
  };
}

const NOTHING: Moves = {
  start: 0,
  stopUnhealthy: 0,
  stopWarming: 0,
  stopHealthy: 0,
  stopOldUnfinished: 0,
  stopOldHealthy: 0,
};

const sum = (tally: Tally): number => tally.healthy + tally.warming + tally.unhealthy;
const healthyIn = ({ primary, old }: Situation): number => primary.healthy + old.healthy;

/** Scaling in: those that are not ready yet go first. */
function surplusOf(primary: Tally, desired: number): { readonly warming: number; readonly healthy: number } {
  const surplus = Math.max(0, primary.healthy + primary.warming - desired);
  const warming = Math.min(surplus, primary.warming);
  return { warming, healthy: surplus - warming };
}

/** Nothing can move although something should: the percentages leave no room. */
export function isStuck(now: Situation): boolean {
  const missing = now.desired - now.primary.healthy - now.primary.warming;
  const settled = now.primary.warming === 0 && now.primary.unhealthy === 0;
  const { start, stopOldHealthy, stopOldUnfinished } = pace(now);
  return now.starts === 'allowed' && missing > 0 && settled && start + stopOldHealthy + stopOldUnfinished === 0;
}
