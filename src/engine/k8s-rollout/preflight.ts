import type { InputProblem } from '../../domain/inputs.ts';
import { type Growth, budgetDeadlocks, quotaProblems, quotaWarnings } from '../../domain/kubernetes/capacity.ts';
import { KubeFailure } from '../../domain/kubernetes/failure.ts';
import { type Intent, managerOf } from '../../domain/kubernetes/intent.ts';
import { type Manifest, placeOf } from '../../domain/kubernetes/manifest.ts';
import { type KubeObject, describeObject, describeRef } from '../../domain/kubernetes/object.ts';
import { countLetGo } from '../../domain/kubernetes/ownership.ts';
import { staysPaused } from '../../domain/kubernetes/paused.ts';
import { hideKeyOf } from '../../domain/kubernetes/release-record.ts';
import { referencesOutside } from '../../domain/kubernetes/references.ts';
import {
  ACCESS_REVIEWS,
  AUTOSCALERS,
  QUOTAS,
  RULES_REVIEWS,
  type Resource,
  resourceFor,
} from '../../domain/kubernetes/resource.ts';
import { accessReview, allows, isAllowed, rulesReview } from '../../domain/kubernetes/rules-review.ts';
import { type Right, describeRight, rightsFor } from '../../domain/kubernetes/rights.ts';
import { makesPods } from '../../domain/kubernetes/readiness.ts';
import { inParallel } from '../in-parallel.ts';
import { intentsOf } from './intents.ts';
import { type Prepared, hideBy, tryAll } from './prepare.ts';
import { AT_ONCE, type AppRef, type K8sTools, type Policies } from './rollout.ts';

export interface Preflight {
  readonly prepared: readonly Prepared[];
  /** Everything that stands against it, at once. */
  readonly problems: readonly InputProblem[];
  readonly warnings: readonly string[];
}

export interface PreflightWish {
  readonly ref: AppRef;
  readonly policies: Policies;
}

type PreflightTools = Pick<K8sTools, 'cluster' | 'sha256' | 'hmac' | 'store' | 'log'>;

/** All that can be known before the first write. Reads and dry runs only. */
export async function preflight(
  manifests: readonly Manifest[],
  wish: PreflightWish,
  tools: PreflightTools,
  signal: AbortSignal,
): Promise<Preflight> {
  const { intents, problems } = await intentsOf(manifests, wish, tools, signal);
  const missing = await missingRights(intents, wish.ref, tools, signal);
  if (missing.length > 0) {
    const rights = missing.map((right) => ({
      input: 'rights',
      given: describeRight(right),
      problem: `is missing: it ${right.why}`,
    }));
    return { prepared: [], problems: [...problems, ...rights], warnings: [] };
  }
  const completed = intents.map(({ manifest, object }) => ({ ...manifest, object }));
  const namespaces = [...new Set(intents.flatMap(({ object }) => object.metadata.namespace ?? []))];
  const scalers = await listWhereAllowed(AUTOSCALERS, namespaces, tools, signal);
  const autoscalers = scalers.flatMap((each) => each ?? []);
  const hide = hideBy(hideKeyOf(await tools.store.list(signal)), tools);
  const [tried, absent, quotas] = await Promise.all([
    tryAll(intents, { ...wish, autoscalers, hide }, tools, signal),
    absentReferences(completed, tools, signal),
    listWhereAllowed(QUOTAS, namespaces, tools, signal),
  ]);
  const room = roomFor(tried.prepared, { namespaces, quotas });
  const unseen = new Set(namespaces.filter((_, index) => scalers[index] === undefined));
  const budgets = intents.map(({ object }) => object).filter(({ kind }) => kind === 'PodDisruptionBudget');
  return {
    prepared: tried.prepared,
    problems: [...problems, ...absent.problems, ...tried.problems, ...pausedAmong(tried.prepared), ...room.problems],
    warnings: [
      ...absent.warnings,
      ...room.warnings,
      ...countsAtRisk(tried.prepared, { unseen, ref: wish.ref }),
      ...budgetDeadlocks(budgets, growthOf(tried.prepared)),
    ],
  };
}

/** What quotas leave for those that are rolled out. */
function roomFor(
  prepared: readonly Prepared[],
  { namespaces, quotas }: { readonly namespaces: readonly string[]; readonly quotas: Listed },
): Pick<Preflight, 'problems' | 'warnings'> {
  const rolled = growthOf(prepared.filter(({ change }) => change.kind !== 'unchanged'));
  const growing = namespaces.map((namespace, index) => ({
    namespace,
    quotas: quotas[index] ?? [],
    own: rolled.filter(({ workload }) => workload.metadata.namespace === namespace),
  }));
  const problems = growing.flatMap(({ namespace, quotas: all, own }) =>
    quotaProblems(all, own).map((problem) => ({ input: `namespace ${namespace}`, problem })),
  );
  const warnings = growing.flatMap(({ namespace, quotas: all, own }) =>
    quotaWarnings(all, own).map((warning) => `namespace ${namespace}: ${warning}`),
  );
  return { problems, warnings };
}

const growthOf = (prepared: readonly Prepared[]): readonly Growth[] =>
  prepared.filter(({ object }) => makesPods(object)).map(({ object, live }) => ({ workload: object, live }));

