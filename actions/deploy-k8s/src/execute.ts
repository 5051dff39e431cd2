import { after, minutes } from '../../../src/domain/duration.ts';
import type { Manifest } from '../../../src/domain/kubernetes/manifest.ts';
import type { KubeObject } from '../../../src/domain/kubernetes/object.ts';
import type { ReleaseRecord } from '../../../src/domain/kubernetes/release-record.ts';
import { rolesByMode } from '../../../src/domain/kubernetes/mode-rights.ts';
import type { Verification } from '../../../src/engine/checks/verification.ts';
import { type Checking, verifyRelease } from '../../../src/engine/checks/verify-release.ts';
import { type BackupResult, backUp as backUpNamespace } from '../../../src/engine/k8s-rollout/backup.ts';
import type { Following } from '../../../src/engine/k8s-rollout/begin.ts';
import { deploySet } from '../../../src/engine/k8s-rollout/deploy.ts';
import { type Planned, planSet } from '../../../src/engine/k8s-rollout/plan.ts';
import {
  type WayBack,
  planBack,
  rollBackSet,
  undoUnfinished,
  wayBackOf,
} from '../../../src/engine/k8s-rollout/way-back.ts';
import { type AppStatus, statusOf } from '../../../src/engine/k8s-rollout/status.ts';
import { leaveUnfinished } from '../../../src/engine/k8s-rollout/leave.ts';
import { intentsOf } from '../../../src/engine/k8s-rollout/intents.ts';
import type { AppRef, K8sResult, K8sTools, Policies } from '../../../src/engine/k8s-rollout/rollout.ts';
import {
  type RestorePlan,
  planRestore as planRestoreOf,
  restoreBackup,
} from '../../../src/engine/k8s-rollout/restore.ts';
import { describeMove, readScalable, scaleWorkload } from '../../../src/engine/k8s-rollout/scale.ts';
import type { BackupStore } from '../../../src/ports/backup-store.ts';
import type {
  BackupRequest,
  DeployRequest,
  DiffRequest,
  RestoreRequest,
  RollbackRequest,
  ScaleRequest,
  SetWish,
} from './request.ts';

export type { Checking };

export interface Context {
  readonly tools: K8sTools;
  readonly ref: AppRef;
  /** `<run id>/<attempt>`. */
  readonly run: string;
  /** A token of this process, which its post knows: the jobs of one run are not one. */
  readonly process: string;
  /** Name of the release where no input gives one. */
  readonly release: string;
  readonly checking: Checking | undefined;
  readonly onFollowing: (following: Following | undefined) => void;
}

/** The way back has its own limit: it must not be given up because the way there took long. */
const ROLLBACK_WITHIN = minutes(15);
/** GitHub ends the post steps of a cancelled job after 5 minutes. */
const POST_HAS = minutes(4);

export const policiesOf = (set: SetWish): Policies => set;

export function deploy(
  request: DeployRequest,
  manifests: readonly Manifest[],
  context: Context,
  signal: AbortSignal,
): Promise<K8sResult> {
  const { tools, ref, run, process, release, onFollowing } = context;
  return deploySet(
    manifests,
    {
      ref,
      writer: { release, run, process },
      policies: policiesOf(request.set),
      timeout: request.timeout,
      rollbackWithin: ROLLBACK_WITHIN,
      onFailure: request.onFailure,
      onCancel: request.onCancel,
      onConflict: request.onConflict,
      onOutdated: request.onOutdated,
      ...(request.expectDiff === undefined ? {} : { expectDiff: request.expectDiff }),
      onFollowing,
      ...verifyBy(context),
    },
    tools,
    signal,
  );
}

export async function goBack(request: RollbackRequest, context: Context, signal: AbortSignal): Promise<K8sResult> {
  const { tools, ref, run, process, release, onFollowing } = context;
  return rollBackSet(
    {
      to: request.to,
      ref,
      writer: { release, run, process },
      timeout: request.timeout,
      rollbackWithin: ROLLBACK_WITHIN,
      onFailure: 'rollback',
      onConflict: request.onConflict,
      onFollowing,
      ...verifyBy(context),
    },
    tools,
    signal,
  );
}

