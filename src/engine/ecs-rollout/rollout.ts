import type { ContainerEdits } from '../../domain/ecs/container-edits.ts';
import type { ContainerImages } from '../../domain/ecs/result.ts';
import { type Duration, type Instant, after } from '../../domain/duration.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ContainerLogs } from '../../ports/container-logs.ts';
import type { Roles } from '../../domain/ecs/roles.ts';
import type { ServiceSettings } from '../../domain/ecs/service.ts';
import type { Situation } from '../../domain/ecs/start.ts';
import type { Ecs, EcsService, EcsServiceRef, TaskDefinition } from '../../ports/ecs.ts';
import type { Log } from '../../ports/log.ts';
import type { Prepared } from './preflight.ts';
import type { Verification } from '../checks/verification.ts';

export interface RolloutTools {
  readonly ecs: Ecs;
  readonly clock: Clock;
  readonly log: Log;
  /** What containers printed, shown where tasks fail. Absent: nothing of it is shown. */
  readonly logs?: ContainerLogs;
  /** Told of every wait in place of the log: who follows several deployments says one line for all of them. */
  readonly sayWait?: (wait: string) => void;
}

/** Who writes: stands in the service's tags, so that another run can tell whose deployment it meets. */
export interface Writer {
  /** Same in every stage and attempt: the release id, or the image when there is none. */
  readonly release: string;
  /** `<run id>/<attempt>`. */
  readonly run: string;
}

export type { Verification };

/** One deployment of one service, whatever is deployed. */
export interface RolloutRequest {
  readonly ref: EcsServiceRef;
  /** Absent: the service keeps its count (and autoscaling its say). */
  readonly desired?: number;
  /** Of the service, beside its revision; what is absent stays as it is and is not sent. */
  readonly settings?: ServiceSettings;
  readonly writer: Writer;
  /** The new revision is steady by then, or it failed. The way back has its own limit. */
  readonly deadline: Instant;
  /** How long the way back may take. Absent: 15m. */
  readonly rollbackWithin?: Duration;
  readonly onFailure: 'rollback' | 'leave';
  /** Told at once when there is something to undo, and again when more is known of it; `undefined`: nothing is left to undo. */
  readonly onFollowing?: (following: Following | undefined) => void;
  /** Told when the way back begins, by whomever it is made. */
  readonly onWayBack?: () => void;
  /** What the tags say at a good end. `open`: they go on saying `deploying`, because a whole group is judged later. Absent: `done`. */
  readonly endsAs?: 'done' | 'rolled-back' | 'open';
  /** Made once when ECS calls the new revision steady; a bad one counts as a failed deployment. */
  readonly verify?: (signal: AbortSignal) => Promise<Verification>;
}

/** What a new revision is made from: a definition of a file, or a revision by ARN, `family:number` or family. */
export type DefinitionSource =
  | {
      readonly kind: 'written';
      readonly body: Readonly<Record<string, unknown>>;
      readonly tags: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'registered'; readonly name: string };

/** The revision that is about to be deployed, and the service as it is. */
export interface NewRevision {
  readonly service: EcsService;
  readonly definition: Pick<TaskDefinition, 'arn' | 'body'>;
}

export interface DeployImageRequest extends RolloutRequest {
  /** Absent: those that the definition has. */
  readonly images?: ContainerImages;
  /** Absent: the revision that the service runs. */
  readonly definition?: DefinitionSource;
  /** What else changes in its containers. */
  readonly edits?: ContainerEdits;
  /** Roles of its tasks. */
  readonly roles?: Roles;
  /** Added to the tags of a newly registered task definition. */
  readonly tags: Readonly<Record<string, string>>;
  /** What to do when somebody else's deployment is in flight. */
  readonly onConflict: 'fail' | 'wait' | 'stop';
  /** What becomes of a run that began before the one whose release serves. Absent: it goes on. */
  readonly onOutdated?: 'fail' | 'continue';
  /** Made before a revision is registered; throws a Failure where it should not be. */
  readonly inspect?: (prepared: Prepared, signal: AbortSignal) => Promise<void>;
  /** Made once before the service is told of the new revision; a bad one ends the release, and the service stays as it is. */
  readonly before?: (revision: NewRevision, signal: AbortSignal) => Promise<Verification>;
  /** What becomes of a revision that this release registered and that was taken back. Absent: it stays. */
  readonly failedRevision?: 'deregister' | 'keep';
  /** What was read a moment ago by whoever planned the release, handed out once: what comes later reads anew. */
  readonly situation?: () => Situation | undefined;
  /**
   * How long the new revision may take to be steady, counted from the moment it is deployed; until `deadline` the deployment
   * of somebody else is waited for. Absent: `deadline` is the limit of both.
   */
  readonly timeout?: Duration;
  /** `before` was made, and all that is said of the start was said. */
  readonly prepared?: true;
  /** A revision that this release registered already, before it came to the service. */
  readonly registered?: string;
}

/** Neither what came before nor the wait for somebody else's deployment takes from the time that the tasks have. */
export const fromNow = (request: DeployImageRequest, { clock }: RolloutTools): DeployImageRequest =>
  request.timeout === undefined ? request : { ...request, deadline: after(clock.now(), request.timeout) };

/** One deployment in flight: all that is needed to stop it and go back, from this process or another. A JSON value. */
export interface Following {
  readonly ref: EcsServiceRef;
  readonly taskDefinition: string;
  readonly previousTaskDefinition?: string;
  /** Count to restore on the way back, when the deployment changed it. */
  readonly previousDesired?: number;
  /** Settings to restore by an update on the way back, when the deployment changed them. */
  readonly previousSettings?: ServiceSettings;
  /** `ecs-svc/1234567890`, as DescribeServices lists it. */
  readonly deploymentId?: string;
  readonly serviceDeploymentArn?: string;
  /** Deployments that were there before ours: a read that shows only these is stale. */
  readonly earlierDeployments: readonly string[];
  /** Service deployment that was the current one before ours. */
  readonly earlierServiceDeployment?: string;
  /** Newest event of the service before ours, by id: what comes after it belongs to ours. */
  readonly lastEvent?: string;
  /** Whom the service's tags named before this run wrote its own. */
  readonly earlierRun?: string;
  readonly startedAt: Instant;
  readonly writer: Writer;
  /** The revision was made for this release and serves nobody else: it is deregistered once it is taken back. */
  readonly discards?: true;
}
