import { type Duration, type Instant, after, minutes, seconds } from '../../../../../src/domain/duration.ts';
import { type RunKey, type ShiftRecord, formatRun, isOver, isResting } from '../../../../../src/domain/shift/record.ts';
import { stageWords } from '../../../../../src/domain/shift/record-words.ts';
import { MOST_REST, type StaleVerdict, staleVerdict } from './stale.ts';
import type { Goal } from '../goal.ts';

export interface Watch {
  /** The run whose shift is watched, as its own jobs write it; the watching job has another key. */
  readonly run: RunKey;
  /** A shift that is named is watched, whoever works on it. */
  readonly expectedShift: string | undefined;
  /** How long the watch waits for the shift to begin while no shift at all is under way. */
  readonly beginWithin: Duration;
  readonly onStale: Goal['onStale'];
}

export interface Watched {
  readonly record: ShiftRecord | undefined;
  /** Since when no shift was seen under way; the start of the watch, if none ever was. */
  readonly idleSince: Instant;
}

export type WatchEnd =
  { readonly kind: 'over'; readonly says: string } | { readonly kind: 'stale'; readonly verdict: StaleVerdict };

export type WatchDecision =
  | { readonly kind: 'wait'; readonly for: string; readonly every: Duration; readonly until?: Instant }
  | { readonly kind: 'done'; readonly outcome: WatchEnd };

const LOOK_EVERY = seconds(10);
/** A run may end somebody else's shift first and begin its own right after: one that is over may not be the last. */
const LAST_ONE_AFTER = minutes(1);

/** PURE. Looks on while the lease is fresh, ends with the shift, and says what is to be done when the lease is stale. */
export function decideWatch(watch: Watch, { record, idleSince }: Watched, now: Instant): WatchDecision {
  const over = (says: string): WatchDecision => ({ kind: 'done', outcome: { kind: 'over', says } });
  if (record === undefined || isOver(record.phase)) {
    const own = record !== undefined && isWatched(watch, record) && isOfAttempt(watch, record);
    const until = after(idleSince, own ? LAST_ONE_AFTER : watch.beginWithin);
    if (own && (record.id === ownShift(watch) || now >= until)) return over(`Shift ${record.id} is ${record.phase}`);
    if (now >= until) return over('No shift began');
    return { kind: 'wait', for: 'a shift to begin', every: LOOK_EVERY, until };
  }
  const shift = `shift ${record.id} of run ${formatRun(record.run)}`;
  if (!isWatched(watch, record))
    return { kind: 'wait', for: `${shift}, which is not the watched one`, every: LOOK_EVERY };
  const verdict = staleVerdict(record, watch, now);
  if (verdict.kind !== 'leave') return { kind: 'done', outcome: { kind: 'stale', verdict } };
  if (isResting(record.phase)) {
    const until = after(record.since, MOST_REST);
    if (now >= until) return over(`Shift ${record.id} rests (${record.phase}); the next job goes on with it`);
    return { kind: 'wait', for: `the next job of ${shift}`, every: LOOK_EVERY, until };
  }
  return {
    kind: 'wait',
    for: `${shift} (${stageWords(record)}), ${record.gate === undefined ? 'which is worked on' : `which waits for approval of ${record.gate.before} %`}`,
    every: LOOK_EVERY,
  };
}

const ownShift = ({ run, expectedShift }: Watch): string => expectedShift ?? `${run.id}-${run.attempt}`;

/** Also what the watch of this run has taken over. */
const isWatched = (watch: Watch, record: ShiftRecord): boolean =>
  watch.expectedShift === undefined
    ? record.run.id === watch.run.id || record.run.id === watcherOf(watch.run).id
    : record.id === watch.expectedShift;

/** The end of an earlier attempt says nothing about this one. */
const isOfAttempt = (watch: Watch, record: ShiftRecord): boolean =>
  watch.expectedShift !== undefined || record.run.attempt === watch.run.attempt;

/**
 * A watching job belongs to the run that it watches, and must not be taken for it: with a key of its own, a job that was
 * only frozen finds its shift taken over and writes nothing more.
 */
export const watcherOf = ({ id, attempt }: RunKey): RunKey => ({ id: `${id}.watch`, attempt });