/** Where a roll back would lead, and what it would do to get there. */
export async function planRollback(
  request: RollbackRequest,
  { tools, ref, run }: Context,
  signal: AbortSignal,
): Promise<{ readonly way: WayBack; readonly planned: Planned | undefined }> {
  const way = wayBackOf(await tools.store.list(signal), { ref, to: request.to, run });
  return { way, planned: way.kind === 'repeat' ? await planBack(way.record, ref, tools, signal) : undefined };
}

export const plan = (
  { set }: DeployRequest | DiffRequest,
  manifests: readonly Manifest[],
  { tools, ref }: Context,
  signal: AbortSignal,
): Promise<Planned> => planSet(manifests, { ref, policies: policiesOf(set) }, tools, signal);

/** The Roles that the set needs. Reads what the cluster serves, and nothing else. */
export async function rolesOf(
  { set }: DiffRequest,
  manifests: readonly Manifest[],
  { tools, ref }: Context,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const { intents } = await intentsOf(manifests, { ref, policies: policiesOf(set) }, tools, signal);
  const byKind = new Map(intents.map(({ object, resource }) => [`${object.apiVersion} ${object.kind}`, resource]));
  return rolesByMode(
    intents.map(({ object }) => object),
    {
      resourceOf: ({ apiVersion, kind }) => byKind.get(`${apiVersion} ${kind}`),
      served: await tools.cluster.resources(signal),
      app: ref.app,
      home: ref.namespace,
    },
  );
}

export const scale = (request: ScaleRequest, { tools, ref }: Context, signal: AbortSignal): Promise<K8sResult> =>
  scaleWorkload(scaleOf(request, ref, tools), tools, signal);

export async function planScale(request: ScaleRequest, { tools, ref }: Context, signal: AbortSignal): Promise<string> {
  return describeMove(await readScalable(scaleOf(request, ref, tools), tools, signal));
}

const scaleOf = ({ kind, name, wish, timeout }: ScaleRequest, ref: AppRef, { clock }: K8sTools) => ({
  ref,
  kind,
  name,
  wish,
  deadline: after(clock.now(), timeout),
});

export const lookAt = ({ tools, ref }: Context, signal: AbortSignal): Promise<AppStatus> =>
  statusOf(ref, tools, signal);

/** What `post` does about a deployment that its main left behind. */
export const undo = ({ tools, ref, run, process }: Context, signal: AbortSignal): Promise<K8sResult | undefined> =>
  undoUnfinished({ ref, run, process, within: POST_HAS }, tools, signal);

/** What `post` does about one that was to be left, and could not say so in its record. */
export const leave = ({ tools, ref, run, process }: Context, signal: AbortSignal): Promise<ReleaseRecord | undefined> =>
  leaveUnfinished({ ref, run, process, within: POST_HAS }, tools, signal);

export function backUp(
  { keep, dryRun }: BackupRequest,
  store: BackupStore,
  { tools, ref }: Context,
  signal: AbortSignal,
): Promise<BackupResult> {
  const write = dryRun === 'yes' ? 'no' : 'yes';
  return backUpNamespace({ namespace: ref.namespace, keep, write }, store, tools, signal);
}

export const planRestore = (
  { which }: RestoreRequest,
  store: BackupStore,
  { tools, ref }: Context,
  signal: AbortSignal,
): Promise<RestorePlan> => planRestoreOf({ ref, which }, store, tools, signal);

export const restore = (request: RestoreRequest, store: BackupStore, context: Context, signal: AbortSignal) =>
  restoreBackup(
    {
      ref: context.ref,
      run: context.run,
      process: context.process,
      which: request.which,
      deadline: after(context.tools.clock.now(), request.timeout),
      onConflict: request.onConflict,
      ...verifyBy(context),
    },
    store,
    context.tools,
    signal,
  );

function verifyBy(context: Context): { readonly verify?: (signal: AbortSignal) => Promise<Verification> } {
  const { checking } = context;
  return checking === undefined ? {} : { verify: (signal) => verifyRelease(checking, context.tools, signal) };
}
