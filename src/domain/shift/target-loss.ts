import type { Reading } from '../analysis/sample.ts';

/** What became of the healthy targets of a color since it got its traffic. */
export interface TargetLoss {
  /** Healthy ones when its traffic began. */
  readonly begun: number;
  readonly now: number;
  /** Sum of all losses: a target that came back and went again is lost twice. */
  readonly lost: number;
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
