import type { InputProblem } from '../../domain/inputs.ts';
import { KubeFailure } from '../../domain/kubernetes/failure.ts';
import { isOwnedBy } from '../../domain/kubernetes/home.ts';
import { APP_LABEL } from '../../domain/kubernetes/intent.ts';
import { type Ref, describeRef, isKept, keyOf, refOf } from '../../domain/kubernetes/object.ts';
import { type ReleaseRecord, madeSince, servingOf, standingObjects } from '../../domain/kubernetes/release-record.ts';
import { ACCESS_REVIEWS, type Resource, resourceFor } from '../../domain/kubernetes/resource.ts';
import { describeRight } from '../../domain/kubernetes/rights.ts';
import { accessReview, isAllowed } from '../../domain/kubernetes/rules-review.ts';
import { inParallel } from '../in-parallel.ts';
import type { HeldLease } from './lease.ts';
import type { Prepared } from './prepare.ts';
import { removeOne } from './put-back.ts';
import { AT_ONCE, type AppRef, type K8sTools, type ObjectResult, type Policies } from './rollout.ts';

export interface PruneWish {
  readonly ref: AppRef;
  readonly wanted: readonly Prepared[];
  readonly records: readonly ReleaseRecord[];
  readonly policies: Pick<Policies, 'prune' | 'pruneLimit'>;
  /** Of `mode: rollback`: the release that is gone back to. */
  readonly backTo?: ReleaseRecord;
}

/** What goes: of a way back what later releases made, of any other release what the set does not have any more. */
export async function prunable(
  { ref, wanted, records, policies, backTo }: PruneWish,
  { cluster }: Pick<K8sTools, 'cluster'>,
  signal: AbortSignal,
): Promise<readonly Ref[]> {
  if (policies.prune === 'none') return [];
  const kept = new Set(wanted.map(({ object }) => keyOf(refOf(object))));
  const found =
    backTo === undefined
      ? await leftOver({ ref, wanted, records }, { cluster }, signal)
      : await standingOf(madeSince(records, backTo), ref, { cluster }, signal);
  return [...new Map(found.map((each) => [keyOf(each), each])).values()].filter((each) => !kept.has(keyOf(each)));
}

/** Those that are there and ours. Read one by one: they are few, and a kind may be listed in fewer namespaces than it lies in. */
async function standingOf(
  refs: readonly Ref[],
  ref: AppRef,
  { cluster }: Pick<K8sTools, 'cluster'>,
  signal: AbortSignal,
): Promise<readonly Ref[]> {
  const served = await cluster.resources(signal);
  const found = await inParallel(refs, AT_ONCE, async (each) => {
    const resource = resourceFor(each, served);
    if (resource === undefined || isKept(each)) return [];
    const live = await cluster.get(resource, each, signal);
    const goes =
      live !== undefined && live.metadata.deletionTimestamp === undefined && isOwnedBy(live, ref, () => true);
    return goes ? [each] : [];
  });
  return found.flat();
}

/**
 * What the releases of this namespace made and is not in the set any more: of the kinds and namespaces that this set and those
 * that stand had, and of no other (kubectl's own prune reached other namespaces, kubernetes/kubernetes#108161).
 */
async function leftOver(
  { ref, wanted, records }: Pick<PruneWish, 'ref' | 'wanted' | 'records'>,
  { cluster }: Pick<K8sTools, 'cluster'>,
  signal: AbortSignal,
): Promise<readonly Ref[]> {
  const served = await cluster.resources(signal);
  const before = standingObjects(records);
  const recorded = new Set(records.flatMap(({ objects }) => objects.map((object) => keyOf(refOf(object)))));
  const scopes = new Map<string, { readonly resource: Resource; readonly namespace: string | undefined }>();
  for (const object of [...before, ...wanted.map((each) => each.object)]) {
    const resource = resourceFor(object, served);
    const { namespace } = object.metadata;
    // Secrets may not be listed; those of the record are looked at by name.
    if (resource === undefined || isKept(object) || object.kind === 'Secret') continue;
    scopes.set(`${resource.apiVersion} ${resource.kind} ${namespace ?? ''}`, { resource, namespace });
  }
  const listed = await inParallel([...scopes.values()], AT_ONCE, async ({ resource, namespace }) => {
    try {
      return (await cluster.list(resource, { namespace, labels: `${APP_LABEL}=${ref.app}` }, signal)).items;
    } catch (thrown) {
      // A definition that went with its objects.
      if (thrown instanceof KubeFailure && thrown.kind === 'not-found') return [];
      throw thrown;
    }
  });
  const secrets = before.filter(({ kind }) => kind === 'Secret').map(refOf);
  const owned = listed
    .flat()
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .filter((object) => isOwnedBy(object, ref, (each) => recorded.has(keyOf(refOf(each)))))
    .map(refOf);
  return [...owned, ...secrets];
}