const pausedAmong = (prepared: readonly Prepared[]): readonly InputProblem[] =>
  prepared
    .filter(({ object, live, change }) => staysPaused(object, live, change))
    .map(({ object, manifest }) => ({
      input: placeOf(manifest.origin),
      given: describeObject(object),
      problem: 'is paused, so nothing of it would be rolled out',
      accepted: `kubectl rollout resume deployment/${object.metadata.name}, or paused: false in the manifest`,
    }));

/** A count that a manifest has no more falls to one pod, unless an autoscaler is seen to rule it. */
export function countsAtRisk(
  prepared: readonly Pick<Prepared, 'object' | 'live' | 'scaled'>[],
  { unseen, ref }: { readonly unseen: ReadonlySet<string>; readonly ref: AppRef },
): readonly string[] {
  return prepared.flatMap(({ object, live, scaled }) => {
    const { namespace = '' } = object.metadata;
    const asks = live !== undefined && scaled === undefined && unseen.has(namespace);
    const count = asks ? countLetGo(object, live, managerOf(ref.app)) : undefined;
    if (count === undefined || count <= 1) return [];
    return [
      `${describeObject(object)} falls from ${count} pods to 1: its manifest has no replicas any more, and whether an autoscaler rules them is not known (list horizontalpodautoscalers.autoscaling is missing in namespace ${namespace}). Grant the right, which mode: rbac prints, or write replicas`,
    ];
  });
}

/** By namespace; undefined: the right to look at them is missing, so nothing is known, which is no reason to stop. */
type Listed = readonly (readonly KubeObject[] | undefined)[];

async function listWhereAllowed(
  resource: Resource,
  namespaces: readonly string[],
  { cluster, log }: PreflightTools,
  signal: AbortSignal,
): Promise<Listed> {
  return inParallel(namespaces, AT_ONCE, async (namespace) => {
    try {
      return (await cluster.list(resource, { namespace }, signal)).items;
    } catch (thrown) {
      if (!(thrown instanceof KubeFailure) || thrown.kind !== 'access-denied') throw thrown;
      log.debug(`${resource.plural} in ${namespace} may not be listed: not looked at`);
      return undefined;
    }
  });
}

async function absentReferences(
  manifests: readonly Manifest[],
  { cluster, log }: PreflightTools,
  signal: AbortSignal,
): Promise<Pick<Preflight, 'problems' | 'warnings'>> {
  const served = await cluster.resources(signal);
  const warnings: string[] = [];
  const found = await inParallel(referencesOutside(manifests), AT_ONCE, async ({ ref, by, at, missing }) => {
    const resource = resourceFor(ref, served);
    if (resource === undefined) return [];
    try {
      if ((await cluster.get(resource, ref, signal)) !== undefined) return [];
    } catch (thrown) {
      if (!(thrown instanceof KubeFailure) || thrown.kind !== 'access-denied') throw thrown;
      log.warning(`${describeRef(ref)} may not be read, so nobody knows whether it is there (${by})`);
      return [];
    }
    const problem = `names ${describeRef(ref)}, which is neither in the set nor in the cluster`;
    if (missing === 'comes') {
      warnings.push(`${at}: ${by} ${problem} yet: somebody has to make it, or it is missing for good`);
      return [];
    }
    return [{ input: at, given: by, problem, accepted: 'make it first, or put it into the set' }];
  });
  return { problems: found.flat(), warnings };
}

/** Asked in one review per namespace; what that one does not prove is asked for by itself. */
export async function missingRights(
  intents: readonly Intent[],
  ref: AppRef,
  { cluster }: Pick<K8sTools, 'cluster'>,
  signal: AbortSignal,
): Promise<readonly Right[]> {
  const byKind = new Map(intents.map(({ object, resource }) => [`${object.apiVersion} ${object.kind}`, resource]));
  const rights = rightsFor(
    intents.map(({ object }) => object),
    { resourceOf: ({ apiVersion, kind }) => byKind.get(`${apiVersion} ${kind}`), app: ref.app, home: ref.namespace },
  );
  const namespaces = [...new Set(rights.flatMap(({ namespace }) => namespace ?? []))];
  const reviews = new Map(
    await inParallel(namespaces, AT_ONCE, async (namespace) => {
      return [namespace, await cluster.create(RULES_REVIEWS, rulesReview(namespace), signal)] as const;
    }),
  );
  const unproven = rights.filter((right) => {
    const review = right.namespace === undefined ? undefined : reviews.get(right.namespace);
    return review === undefined || allows(review, right) === 'unknown';
  });
  const answers = await inParallel(unproven, AT_ONCE, (right) =>
    cluster.create(ACCESS_REVIEWS, accessReview(right), signal),
  );
  return unproven.filter((_, index) => !isAllowed(answers[index] as KubeObject));
}

export const describeProblems = (problems: readonly InputProblem[]): readonly string[] =>
  problems.map(({ input, given, problem, accepted }) =>
    [`${input}: ${given === undefined ? '' : `${given} `}${problem}`, accepted].filter(Boolean).join('. Accepted: '),
  );

export const atLine = (problem: InputProblem): { readonly file: string; readonly line: number } | undefined => {
  const [, file, line] = /^(.+\.(?:ya?ml|json)):(\d+)$/.exec(problem.input) ?? [];
  return file === undefined || line === undefined ? undefined : { file, line: Number(line) };
};
