import type { Duration, Instant } from '../../domain/duration.ts';
import type { ObjectChange } from '../../domain/kubernetes/diff.ts';
import type { Origin } from '../../domain/kubernetes/manifest.ts';
import type { Ref } from '../../domain/kubernetes/object.ts';
import type { ConflictPolicy } from '../../domain/kubernetes/ownership.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Hmac, Sha256 } from '../../ports/digest.ts';
import type { Kubernetes } from '../../ports/kubernetes.ts';
import type { Log } from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';
import type { ReleaseStore } from '../../ports/release-store.ts';
import type { Verification } from '../checks/verification.ts';

export interface K8sTools {
  readonly cluster: Kubernetes;
  readonly store: ReleaseStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly sha256: Sha256;
  readonly hmac: Hmac;
  readonly random: Pick<Random, 'token'>;
  /** Told before the first write. */
  readonly onWrite: () => void;
}

/** Who releases what, where. */
export interface AppRef {
  readonly app: string;
  /** Namespace of the records and the lease, and of objects that name none. */
  readonly namespace: string;
}

export interface Writer {
  readonly release: string;
  /** `<run id>/<attempt>` */
  readonly run: string;
  /** Tells the jobs and steps of one run apart: a token, the same for a main and its post. */
  readonly process: string;
}

export type Verify = (signal: AbortSignal) => Promise<Verification>;

export interface Policies {
  /** Fields that other managers own. */
  readonly conflicts: ConflictPolicy;
  /** Kinds that are deleted and made again when an immutable field changes. */
  readonly replace: readonly string[];
  readonly prune: 'none' | 'delete';
  /** `none`: of a way back, which takes away what a release made, however much. */
  readonly pruneLimit: number | 'none';
  readonly requireDigest: 'yes' | 'no';
  readonly restartOnConfig: 'yes' | 'no';
}

/** What was intended once is intended again. */
export const isWayBack = ({ pruneLimit }: Pick<Policies, 'pruneLimit'>): boolean => pruneLimit === 'none';

export interface Limits {
  readonly deadline: Instant;
  /** How long the way back may take. */
  readonly rollbackWithin: Duration;
}

export type Done = 'created' | 'configured' | 'unchanged' | 'replaced' | 'deleted' | 'restored' | 'pruned';

export interface ObjectResult {
  readonly ref: Ref;
  readonly done: Done;
  readonly note?: string;
}

/** Why it failed, with the line of the manifest that it is about. */
export interface Cause {
  readonly text: string;
  readonly origin?: Origin;
}

export type K8sOutcome =
  'succeeded' | 'unchanged' | 'refused' | 'rolled-back' | 'rollback-failed' | 'failed' | 'superseded' | 'timed-out';

export interface K8sResult {
  readonly outcome: K8sOutcome;
  /** A clause: the cause comes first. */
  readonly reason: string;
  readonly changed: boolean;
  readonly objects: readonly ObjectResult[];
  readonly revision?: number;
  readonly release?: string;
  readonly previousRevision?: number;
  readonly causes: readonly Cause[];
  /** What was seen of pods, events and logs. */
  readonly diagnosis: readonly string[];
  readonly plan: readonly ObjectChange[];
}

/** Requests of one kind that run side by side. */
export const AT_ONCE = 8;
