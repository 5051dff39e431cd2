import type { InputProblem } from '../../domain/inputs.ts';
import { messageOf } from '../../domain/failure.ts';
import { type Hide, type ObjectChange, changesBetween, createdBy } from '../../domain/kubernetes/diff.ts';
import { KubeFailure, changesImmutable } from '../../domain/kubernetes/failure.ts';
import { otherHomeOf } from '../../domain/kubernetes/home.ts';
import { unpinned } from '../../domain/kubernetes/image-rules.ts';
import {
  APP_LABEL,
  type Completion,
  type Intent,
  completeObject,
  managerOf,
  scaledBy,
  withConfigHash,
  withHome,
} from '../../domain/kubernetes/intent.ts';
import { type Manifest, duplicates, placeOf } from '../../domain/kubernetes/manifest.ts';
import { type KubeObject, describeObject, fieldAt, isFields, keyOf, refOf } from '../../domain/kubernetes/object.ts';
import {
  type FieldConflict,
  conflictsOf,
  imagesAmong,
  judgeConflicts,
  takeOver,
  without,
} from '../../domain/kubernetes/ownership.ts';
import { RECORD_TYPE } from '../../domain/kubernetes/release-record.ts';
import { BOUNDS_ANNOTATION } from '../../domain/kubernetes/scaling.ts';
import { whyNotServed } from '../../domain/kubernetes/removed-apis.ts';
import { type Resource, resourceFor, resourcesDefinedBy } from '../../domain/kubernetes/resource.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { mayPass } from '../../domain/retry-policy.ts';
import { inParallel } from '../in-parallel.ts';
import { AT_ONCE, type AppRef, type K8sTools, type Policies } from './rollout.ts';

/** One object with what is known of it before the first write. */
export interface Prepared extends Intent {
  /** As it stands in the cluster; absent: there is none. */
  readonly live: KubeObject | undefined;
  readonly change: ObjectChange;
  readonly said: readonly string[];
}

export interface Preparation {
  readonly prepared: readonly Prepared[];
  readonly problems: readonly InputProblem[];
}

/** Completes the set. Kinds that the server does not serve, and that the set does not define, are problems. */
export async function intentsOf(
  manifests: readonly Manifest[],
  { ref, policies }: { readonly ref: AppRef; readonly policies: Policies },
  { cluster, sha256 }: Pick<K8sTools, 'cluster' | 'sha256'>,
  signal: AbortSignal,
): Promise<{ readonly intents: readonly Intent[]; readonly problems: readonly InputProblem[] }> {
  const served = await cluster.resources(signal);
  const defined = resourcesDefinedBy(manifests.map(({ object }) => object));
  const completion: Completion = { ...ref, restartOnConfig: policies.restartOnConfig, sha256 };
  const problems: InputProblem[] = policies.requireDigest === 'yes' ? [...unpinned(manifests)] : [];
  const intents = manifests.flatMap((manifest): readonly Intent[] => {
    const { object, origin } = manifest;
    const resource = resourceFor(object, served) ?? resourceFor(object, defined);
    if (resource !== undefined) return [{ manifest, resource, object: completeObject(object, resource, completion) }];
    problems.push({
      input: placeOf(origin),
      given: `${object.apiVersion} ${object.kind}`,
      problem: `(${object.metadata.name}) is not served by this cluster: ${whyNotServed(object.apiVersion, object.kind, served)}`,
    });
    return [];
  });
  const all = intents.map(({ object }) => object);
  // Once with its namespace and once without is twice the same.
  problems.push(...duplicates(intents.map(({ manifest: { origin }, object }) => ({ origin, object }))));
  problems.push(...intents.flatMap(({ manifest: { origin }, object }) => keptBySluice(object, placeOf(origin))));
  return {
    intents: intents.map((intent) => ({ ...intent, object: withConfigHash(intent.object, all, completion) })),
    problems,
  };
}

/** The record and the lease are no objects of a set: applied with it they would rule over the release that applies them. */
function keptBySluice(object: KubeObject, input: string): readonly InputProblem[] {
  const { kind, metadata } = object;
  const isRecord = kind === 'Secret' && (object['type'] === RECORD_TYPE || /^sluice\..+\.v\d+$/.test(metadata.name));
  const isLease = kind === 'Lease' && metadata.name.startsWith('sluice-');
  const problem = 'is kept by Sluice itself, and no object of a set';
  return isRecord || isLease ? [{ input, given: describeObject(object), problem }] : [];
}

/**
 * What stands for a value in a plan. The key is kept in the records, which are Secrets: who has the log and the manifests
 * cannot try values against the hash. Without a key (no release yet) a hash could be guessed: nothing of a secret is said.
 */
export function hideBy(key: string | undefined, { hmac, sha256 }: Pick<K8sTools, 'hmac' | 'sha256'>): Hide {
  if (key !== undefined) return (value) => `hmac:${hmac(key, value).slice(0, 16)}`;
  return (value, what) => (what === 'secret' ? '(hidden)' : `sha256:${sha256(value).slice(0, 16)}`);
}

