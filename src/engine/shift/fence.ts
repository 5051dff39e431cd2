import { type Duration, between, seconds } from '../../domain/duration.ts';
import { CloudFailure } from '../../domain/retry-policy.ts';
import { stillHolds } from '../../domain/shift/claim.ts';
import { type RunKey, type ShiftRecord, formatRun } from '../../domain/shift/record.ts';
import type { Autoscaling } from '../../ports/autoscaling.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ecs } from '../../ports/ecs.ts';
import type { Journal } from '../../ports/journal.ts';
import type { TrafficRouter } from '../../ports/traffic-router.ts';

/** Another run took the shift over. This process writes nothing more: not weights, not tags, not services. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
  readonly by: string;
  /** There is no record any more: whoever removed it was no run. */
  readonly isByNobody: boolean;
  constructor(by: ShiftRecord | undefined) {
    const who = by === undefined ? 'nobody: its record is gone' : formatRun(by.run);
    super(`The shift was taken over by ${who}`);
    this.by = who;
    this.isByNobody = by === undefined;
  }
}

/** Resolves when this run may make the one write that follows at once; rejects with Superseded when it may not. */
export type Fence = (signal: AbortSignal) => Promise<void>;

/**
 * Tags have no compare-and-set, so what a read proves ages. A process that was frozen between the question and the answer
 * sees by the clock that it was, and reads again. Longer than a read takes, shorter than any run needs to take over.
 */
const PROOF_LASTS: Duration = seconds(1);
const MOST_READS = 5;
/** Longer than answers of ELBv2 and Route 53 were seen to lag; DescribeTags promises nothing. */
const MAY_LAG: Duration = seconds(1);

export interface FenceParts {
  readonly journal: Journal<ShiftRecord>;
  readonly clock: Clock;
  readonly me: RunKey;
  /**
   * How long a proof lasts. `the-lease` is for the write that takes traffic back: while the lease lasts no other run may
   * have begun, and an incident that makes AWS slow to answer is the last moment at which that write may wait for it.
   */
  readonly proof?: 'a-moment' | 'the-lease';
}

export function shiftFence({ journal, clock, me, proof = 'a-moment' }: FenceParts): Fence {
  return async (signal) => {
    for (let reads = 0; reads < MOST_READS; reads++) {
      const asked = clock.now();
      const record = await readTwiceIfLost({ journal, clock, me }, signal);
      if (!stillHolds(record, me)) throw new Superseded(record);
      if (between(asked, clock.now()) <= PROOF_LASTS) return;
      if (proof === 'the-lease' && record !== undefined && clock.now() < record.leaseUntil) return;
    }
    // Slow is not forbidden: it passes like every answer that does not come now.
    throw new CloudFailure('transient', {
      what: 'The record of the shift could not be read fast enough to write safely',
      why: `${MOST_READS} reads took longer than ${PROOF_LASTS / 1_000} s each`,
      next: 'Re-run when AWS answers again',
    });
  };
}

/**
 * Tags may be read a moment behind their last write, and the first write of a shift is followed by reads at once. What
 * says that the shift is lost is read again before it is believed; undefined: there is no record.
 */
export async function readTwiceIfLost(
  { journal, clock, me }: Pick<FenceParts, 'journal' | 'clock' | 'me'>,
  signal: AbortSignal,
): Promise<ShiftRecord | undefined> {
  const record = await journal.read(signal);
  if (stillHolds(record, me)) return record;
  await clock.sleep(MAY_LAG, signal);
  return journal.read(signal);
}

/** The router, every write of it behind the fence; `restore` for a signal handler is taken from the router itself. */
export function fencedRouter(router: TrafficRouter, fence: Fence): TrafficRouter {
  return {
    name: router.name,
    grain: router.grain,
    driver: router.driver,
    spread: router.spread,
    observe: (signal) => router.observe(signal),
    confirm: (split, signal) => router.confirm(split, signal),
    lingers: (signal) => router.lingers(signal),
    apply: (split, signal) => router.apply(split, signal, fence),
    noteDropped: (signal) => router.noteDropped(signal, fence),
    tidy: (signal) => router.tidy(signal, fence),
    async restore(color, signal) {
      await fence(signal);
      await router.restore(color, signal);
    },
  };
}

/** Autoscaling, its write behind the fence. */
export const fencedAutoscaling = (autoscaling: Autoscaling, fence: Fence): Autoscaling => ({
  read: (refs, signal) => autoscaling.read(refs, signal),
  async suspend(ref, suspended, signal) {
    await fence(signal);
    await autoscaling.suspend(ref, suspended, signal);
  },
});

/** The services, every write behind the fence: a rollout of many minutes must stop where the shift was lost. */
export function fencedEcs(ecs: Ecs, fence: Fence): Ecs {
  return {
    describeServices: (...call) => ecs.describeServices(...call),
    describeTaskDefinition: (...call) => ecs.describeTaskDefinition(...call),
    describeServiceDeployments: (...call) => ecs.describeServiceDeployments(...call),
    listServiceDeployments: (...call) => ecs.listServiceDeployments(...call),
    stoppedTasks: (...call) => ecs.stoppedTasks(...call),
    listRevisions: (...call) => ecs.listRevisions(...call),
    revisionsInUse: (...call) => ecs.revisionsInUse(...call),
    placesOf: (...call) => ecs.placesOf(...call),
    async registerTaskDefinition(body, tags, signal) {
      await fence(signal);
      return ecs.registerTaskDefinition(body, tags, signal);
    },
    async deregisterTaskDefinition(arn, signal) {
      await fence(signal);
      await ecs.deregisterTaskDefinition(arn, signal);
    },
    async updateService(ref, change, signal) {
      await fence(signal);
      return ecs.updateService(ref, change, signal);
    },
    async stopServiceDeployment(arn, stopType, signal) {
      await fence(signal);
      await ecs.stopServiceDeployment(arn, stopType, signal);
    },
    async tagService(arn, tags, signal) {
      await fence(signal);
      await ecs.tagService(arn, tags, signal);
    },
    async untagService(arn, keys, signal) {
      await fence(signal);
      await ecs.untagService(arn, keys, signal);
    },
  };
}
