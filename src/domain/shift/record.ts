import { type Duration, type Instant, after, before, milliseconds, seconds } from '../duration.ts';
import { type Color, type TrafficSplit, splitGiving } from '../traffic-split.ts';
import type { OpenGate } from './gate.ts';
import type { HooksDone } from './hooks.ts';
import type { HeldScaling } from './scaling.ts';

/**
 * Where a shift is. A phase is written before the write that it explains, so whoever reads it knows what may have been
 * done already:
 * - `preparing`: the candidate is being deployed and checked at weight 0
 * - `prepared`: it is healthy and checked; nobody is at work
 * - `shifting`: the weights are being moved from `from` to `percent`
 * - `judging`: the candidate has `percent` and is judged since `since`
 * - `rechecking`: it has everything; judged once more after a pause, then checked
 * - `switched`: judged good; the old color is still at full size; nobody is at work
 * - `finishing`: the old color is drained and scaled down
 * - `done`: the end of a good shift
 * - `rolling-back`: traffic goes back to stable, then the candidate is scaled down
 * - `rolled-back`: the end of a bad or cancelled one
 */
export const PHASES = [
  'preparing',
  'prepared',
  'shifting',
  'judging',
  'rechecking',
  'switched',
  'finishing',
  'done',
  'rolling-back',
  'rolled-back',
] as const;
export type Phase = (typeof PHASES)[number];

export const isOver = (phase: Phase): boolean => phase === 'done' || phase === 'rolled-back';
/** Phases between two jobs: nobody renews a lease there. */
export const isResting = (phase: Phase): boolean => phase === 'prepared' || phase === 'switched';
/** Phases in which nobody but checks has met the candidate. */
export const isBeforeTraffic = (phase: Phase): boolean => phase === 'preparing' || phase === 'prepared';
/** Phases in which the candidate may have traffic that is not judged to the end. */
export const isInTraffic = (phase: Phase): boolean =>
  phase === 'shifting' || phase === 'judging' || phase === 'rechecking';

/** Phases after the judgement: the old color may have been scaled down, or is about to be. */
export const isJudged = (phase: Phase): boolean => phase === 'switched' || phase === 'finishing';

/** Whether users can have met the candidate. */
export const hadTraffic = ({ trafficAt, percent }: Pick<ShiftRecord, 'trafficAt' | 'percent'>): boolean =>
  trafficAt !== undefined || percent !== 0;

/** Who works on a shift: a later attempt of the same run takes over, another run only when the lease is over. */
export interface RunKey {
  readonly id: string;
  readonly attempt: number;
}

/** What lives beside the weights, in tags: enough for a run that never saw the first one to go on or go back. */
export interface ShiftRecord {
  readonly id: string;
  readonly run: RunKey;
  /** Fingerprint of the images that are released. */
  readonly images: string;
  readonly stable: Color;
  readonly candidate: Color;
  readonly phase: Phase;
  /** Target groups behind the colors, as `groupsWords` says them; undefined: not known. */
  readonly groups: string | undefined;
  /** Percent of the traffic that the candidate had before `percent`. */
  readonly from: number;
  /** Percent of the traffic that the candidate has, or is being given in `shifting`. */
  readonly percent: number;
  readonly begunAt: Instant;
  /** When the phase began; a resumed run begins it anew, because its evidence begins anew. */
  readonly since: Instant;
  /** When the candidate got its first traffic. */
  readonly trafficAt: Instant | undefined;
  /** Until then its run is at work, or died. */
  readonly leaseUntil: Instant;
  /** Autoscaling as it was before this shift held it still: what is here is to be given back. */
  readonly scaling: HeldScaling;
  /** What has been done of the commands that the team runs after the end. */
  readonly hooks: HooksDone;
  /** The approval that the next step waits for; undefined: none. */
  readonly gate: OpenGate | undefined;
  /** `refused`: it goes back because people did not let it in, and not for what was seen of the candidate. */
  readonly approval: 'refused' | undefined;
  readonly reason: string;
  readonly detectedAt: Instant | undefined;
  readonly restoredAt: Instant | undefined;
}

/** A run that has not renewed its lease for this long is taken for dead. Longer than any pause of a living one. */
const LEASE: Duration = seconds(90);
const RENEW_EVERY: Duration = seconds(30);
export const leaseFrom = (now: Instant): Instant => after(now, LEASE);
export const leaseIsDue = (record: ShiftRecord, now: Instant): boolean =>
  now >= before(record.leaseUntil, milliseconds(LEASE - RENEW_EVERY));

/** When its run was heard last. */
export const heardAt = ({ leaseUntil }: Pick<ShiftRecord, 'leaseUntil'>): Instant => before(leaseUntil, LEASE);

export const sameRun = (a: RunKey, b: RunKey): boolean => a.id === b.id && a.attempt === b.attempt;
export const formatRun = (run: RunKey): string => `${run.id}/${run.attempt}`;

export const stableOnly = (record: Pick<ShiftRecord, 'stable'>): TrafficSplit => splitGiving(record.stable, 100);
export const candidateAt = (record: Pick<ShiftRecord, 'candidate'>, percent: number): TrafficSplit =>
  splitGiving(record.candidate, percent);

/**
 * A way back that no step led to: the shift was over, or there was none, and the color that it goes to may be smaller than
 * the one that carries everybody. A step of a shift always leads to more than it came from.
 */
export const isAfterShift = ({ from, percent }: Pick<ShiftRecord, 'from' | 'percent'>): boolean =>
  from > 0 && from >= percent;

/** The same shift as the way back begins, with what `isAfterShift` tells it by. */
export const goingBack = (record: ShiftRecord): ShiftRecord =>
  isJudged(record.phase) ? { ...record, from: record.percent } : record;

/** The splits that a record explains; anything else was set by somebody else. */
export function explainedSplits(record: ShiftRecord): readonly TrafficSplit[] {
  switch (record.phase) {
    case 'preparing':
    case 'prepared':
    case 'rolled-back':
      return [stableOnly(record)];
    case 'shifting':
      return [candidateAt(record, record.from), candidateAt(record, record.percent)];
    case 'judging':
    case 'rechecking':
    case 'switched':
    case 'finishing':
    case 'done':
      return [candidateAt(record, record.percent)];
    case 'rolling-back':
      // What was verified to be back and is elsewhere again was moved since.
      return record.restoredAt === undefined
        ? [candidateAt(record, record.from), candidateAt(record, record.percent), stableOnly(record)]
        : [stableOnly(record)];
  }
}