interface TryContext {
  readonly ref: AppRef;
  readonly policies: Policies;
  readonly hide: Hide;
  /** Keys of workloads that an autoscaler scales. */
  readonly scaled: ReadonlySet<string>;
  readonly missingNamespaces: ReadonlySet<string>;
}

/** Reads what is there and lets the server try every object: what would change, and what it would refuse. */
export async function tryAll(
  intents: readonly Intent[],
  {
    ref,
    policies,
    autoscalers,
    hide,
  }: Pick<TryContext, 'ref' | 'policies' | 'hide'> & { readonly autoscalers: readonly KubeObject[] },
  tools: Pick<K8sTools, 'cluster'>,
  signal: AbortSignal,
): Promise<Preparation> {
  const objects = intents.map(({ object }) => object);
  const own = objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject');
  const scaled = new Set([...own, ...autoscalers].flatMap((each) => scaledBy(each) ?? []));
  const problems: InputProblem[] = [];
  const live = await inParallel(intents, AT_ONCE, async ({ resource, object }) =>
    resource.verbs.length === 0 ? undefined : tools.cluster.get(resource, object.metadata, signal),
  );
  const missingNamespaces = new Set(
    intents.flatMap(({ object }, index) =>
      object.kind === 'Namespace' && live[index] === undefined ? [object.metadata.name] : [],
    ),
  );
  const context: TryContext = { ref, policies, hide, scaled, missingNamespaces };
  const indexes = intents.map((_, index) => index);
  const prepared = await inParallel(indexes, AT_ONCE, async (index) => {
    const intent = intents[index] as Intent;
    return tryOne(intent, live[index], { context, problems }, { ...tools, signal });
  });
  return { prepared, problems };
}

async function tryOne(
  intent: Intent,
  live: KubeObject | undefined,
  { context, problems }: { readonly context: TryContext; readonly problems: InputProblem[] },
  { cluster, signal }: Pick<K8sTools, 'cluster'> & { readonly signal: AbortSignal },
): Promise<Prepared> {
  const { resource, manifest } = intent;
  const { hide, policies, ref } = context;
  const said: string[] = [];
  const refuse = (problem: string, accepted?: string): void => {
    const given = describeObject(intent.object);
    problems.push({ input: placeOf(manifest.origin), given, problem, ...(accepted === undefined ? {} : { accepted }) });
  };
  const done = (object: KubeObject, change: ObjectChange): Prepared => ({ ...intent, object, live, change, said });
  const unknown = resource.verbs.length === 0 || context.missingNamespaces.has(intent.object.metadata.namespace ?? '');
  if (unknown) return done(intent.object, createdBy(intent.object, 'manifest', hide));
  let object = atItsHome(intent.object, { live, ref, policies, said });
  for (let attempt = 1; ; attempt++) {
    try {
      const takes = policies.conflicts === 'force' || attempt > 3 ? 'take' : 'refuse';
      const wish = { manager: managerOf(ref.app), conflicts: takes, dryRun: 'yes' } as const;
      const tried = await cluster.apply(resource, object, wish, signal);
      return done(object, changeOf(live, tried.object, object, hide));
    } catch (thrown) {
      const conflicts = thrown instanceof KubeFailure ? conflictsOf(thrown.status?.causes ?? []) : [];
      if (conflicts.length > 0) {
        const { yielded, left } = judgeOwnership(object, conflicts, { context, live });
        const given = without(object, yielded);
        // What is not found in the intent cannot be given up.
        const verdict = given === object ? { yielded: [], left: [...left, ...yielded] } : { yielded, left };
        if (verdict.left.length > 0) {
          const owner = live?.metadata.labels?.[APP_LABEL];
          if (owner !== undefined && owner !== ref.app) {
            refuse(
              `belongs to the app ${owner}, which applies it too`,
              `another name, one set for both, or field-conflicts: force, which takes it from ${owner}`,
            );
            return done(object, changeOf(live, live ?? object, object, hide));
          }
          const table = verdict.left.map(({ manager, field }) => `${field} (${manager})`).join(', ');
          refuse(
            `has fields that others own: ${table}`,
            'take the fields out of the manifest, or set field-conflicts to force (they become ours) or yield (they stay theirs)',
          );
          return done(object, changeOf(live, live ?? object, object, hide));
        }
        const image = imageGivenUp(verdict.yielded, policies);
        if (image !== undefined) {
          refuse(image, 'field-conflicts: force, or take the image out of the manifest');
          return done(object, changeOf(live, live ?? object, object, hide));
        }
        if (verdict.yielded.length > 0) {
          said.push(...verdict.yielded.map(({ manager, field }) => `${field} is left to ${manager}`));
          object = given;
        }
        // What is left is ours by another name, or is taken over before the first apply.
        if (verdict.yielded.length === 0) attempt = 3;
        continue;
      }
      return judgeRefusal({ thrown, object, live, done, refuse, hide, policies });
    }
  }
}

