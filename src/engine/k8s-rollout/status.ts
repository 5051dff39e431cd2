import { differenceFrom } from '../../domain/kubernetes/as-intended.ts';
import { KubeFailure } from '../../domain/kubernetes/failure.ts';
import { managerOf } from '../../domain/kubernetes/intent.ts';
import { type KubeObject, refOf } from '../../domain/kubernetes/object.ts';
import { type Readiness, makesPods, readinessOf } from '../../domain/kubernetes/readiness.ts';
import {
  type ReleaseRecord,
  leftStanding,
  newestFirst,
  servingOf,
  unfinishedOf,
} from '../../domain/kubernetes/release-record.ts';
import { LEASES, leaseName, resourceFor } from '../../domain/kubernetes/resource.ts';
import { inParallel } from '../in-parallel.ts';
import { freshHolder } from './lease.ts';
import { AT_ONCE, type AppRef, type K8sTools } from './rollout.ts';

export interface ObjectStatus {
  readonly object: KubeObject;
  readonly live: KubeObject | undefined;
  readonly state: Readiness | { readonly kind: 'missing' };
  /** How it differs from what was released; absent: it does not. */
  readonly differs?: string;
}

export interface AppStatus {
  readonly serving: ReleaseRecord | undefined;
  readonly unfinished: ReleaseRecord | undefined;
  /** Stands and is not good. */
  readonly left: ReleaseRecord | undefined;
  /** Whether the run of the unfinished one still holds the lease. */
  readonly answers: 'yes' | 'no' | 'unknown';
  readonly records: readonly ReleaseRecord[];
  readonly objects: readonly ObjectStatus[];
}

/** Reads only. */
export async function statusOf(ref: AppRef, tools: K8sTools, signal: AbortSignal): Promise<AppStatus> {
  const { cluster, store, clock } = tools;
  const records = await store.list(signal);
  const serving = servingOf(records);
  const unfinished = unfinishedOf(records);
  const left = leftStanding(records);
  const served = await cluster.resources(signal);
  // Of a first release that did not come up: what stands of it is all that there is.
  const shown = serving ?? unfinished ?? left;
  const objects = await inParallel(shown?.objects ?? [], AT_ONCE, async (object): Promise<ObjectStatus> => {
    const resource = resourceFor(object, served);
    const live = resource === undefined ? undefined : await cluster.get(resource, refOf(object), signal);
    const state =
      live === undefined
        ? ({ kind: 'missing' } as const)
        : readinessOf(live, { generation: live.metadata.generation, now: clock.now() });
    const differs =
      live === undefined || serving === undefined ? undefined : differenceFrom(object, live, managerOf(ref.app));
    return { object, live, state, ...(differs === undefined ? {} : { differs }) };
  });
  const answers = unfinished === undefined ? 'unknown' : await isAlive(unfinished, ref, tools, signal);
  return { serving, unfinished, left, answers, records: newestFirst(records), objects };
}

async function isAlive(
  { run, process }: ReleaseRecord,
  { app, namespace }: AppRef,
  { cluster, clock }: K8sTools,
  signal: AbortSignal,
): Promise<AppStatus['answers']> {
  try {
    const lease = await cluster.get(LEASES, { namespace, name: leaseName(app) }, signal);
    const holder = freshHolder(lease, undefined, clock.now());
    return holder?.run === run && holder.process === process ? 'yes' : 'no';
  } catch (thrown) {
    if (!(thrown instanceof KubeFailure) || thrown.kind !== 'access-denied') throw thrown;
    return 'unknown';
  }
}

/** Those with replicas, for people. */
export const workloadsIn = (objects: readonly KubeObject[]): readonly KubeObject[] => objects.filter(makesPods);
