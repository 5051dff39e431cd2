import type { Reading } from '../analysis/sample.ts';

/** Whether the number of tasks that a color wants stands still, or may follow its load, which makes fewer targets no loss. */
export type Size = 'held' | 'free';

/** What became of the healthy targets of a color since it got its traffic. */
export interface TargetLoss {
  readonly size: Size;
  /** Healthy ones when its traffic began. */
  readonly begun: number;
  /** The most that were healthy at once. */
  readonly most: number;
  readonly now: number;
  /** Sum of all losses: a target that came back and went again is lost twice. Of a `free` size only what was replaced. */
  readonly lost: number;
}

/** How many healthy targets were seen, and which, where that is known. */
export interface HealthyTargets {
  readonly healthy: number;
  readonly members?: readonly string[];
}

/**
 * The counts that a new look adds to those before. A target that was replaced between two looks was lost, although there
 * are as many as before: without it, a release that starts as fast as it crashes would look healthy at every look.
 */
export function countsAfter(before: HealthyTargets | undefined, now: HealthyTargets): readonly number[] {
  if (before === undefined) return [now.healthy];
  const stayed = stayedOf(before, now);
  if (stayed < Math.min(before.healthy, now.healthy)) return [stayed, now.healthy];
  return now.healthy === before.healthy ? [] : [now.healthy];
}

function stayedOf(before: HealthyTargets, now: HealthyTargets): number {
  if (before.members === undefined || now.members === undefined) return Math.min(before.healthy, now.healthy);
  const known = new Set(before.members);
  return now.members.filter((member) => known.has(member)).length;
}

/**
 * Targets that stood healthy and are registered still: what autoscaling takes is registered no more, what is sick stays, and
 * what is added counts when it is healthy for the first time.
 */
export const standingAfter = (
  before: number | undefined,
  { healthy, total }: { readonly healthy: number; readonly total: number },
): number => Math.min(Math.max(before ?? 0, healthy), Math.max(total, healthy));

/** From the counts in the order in which they were seen; undefined: nothing was seen yet. */
export function lossOf(counts: readonly number[], size: Size = 'held'): TargetLoss | undefined {
  const [begun, ...later] = counts;
  if (begun === undefined) return undefined;
  let now = begun;
  let gone = 0;
  let replaced = 0;
  for (const count of later) {
    gone += Math.max(0, now - count);
    replaced += Math.min(gone - replaced, Math.max(0, count - now));
    now = count;
  }
  return { size, begun, most: Math.max(...counts), now, lost: size === 'held' ? gone : replaced };
}

/**
 * As many targets were lost as there ever were at once. A platform that replaces unhealthy targets one by one keeps some
 * healthy at any moment, and the load balancer sends requests to those alone: neither users nor probes see a release that
 * cannot stay healthy. Of many targets some are replaced at any time, by the platform and for reasons of its own.
 */
export const isWornOut = ({ most, lost }: TargetLoss): boolean => most > 0 && lost >= most;

/**
 * A good check says nothing of targets that get no check any more: what is missing of them counts as failed. Missing are
 * some when there are fewer than at the beginning, or than half of the most: a single one of those that came with the load
 * may be replaced at any time. Of a `free` size those that stood and are still registered are what there was.
 */
export function withTargets(reading: Reading, loss: TargetLoss | undefined, standing?: number): Reading {
  if (loss === undefined) return reading;
  const { now } = loss;
  const most = loss.size === 'held' ? loss.most : (standing ?? now);
  const begun = Math.min(loss.begun, most);
  if (most === 0) return reading;
  if (now >= begun && now * 2 >= most) return reading;
  const share = now / most;
  return reading.kind === 'value'
    ? { ...reading, value: Math.min(reading.value, share) }
    : { kind: 'value', value: share, samples: most };
}
