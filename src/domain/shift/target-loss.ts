import type { Reading } from '../analysis/sample.ts';

/** What became of the healthy targets of a color since it got its traffic. */
export interface TargetLoss {
  /** Healthy ones when its traffic began. */
  readonly begun: number;
  readonly now: number;
  /** Sum of all losses: a target that came back and went again is lost twice. */
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

/** From the counts in the order in which they were seen; undefined: nothing was seen yet. */
export function lossOf(counts: readonly number[]): TargetLoss | undefined {
  const [begun, ...later] = counts;
  if (begun === undefined) return undefined;
  let now = begun;
  let lost = 0;
  for (const count of later) {
    lost += Math.max(0, now - count);
    now = count;
  }
  return { begun, now, lost };
}

/**
 * Every target was lost once. A platform that replaces unhealthy targets one by one keeps some healthy at any moment, and
 * the load balancer sends requests to those alone: neither users nor probes see a release that cannot stay healthy.
 */
export const isWornOut = ({ begun, lost }: TargetLoss): boolean => begun > 0 && lost >= begun;

/** A good check says nothing of targets that get no check any more: what is missing of them counts as failed. */
export function withTargets(reading: Reading, loss: TargetLoss | undefined): Reading {
  if (loss === undefined || loss.begun === 0 || loss.now >= loss.begun) return reading;
  const share = loss.now / loss.begun;
  return reading.kind === 'value'
    ? { ...reading, value: Math.min(reading.value, share) }
    : { kind: 'value', value: share, samples: loss.begun };
}
