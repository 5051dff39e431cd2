import type { ApprovalDemand } from '../../../src/domain/approval/require.ts';
import type { SteadyChecks } from '../../../src/domain/checks/steady-checks.ts';
import type { Duration } from '../../../src/domain/duration.ts';
import type { AddressSource } from '../../../src/domain/ecs/address-source.ts';
import type { ContainerEdits } from '../../../src/domain/ecs/container-edits.ts';
import type { Roles } from '../../../src/domain/ecs/roles.ts';
import type { ServiceSettings } from '../../../src/domain/ecs/service.ts';
import type { TaskWish } from '../../../src/domain/ecs/task-wish.ts';

export type Mode = 'deploy' | 'rollback' | 'scale' | 'status' | 'cleanup';

/** What every mode needs to know. */
export interface Place {
  readonly cluster: string;
  readonly service: string;
  readonly timeout: Duration;
  readonly onConflict: 'fail' | 'wait' | 'stop';
  readonly region: string | undefined;
  readonly roleToAssume: string | undefined;
  readonly allowedAccountIds: readonly string[] | undefined;
  readonly dryRun: 'yes' | 'no';
}

/** Where users reach what is deployed; both absent: nobody said. */
export interface Address {
  readonly url: string | undefined;
  /** Where the host of the URL comes from, in place of `url`. */
  readonly from: AddressSource | undefined;
}

/** Checks and rules of the user's, after ECS is content. */
export type ChecksWish = SteadyChecks & Address;

export interface DeployRequest extends Place {
  readonly mode: 'deploy';
  /** Absent: the only container. */
  readonly container: string | undefined;
  /** Whole reference; absent: what the definition and `edits` say. */
  readonly image: string | undefined;
  /** Absent: the revision that the service runs. */
  readonly definition: { readonly kind: 'file' | 'registered'; readonly name: string } | undefined;
  readonly edits: ContainerEdits | undefined;
  readonly roles: Roles | undefined;
  /** What changes of the service beside its revision. */
  readonly settings: ServiceSettings | undefined;
  readonly release: string;
  /** `by-content`: no release-id was given, so what the definition stands for belongs to the name too. */
  readonly named: 'by-itself' | 'by-content';
  readonly desired: number | undefined;
  readonly onFailure: 'rollback' | 'leave';
  readonly onCancel: 'rollback' | 'leave';
  readonly onOutdated: 'fail' | 'continue';
  readonly approval: ApprovalDemand;
  readonly checks: ChecksWish | undefined;
  readonly address: Address;
  /** Tasks of the release, beside the service. */
  readonly before: TaskWish | undefined;
  readonly after: TaskWish | undefined;
}

export interface RollbackRequest extends Place {
  readonly mode: 'rollback';
  /** A number of the family that runs, `family:number` or an ARN; absent: the release before. */
  readonly to: string | undefined;
  readonly checks: ChecksWish | undefined;
  readonly address: Address;
}

export interface ScaleToRequest extends Place {
  readonly mode: 'scale';
  readonly desired: number;
  readonly onLimits: 'fail' | 'change';
}

export interface StatusRequest extends Place {
  readonly mode: 'status';
}

export interface CleanUpRequest extends Place {
  readonly mode: 'cleanup';
  readonly keep: number;
}

/** One service of a group, as it would be deployed by itself. */
export interface GroupMember {
  readonly deploy: DeployRequest;
  /** Names of services of the group that serve before this one is touched. */
  readonly dependsOn: readonly string[];
}

/** Several services that are released as one: all of them, or none. */
export interface GroupRequest
  extends
    Omit<Place, 'service'>,
    Pick<DeployRequest, 'onFailure' | 'onCancel' | 'onOutdated' | 'approval' | 'checks' | 'address'> {
  readonly mode: 'deploy-group';
  /** In the order that was written, which is not that of the dependencies. */
  readonly members: readonly GroupMember[];
}

/** What concerns one service. */
export type SingleRequest = DeployRequest | RollbackRequest | ScaleToRequest | StatusRequest | CleanUpRequest;

export type Request = SingleRequest | GroupRequest;
