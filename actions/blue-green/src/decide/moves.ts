import type { Judgement } from '../../../../src/domain/analysis/judge.ts';
import type { Sample } from '../../../../src/domain/analysis/sample.ts';
import type { Duration, Instant } from '../../../../src/domain/duration.ts';
import type { Policy, StepGate } from '../../../../src/domain/policy/policy.ts';
import type { Live, TargetHealth } from '../../../../src/domain/shift/live-color.ts';
import type { OpenGate } from '../../../../src/domain/shift/gate.ts';
import type { Hook, HookMoment, HookResult } from '../../../../src/domain/shift/hooks.ts';
import { type RunKey, type ShiftRecord, leaseFrom } from '../../../../src/domain/shift/record.ts';
import type { Scaling, Suspended } from '../../../../src/domain/shift/scaling.ts';
import type { Color, TrafficSplit } from '../../../../src/domain/traffic-split.ts';

/** What is asked for, with everything that decisions need; the cloud is in the observation. */
export interface Goal {
  /** `settle` gives back what a shift that was judged good, or only prepared, holds; nothing else is touched. */
  readonly mode: 'run' | 'prepare' | 'shift' | 'finish' | 'rollback' | 'settle';
  readonly me: RunKey;
  /** Of a shift that is begun now. */
  readonly shiftId: string;
  /** The shift that was prepared by an earlier job; undefined: whichever is recorded. */
  readonly expectedShift: string | undefined;
  /** Fingerprint of the images; undefined where a mode does without (`shift`, `finish`, `rollback`). */
  readonly images: string | undefined;
  readonly policy: Policy;
  /** Approvals inside the steps, rising. */
  readonly gates: readonly GoalGate[];
  /** Name of the tag in `tagged`, for words. */
  readonly colorTag: string;
  /** `none`: somebody else has deployed the candidate; its health decides when it is ready. */
  readonly deploy: 'ecs' | 'none';
  /** The color that a rollback without a shift under way shall end on; undefined: the other one. */
  readonly to: Color | undefined;
  /** Healthy targets that the candidate needs before it gets traffic; `desired`: all of its tasks. */
  readonly minHealthy: number | 'desired';
  readonly prepareWithin: Duration;
  readonly drain: Duration;
  /** Tasks that a color keeps when it has no traffic any more. */
  readonly oldDesired: number;
  readonly checks: 'none' | 'given';
  /** Whether the autoscaling of both services is held still while traffic moves. */
  readonly autoscaling: 'suspend' | 'leave';
  readonly onStale: 'rollback' | 'resume' | 'fail';
  /** Mode `rollback` takes a shift from the run that works on it, unless it only looks after what nobody works on. */
  readonly onBusy: 'take' | 'leave';
  /** Commands of the team's, one after the other, before the end is recorded. */
  readonly hooks: Readonly<Record<HookMoment, readonly Hook[]>>;
  /** Why mode `rollback` goes back, for the record and the words. */
  readonly because: string;
}

/** A step that people must let in. */
export interface GoalGate extends StepGate {
  /** `2 of user:alice, team:acme/ops`, for the plan. */
  readonly who: string;
}

/** How an approval stands that this process asks for. */
export type GateView =
  | { readonly kind: 'opening'; readonly waitsFor: string }
  | {
      readonly kind: 'open';
      readonly issue: number;
      readonly url: string;
      readonly asked: readonly string[];
      readonly waitsFor: string;
    }
  | { readonly kind: 'approved'; readonly says: string }
  /** Denied, too late, or a fault that could not be waited out: whatever is not an approval. */
  | { readonly kind: 'refused'; readonly why: string };

export type CheckMoment = 'before' | 'after';

/** How a part of the work ended that is no write of traffic: deploying the candidate, running the checks. */
export type Result = { readonly kind: 'good' } | { readonly kind: 'bad'; readonly why: string };

/** One place where the traffic is decided, and how. */
export interface Route {
  readonly name: string;
  readonly live: Live;
}

/** What the metric `requests` says of a step. */
export type Served = {
  readonly percent: number;
  readonly at: Instant;
  readonly says: string;
} & (
  | {
      /**
       * `none`: the candidate has weight and gets no request, while stable does. `unclear`: the same, of a router that keeps
       * clients on their color, so that the weights alone do not say how many were to come.
       */
      readonly kind: 'some' | 'none' | 'unclear' | 'unknown';
    }
  | {
      /** The source did not answer, so many times in a row. What it said of this step before stands in the words. */
      readonly kind: 'unanswered';
      readonly asks: number;
    }
);

export interface Seen {
  readonly kind: 'seen';
  /** Everything that moves together; they differ while a move is on its way, or when somebody else moved one. */
  readonly routes: readonly Route[];
  /** Of the first route. */
  readonly live: Live;
  /** Whether both target groups stand in the rule; one that does not has no healthy targets. */
  readonly seated: 'both' | 'missing';
  /** Whether the live split has reached everybody (DNS takes its time); asked while the weights are on their way. */
  readonly spread: 'everywhere' | 'on-its-way';
  readonly record: ShiftRecord | undefined;
  readonly engaged: boolean;
  readonly targets: Readonly<Record<Color, TargetHealth>>;
  /** Those of the candidate that its own deployment brought; undefined: nobody asks, or nothing tells them apart. */
  readonly own: TargetHealth | undefined;
  /** Healthy targets of the candidate in the order in which this process saw them since it has traffic. */
  readonly candidateHealth: readonly number[];
  /** `none` also where a decision does not need it. */
  readonly scaling: Readonly<Record<Color, Scaling>>;
  /** Tasks that each color's service is asked to run; `unknown`: no service of theirs is known, so nothing is scaled. */
  readonly desired: Readonly<Record<Color, number>> | 'unknown';
  /** The color that a tag of the services calls the live one. */
  readonly tagged: Color | undefined;
  /** Of this process, in the order of time. */
  readonly samples: readonly Sample[];
  /** Whether users' requests reach the candidate, as asked at the end of a step; undefined: not asked yet. */
  readonly served: Served | 'no-source' | undefined;
  readonly deployed: Result | undefined;
  /** Whether the sources of the rules answered before the first traffic. */
  readonly sources: Result | undefined;
  readonly checked: Readonly<Partial<Record<CheckMoment, Result>>>;
  /** Commands that this process ran. */
  readonly hooked: readonly HookResult[];
  /** What this process knows of the approval that it asks for. */
  readonly gate: { readonly before: number; readonly view: GateView } | undefined;
  /** Whether the request of a shift that goes back has been dealt with: it is closed, or that it stays open was said. */
  readonly request: 'withdrawn' | 'untouched';
  /** Whether the old color is known to get no requests any more. */
  readonly oldColor: 'quiet' | 'unknown';
  /** Whether the lease may be renewed now, or has to rest after a renewal that failed for a moment. */
  readonly renewal: 'possible' | 'rests';
  /** A write that failed for good. */
  readonly trouble: string | undefined;
}

export type Observation = Seen | { readonly kind: 'unreachable'; readonly why: string; readonly since: Instant };

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

/** Tasks of a color that could be scaled down. */
export const tasksOf = ({ desired }: Pick<Seen, 'desired'>, color: Color): number =>
  desired === 'unknown' ? 0 : desired[color];

/** `; green is left as it is: no service of it is known`, where a color would be scaled down otherwise. */
export const leftWords = ({ desired }: Pick<Seen, 'desired'>, color: Color): string =>
  desired === 'unknown' ? `; ${color} is left as it is, because no service of it is known` : '';

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
