import type { Sample, Share } from '../../../../src/domain/analysis/sample.ts';
import type { Instant } from '../../../../src/domain/duration.ts';
import type { HookMoment, HookResult } from '../../../../src/domain/shift/hooks.ts';
import type { ShiftRecord } from '../../../../src/domain/shift/record.ts';
import type { Scaling } from '../../../../src/domain/shift/scaling.ts';
import type { HealthyTargets, Size } from '../../../../src/domain/shift/target-loss.ts';
import type { Color } from '../../../../src/domain/traffic-split.ts';
import type { CheckMoment, GateView, Result, Seen, Served } from '../decide/seen.ts';
import type { Event } from '../report/story.ts';

/** What one process knows beside what it can read again. It is lost when the process dies, and nothing rests on it. */
export interface Memory extends ShiftMemory {
  engaged: 'yes' | 'no';
  changed: 'yes' | 'no';
  /** As last read or written. */
  record: ShiftRecord | undefined;
  /** A record that could not be written, in place of the one that stands there: going back does not wait for tags. */
  unwritten: ShiftRecord | undefined;
  /** The last look that was answered. */
  seen: Seen | undefined;
  readonly events: Event[];
  readonly hooked: HookResult[];
  desired: Seen['desired'] | undefined;
  /** The same as it was read last on a way back, which goes on without it where nothing can be read. */
  sized: Seen['desired'] | undefined;
  /** Why they could not be read there, as it was said. */
  sizeFault: string | undefined;
  /** Whether the services were found to be those of the colors: asked before anything else is written, or before them. */
  pair: 'judged' | 'unknown';
  tagged: Color | undefined;
  /** The color whose targets could not be read, where that stops nothing: said once. */
  unread: Color | undefined;
  scaling: Readonly<Record<Color, Scaling>> | undefined;
  failedWrites: number;
  /** Of a scaling before the traffic of a way back. */
  failedScales: number;
  /** Renewals of the lease that failed in a row, and until when the next one rests. */
  failedRenewals: number;
  renewalRestsUntil: Instant | undefined;
  unreachableSince: Instant | undefined;
  /** Ends when the sources that work beside the loop have stopped. */
  watching: Promise<void> | undefined;
}

/** What was learned of one shift. A process that first takes back what stands in its way begins its own without it. */
interface ShiftMemory {
  readonly samples: Sample[];
  /** What the candidate had of the traffic while this process measured, in the order of time. */
  readonly shares: Share[];
  readonly candidateHealth: number[];
  /** Of the candidate while it has traffic. */
  size: Size;
  /** Of them that stood healthy and are still registered; undefined: not seen yet. */
  standing: number | undefined;
  /** The last of them, as it was seen. */
  lastHealthy: HealthyTargets | undefined;
  /** What the policy can see, in words; empty before the first traffic. */
  power: readonly string[];
  served: Served | undefined;
  /** Percent of steps at whose end the candidate got no request, and what was said of it. */
  readonly unserved: Map<number, string>;
  deployed: Result | undefined;
  sources: Result | undefined;
  checked: Partial<Record<CheckMoment, Result>>;
  /** So many of each list have ended here, whether or not that could be noted. */
  hookedUpTo: Readonly<Record<HookMoment, number>>;
  seated: 'both' | 'missing';
  quietLooks: number;
  lastQuietLook: Instant | undefined;
  trouble: string | undefined;
  unscaled: string | undefined;
  /** The approval that this process asks for. */
  asking: Asking | undefined;
  request: Seen['request'];
}

export const startMemory = (): Memory => ({
  engaged: 'no',
  changed: 'no',
  record: undefined,
  unwritten: undefined,
  seen: undefined,
  events: [],
  hooked: [],
  desired: undefined,
  sized: undefined,
  sizeFault: undefined,
  pair: 'unknown',
  tagged: undefined,
  unread: undefined,
  scaling: undefined,
  failedWrites: 0,
  failedScales: 0,
  failedRenewals: 0,
  renewalRestsUntil: undefined,
  unreachableSince: undefined,
  watching: undefined,
  ...startShift(),
});

export const startShift = (): ShiftMemory => ({
  samples: [],
  shares: [],
  candidateHealth: [],
  size: 'free',
  standing: undefined,
  lastHealthy: undefined,
  power: [],
  served: undefined,
  unserved: new Map(),
  deployed: undefined,
  sources: undefined,
  checked: {},
  hookedUpTo: { 'after-promote': 0, 'after-rollback': 0 },
  seated: 'missing',
  quietLooks: 0,
  lastQuietLook: undefined,
  trouble: undefined,
  unscaled: undefined,
  asking: undefined,
  request: 'untouched',
});

/** An approval that is asked for beside the loop. */
export interface Asking {
  readonly before: number;
  view: GateView;
  readonly stop: AbortController;
  ended: Promise<void>;
}
