import type { Judgement } from '../../../../src/domain/analysis/judge.ts';
import type { Duration, Instant } from '../../../../src/domain/duration.ts';
import type { Live } from '../../../../src/domain/shift/live-color.ts';
import type { OpenGate } from '../../../../src/domain/shift/gate.ts';
import type { HookMoment } from '../../../../src/domain/shift/hooks.ts';
import { type ShiftRecord, leaseFrom } from '../../../../src/domain/shift/record.ts';
import type { Suspended } from '../../../../src/domain/shift/scaling.ts';
import type { Color, TrafficSplit } from '../../../../src/domain/traffic-split.ts';
import type { CheckMoment } from './seen.ts';

/** One write each, apart from `deploy`, `check`, `ask-sources`, `ask-requests`, `hook`, `ask` and `measure`, which leave their result in the next observation. */
export type Move =
  | {
      readonly kind: 'record';
      readonly record: ShiftRecord;
      readonly says: string | undefined;
      /** Nothing but the lease changes: it may fail for a while, and rest. */
      readonly renews?: true;
    }
  | { readonly kind: 'weigh'; readonly split: TrafficSplit; readonly says: string }
  /** All traffic to one color, without what would keep users on the other one. */
  | { readonly kind: 'restore'; readonly color: Color; readonly says: string }
  | { readonly kind: 'deploy'; readonly color: Color }
  | { readonly kind: 'check'; readonly moment: CheckMoment }
  /** Whether what the rules are measured by is there at all. */
  | { readonly kind: 'ask-sources' }
  /** Whether requests of users follow the weights. */
  | { readonly kind: 'ask-requests' }
  | { readonly kind: 'hook'; readonly moment: HookMoment; readonly index: number }
  | { readonly kind: 'measure'; readonly at: Instant; readonly begin: Instant }
  /** Begins to ask, beside everything else. */
  | { readonly kind: 'ask'; readonly gate: OpenGate }
  /** Closes a request that nobody waits for any more. */
  | { readonly kind: 'withdraw'; readonly issue: number; readonly says: string }
  | { readonly kind: 'scale'; readonly color: Color; readonly desired: number }
  | { readonly kind: 'autoscale'; readonly color: Color; readonly suspended: Suspended; readonly says: string };

export type Outcome =
  | { readonly kind: 'promoted' | 'switched'; readonly record: ShiftRecord; readonly judgement: Judgement | undefined }
  | { readonly kind: 'prepared' | 'unchanged'; readonly record: ShiftRecord }
  | { readonly kind: 'rolled-back'; readonly record: ShiftRecord; readonly left: string | undefined }
  | { readonly kind: 'rollback-failed'; readonly record: ShiftRecord; readonly live: Live; readonly why: string }
  | {
      readonly kind: 'drifted';
      readonly record: ShiftRecord;
      /** The place that was moved. */
      readonly route: string;
      readonly live: Live;
      readonly expected: readonly TrafficSplit[];
    }
  /** Judged good, and both colors stand: the new one could not be left alone by now. */
  | { readonly kind: 'not-drained'; readonly record: ShiftRecord; readonly why: string }
  | { readonly kind: 'superseded'; readonly by: string }
  | { readonly kind: 'refused'; readonly why: string; readonly next: string };

export type Decision =
  | { readonly kind: 'move'; readonly move: Move }
  | {
      readonly kind: 'wait';
      readonly for: string;
      readonly detail?: string;
      readonly every: Duration;
      readonly until?: Instant;
    }
  | { readonly kind: 'done'; readonly outcome: Outcome };

/** A shift that this process found or holds, and the time. */
export interface Held {
  readonly record: ShiftRecord;
  readonly now: Instant;
}

export const move = (next: Move): Decision => ({ kind: 'move', move: next });
export const done = (outcome: Outcome): Decision => ({ kind: 'done', outcome });
export const refused = (why: string, next: string): Decision => done({ kind: 'refused', why, next });

type Change = Partial<ShiftRecord> & Pick<ShiftRecord, 'phase'>;

/** Writes the next phase of a shift: it begins now and the lease is renewed. */
export const enter = (
  record: ShiftRecord,
  change: Change,
  at: { readonly now: Instant; readonly says: string },
): Decision =>
  move({
    kind: 'record',
    record: { ...record, since: at.now, ...change, leaseUntil: leaseFrom(at.now) },
    says: at.says,
  });

export const renew = ({ record, now }: Held): Decision =>
  move({ kind: 'record', record: { ...record, leaseUntil: leaseFrom(now) }, says: undefined, renews: true });

/** The end of a shift that is judged good begins; `before`: what is told before it. */
export const drain = ({ record, now }: Held, before?: string): Decision =>
  enter(
    record,
    { phase: 'finishing' },
    { now, says: `${before === undefined ? '' : `${before}. `}Draining ${record.stable}` },
  );
