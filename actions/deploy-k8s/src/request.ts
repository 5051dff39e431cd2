import type { ApprovalDemand } from '../../../src/domain/approval/require.ts';
import type { SteadyChecks } from '../../../src/domain/checks/steady-checks.ts';
import type { Duration } from '../../../src/domain/duration.ts';
import type { AccessWish } from '../../../src/domain/kubernetes/access-inputs.ts';
import type { ImageRule } from '../../../src/domain/kubernetes/image-rules.ts';
import type { Placeholders } from '../../../src/domain/kubernetes/placeholders.ts';
import type { ScaleWish } from '../../../src/domain/kubernetes/scaling.ts';

/** What every mode has. */
export interface Place {
  readonly app: string;
  readonly namespace: string | undefined;
  readonly access: AccessWish;
  readonly region: string | undefined;
  readonly roleToAssume: string | undefined;
  readonly allowedAccountIds: readonly string[] | undefined;
  readonly timeout: Duration;
  readonly onConflict: 'fail' | 'wait';
  readonly release: string | undefined;
  readonly dryRun: 'yes' | 'no';
}

/** Where the manifests come from, and what is put into them. */
export interface SetWish {
  readonly files: readonly string[];
  readonly kustomize: string | undefined;
  readonly helm: { readonly chart: string; readonly values: readonly string[]; readonly name: string } | undefined;
  readonly rules: readonly ImageRule[];
  readonly placeholders: Placeholders;
  readonly secretValues: ReadonlyMap<string, string>;
  /** Names of the only variables of the environment that Secrets are filled from. */
  readonly secretEnv: readonly string[];
  readonly conflicts: 'fail' | 'force' | 'yield';
  readonly replace: readonly string[];
  readonly prune: 'none' | 'delete';
  readonly pruneLimit: number;
  readonly requireDigest: 'yes' | 'no';
  readonly restartOnConfig: 'yes' | 'no';
}

/** At least one of file and policy. */
export type ChecksWish = SteadyChecks;

export interface DeployRequest extends Place {
  readonly mode: 'deploy';
  readonly set: SetWish;
  readonly onFailure: 'rollback' | 'leave';
  readonly onCancel: 'rollback' | 'leave';
  readonly onOutdated: 'fail' | 'continue';
  readonly expectDiff: string | undefined;
  readonly approval: ApprovalDemand;
  readonly checks: ChecksWish | undefined;
}
export interface DiffRequest extends Place {
  readonly mode: 'diff' | 'rbac';
  readonly set: SetWish;
}
export interface RollbackRequest extends Place {
  readonly mode: 'rollback';
  readonly to: string | undefined;
  readonly checks: ChecksWish | undefined;
}
export interface ScaleRequest extends Place {
  readonly mode: 'scale';
  readonly kind: string;
  readonly name: string;
  readonly wish: ScaleWish;
}
export interface StatusRequest extends Place {
  readonly mode: 'status';
}
export interface BackupRequest extends Place {
  readonly mode: 'backup';
  readonly location: string;
  readonly key: string;
  readonly keep: Duration;
}
export interface RestoreRequest extends Place {
  readonly mode: 'restore';
  readonly location: string;
  readonly key: string;
  readonly which: string;
  readonly checks: ChecksWish | undefined;
}
export type Request =
  DeployRequest | DiffRequest | RollbackRequest | ScaleRequest | StatusRequest | BackupRequest | RestoreRequest;
