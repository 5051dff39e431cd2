import type { Sample } from '../../../../src/domain/analysis/sample.ts';
import type { Instant } from '../../../../src/domain/duration.ts';
import type { Live, TargetHealth } from '../../../../src/domain/shift/live-color.ts';
import type { HookResult } from '../../../../src/domain/shift/hooks.ts';
import type { ShiftRecord } from '../../../../src/domain/shift/record.ts';
import type { Scaling } from '../../../../src/domain/shift/scaling.ts';
import type { Color } from '../../../../src/domain/traffic-split.ts';

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
  /** What this process wrote last, where no record is found at all any more; undefined: there is one, or never was. */
  readonly lost: ShiftRecord | undefined;
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
  /** Why no service can be scaled before the traffic is back: that failed for good. undefined: it was not tried, or did not fail. */
  readonly unscaled: string | undefined;
  /** Any other write that failed for good. */
  readonly trouble: string | undefined;
}

export type Observation = Seen | { readonly kind: 'unreachable'; readonly why: string; readonly since: Instant };

/** Tasks of a color that could be scaled down. */
export const tasksOf = ({ desired }: Pick<Seen, 'desired'>, color: Color): number =>
  desired === 'unknown' ? 0 : desired[color];

/** `; green is left as it is: no service of it is known`, where a color would be scaled down otherwise. */
export const leftWords = ({ desired }: Pick<Seen, 'desired'>, color: Color): string =>
  desired === 'unknown' ? `; ${color} is left as it is, because no service of it is known` : '';
