import type { Duration } from '../../../../src/domain/duration.ts';
import type { ContainerImages } from '../../../../src/domain/ecs/result.ts';
import type { ResolvedChecks } from '../../../../src/domain/checks/document.ts';
import type { ShiftRecord } from '../../../../src/domain/shift/record.ts';
import type { Color } from '../../../../src/domain/traffic-split.ts';
import type { Ports as GatePorts, RunContext } from '../../../../src/engine/approval/ports.ts';
import type { ChecksTarget, ChecksTools } from '../../../../src/engine/checks/run-checks.ts';
import type { Autoscaling } from '../../../../src/ports/autoscaling.ts';
import type { Clock } from '../../../../src/ports/clock.ts';
import type { DeployConditions } from '../../../../src/ports/deploy-conditions.ts';
import type { Ecs } from '../../../../src/ports/ecs.ts';
import type { Journal } from '../../../../src/ports/journal.ts';
import type { Log } from '../../../../src/ports/log.ts';
import type { MetricProvider } from '../../../../src/ports/metric-provider.ts';
import type { Prober } from '../../../../src/ports/prober.ts';
import type { Programs } from '../../../../src/ports/programs.ts';
import type { TargetGroups } from '../../../../src/ports/target-group.ts';
import type { TrafficRouter } from '../../../../src/ports/traffic-router.ts';
import type { Goal } from '../decide/goal.ts';
import type { StepRules } from '../inputs/gate.ts';
import type { Memory } from './memory.ts';

export interface Acting {
  readonly release: Release;
  readonly ports: Ports;
  readonly memory: Memory;
  /** Aborted when the run ends: for what works beside the loop. */
  readonly watchSignal: AbortSignal;
}

export interface Ports extends Pick<ChecksTools, 'random' | 'mask'> {
  /** All of `routes` as one. */
  readonly router: TrafficRouter;
  readonly routes: readonly TrafficRouter[];
  readonly targets: TargetGroups;
  readonly journal: Journal<ShiftRecord>;
  readonly ecs: Ecs;
  /** What the candidate needs before it is begun. */
  readonly conditions: DeployConditions;
  readonly autoscaling: Autoscaling;
  readonly prober: Prober;
  readonly programs: Pick<Programs, 'run'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: {
    readonly providers: Readonly<Record<string, MetricProvider>>;
    run(signal: AbortSignal): Promise<void>;
  };
  /** Where people are asked for approval, opened when that is needed; a Failure says what is missing for it. */
  people(): Promise<GatePorts>;
  /** Told before the first write; what it gives back takes that for a write that was refused. */
  willChange(): () => void;
  /** The one write that a signal handler makes; undefined: nothing to take back. */
  onCancel(restore: ((signal: AbortSignal) => Promise<string>) | undefined): void;
}

/** What is released where: everything that is fixed before the first look. */
export interface Release {
  readonly goal: Goal;
  /** undefined: no service of the colors is known. */
  readonly ecs: { readonly cluster: string; readonly services: Readonly<Record<Color, string>> } | undefined;
  /** undefined where a mode deploys nothing. */
  readonly images: ContainerImages | undefined;
  readonly desiredCount: number | undefined;
  readonly checks: ResolvedChecks | undefined;
  /** Where the candidate alone answers. */
  readonly candidateOf: ((color: Color) => ChecksTarget) | undefined;
  /** Where users come in. */
  readonly users: ChecksTarget | undefined;
  /** Whether commands that change a database run. */
  readonly databases: 'allowed' | 'untouched';
  /** From when on a drain may end early, because the old color gets no requests any more. */
  readonly drainEarlyAfter: Duration | 'never';
  readonly onCancel: 'rollback' | 'leave';
  /** Rules of the approvals inside the steps, by the percentage of the step. */
  readonly gates: ReadonlyMap<number, StepRules>;
  /** The workflow run, for what people are shown. */
  readonly context: RunContext;
  /** Told which color is the candidate, as soon as that is known. */
  onCandidate(color: Color): void;
}