/** Two namespaces that release one object (a role of the cluster): it stays of the first, so that the other never deletes it. */
function atItsHome(
  object: KubeObject,
  {
    live,
    ref,
    policies,
    said,
  }: Pick<TryContext, 'ref' | 'policies'> & { readonly live: KubeObject | undefined; readonly said: string[] },
): KubeObject {
  const home = live === undefined || policies.conflicts === 'force' ? undefined : otherHomeOf(live, ref);
  if (home === undefined) return object;
  said.push(`is of the releases of ${ref.app} in namespace ${home} too, and stays theirs to delete`);
  return withHome(object, home);
}

/** A way back gives nothing up for it: what others run now stays theirs, and it is said. */
function imageGivenUp(yielded: readonly FieldConflict[], { pruneLimit }: Policies): string | undefined {
  const [image] = imagesAmong(yielded);
  return image === undefined || pruneLimit === 'none'
    ? undefined
    : `would leave its image to ${image.manager} (${image.field}): it would be called released, and another one would run`;
}

function judgeOwnership(
  object: KubeObject,
  conflicts: ReturnType<typeof conflictsOf>,
  { context, live }: { readonly context: TryContext; readonly live: KubeObject | undefined },
) {
  const scaled = context.scaled.has(keyOf(refOf(object))) ? 'by-autoscaler' : 'by-hand';
  // What a client-side apply owns is taken over before the first apply of ours.
  const taken = live !== undefined && takeOver(live, managerOf(context.ref.app)) !== undefined;
  const others = conflicts.filter(({ manager }) => !(taken && /^kubectl/.test(manager)));
  const held = live?.metadata.annotations?.[BOUNDS_ANNOTATION] === undefined ? 'no' : 'yes';
  return judgeConflicts(others, { policy: context.policies.conflicts, scaled, held });
}

function changeOf(live: KubeObject | undefined, tried: KubeObject, object: KubeObject, hide: Hide): ObjectChange {
  if (live === undefined) return createdBy(object, 'server', hide);
  const changes = changesBetween(live, tried, hide);
  return { ref: refOf(object), kind: changes.length === 0 ? 'unchanged' : 'change', changes, basis: 'server' };
}

interface Refused {
  readonly thrown: unknown;
  readonly object: KubeObject;
  readonly live: KubeObject | undefined;
  readonly hide: Hide;
  readonly policies: Policies;
  done(object: KubeObject, change: ObjectChange): Prepared;
  refuse(problem: string, accepted?: string): void;
}

/** What the server will not try, and what it will not take. */
function judgeRefusal({ thrown, object, live, hide, policies, done, refuse }: Refused): Prepared {
  if (!(thrown instanceof KubeFailure) || thrown.status === undefined) throw thrown;
  const { status } = thrown;
  const byManifest = (): Prepared =>
    live === undefined
      ? done(object, createdBy(object, 'manifest', hide))
      : done(object, { ...changeOf(live, merged(live, object), object, hide), basis: 'manifest' });
  if (/does not support dry run/i.test(status.message)) return byManifest();
  if (status.code === 422 && live !== undefined && changesImmutable(status.message)) {
    const { kind } = object;
    if (policies.replace.includes(kind))
      return done(object, { ...createdBy(object, 'manifest', hide), kind: 'replace' });
    refuse(
      `changes what cannot be changed: ${masked(status.message, object)}`,
      `replace: ${kind} deletes it and makes it again`,
    );
    return byManifest();
  }
  if (thrown.kind === 'expired-token' || mayPass(thrown.kind)) throw thrown;
  refuse(`is refused by the server: ${masked(status.message || messageOf(thrown), object)}`);
  return byManifest();
}

/** Refusals repeat the values that they refuse, some as Go prints them. */
export function masked(said: string, object: KubeObject): string {
  const message = said.replaceAll(/&value\.valueUnstructured\{Value:(.*?)\}/g, '$1');
  if (object.kind !== 'Secret') return message;
  const data = fieldAt(object, 'data');
  return Object.values(isFields(data) ? data : {}).reduce<string>(
    (text, value) => (String(value) === '' ? text : text.replaceAll(String(value), '***')),
    message,
  );
}

function merged(live: unknown, wanted: unknown): KubeObject {
  if (!isFields(live) || !isFields(wanted)) return wanted as KubeObject;
  const keys = [...new Set([...Object.keys(live), ...Object.keys(wanted)])];
  return Object.fromEntries(
    keys.map((key) => [key, key in wanted ? merged(live[key], wanted[key]) : live[key]]),
  ) as unknown as KubeObject;
}

/** Resources by kind, for what a record holds. */
export const resourceOf =
  (served: readonly Resource[]) =>
  (object: Pick<KubeObject, 'apiVersion' | 'kind'>): Resource | undefined =>
    resourceFor(object, served);

/** What a release is known by: a re-run of the same intent goes on where this one stopped. */
export const digestOf = (objects: readonly unknown[], { sha256 }: Pick<K8sTools, 'sha256'>): string =>
  sha256(canonicalJson(objects.map((object) => JSON.parse(JSON.stringify(object)) as unknown)));
