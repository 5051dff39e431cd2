import type { Duration } from '../../../../src/domain/duration.ts';
import type { Policy, StepGate } from '../../../../src/domain/policy/policy.ts';
import type { Hook, HookMoment } from '../../../../src/domain/shift/hooks.ts';
import type { RunKey } from '../../../../src/domain/shift/record.ts';
import type { Color } from '../../../../src/domain/traffic-split.ts';

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
  /**
   * Mode `rollback` takes a shift from the run that works on it, and the traffic from whoever moved it by hand; unless
   * nobody asked for it, and it only looks after what a dead run left: people are not overridden by machines.
   */
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