/** Up to this limit the share of the set counts too. Who gives a larger one has said how many. */
const SHARE_COUNTS_TO = 10;
const LARGEST_SHARE = 0.3;
const FEW = 3;

/** A set that lost a folder by mistake must not empty a namespace. */
export function overPruneLimit(
  goes: readonly Ref[],
  { before, limit }: { readonly before: number; readonly limit: number | 'none' },
): readonly InputProblem[] {
  if (limit === 'none') return [];
  const share = limit <= SHARE_COUNTS_TO && before > 0 && goes.length > FEW && goes.length > before * LARGEST_SHARE;
  if (goes.length <= limit && !share) return [];
  const named = `${goes.slice(0, 10).map(describeRef).join(', ')}${goes.length > 10 ? ` and ${goes.length - 10} more` : ''}`;
  const enough = Math.max(goes.length, share ? SHARE_COUNTS_TO + 1 : 0);
  return [
    {
      input: 'prune-limit',
      given: String(limit),
      problem: `bars that ${goes.length} of ${before} objects go${goes.length <= limit ? ', which is more than 30 % of the set' : ''}: ${named}`,
      accepted: `prune-limit: ${enough} where that is meant, a set that still has them, or prune: none`,
    },
  ];
}

/** What goes, or what stands against it: asked before the first write, because a release whose last step is barred goes back. */
export async function planPruning(
  wish: PruneWish,
  { cluster }: Pick<K8sTools, 'cluster'>,
  signal: AbortSignal,
): Promise<{ readonly goes: readonly Ref[]; readonly problems: readonly InputProblem[] }> {
  const goes = await prunable(wish, { cluster }, signal);
  const before = servingOf(wish.records)?.objects.length ?? 0;
  const tooMany = overPruneLimit(goes, { before, limit: wish.policies.pruneLimit });
  const served = await cluster.resources(signal);
  const barred = await inParallel(goes, AT_ONCE, async (each): Promise<readonly InputProblem[]> => {
    const resource = resourceFor(each, served);
    if (resource === undefined) return [];
    const { name, namespace } = each;
    const where = namespace === undefined ? { name } : { name, namespace };
    const why = 'takes away what is not in the set any more';
    const right = { group: resource.group, resource: resource.plural, verb: 'delete', ...where, why };
    const answer = await cluster.create(ACCESS_REVIEWS, accessReview(right), signal);
    const problem = `is missing: it ${why}`;
    return isAllowed(answer)
      ? []
      : [{ input: 'rights', given: describeRight(right), problem, accepted: 'the right, or prune: none' }];
  });
  return { goes, problems: [...tooMany, ...barred.flat()] };
}

export async function prune(
  { lease, ...wish }: PruneWish & { readonly lease: HeldLease },
  tools: K8sTools,
  signal: AbortSignal,
): Promise<readonly ObjectResult[]> {
  const goes = await prunable(wish, tools, signal);
  const lines: string[] = [];
  const going = { ref: wish.ref, lines, lease };
  const removed = await inParallel(goes, AT_ONCE, (each) => removeOne(each, going, tools, signal));
  for (const line of lines) tools.log.info(line);
  return removed.flat().map((each) => ({ ...each, done: 'pruned' as const }));
}
