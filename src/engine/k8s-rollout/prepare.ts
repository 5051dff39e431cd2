import type { InputProblem } from '../../domain/inputs.ts';
import { messageOf } from '../../domain/failure.ts';
import { type Hide, type ObjectChange, changesBetween, createdBy } from '../../domain/kubernetes/diff.ts';
import { KubeFailure, changesImmutable } from '../../domain/kubernetes/failure.ts';
import { otherHomeOf } from '../../domain/kubernetes/home.ts';
import { APP_LABEL, type Intent, managerOf, scaledAmong, withHome } from '../../domain/kubernetes/intent.ts';
import { placeOf } from '../../domain/kubernetes/manifest.ts';
import {
  type KubeObject,
  describeObject,
  describeRef,
  fieldAt,
  isFields,
  isKept,
  keyOf,
  refOf,
  withField,
} from '../../domain/kubernetes/object.ts';
import {
  type ConflictVerdict,
  conflictsOf,
  countLetGo,
  endRolling,
  imageGivenUp,
  judgeConflicts,
  settledWords,
  without,
  withoutRuledCount,
} from '../../domain/kubernetes/ownership.ts';
import { refusedBySchema } from '../../domain/kubernetes/schema-refusal.ts';
import { type Resource, resourceFor, resourcesDefinedBy } from '../../domain/kubernetes/resource.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { isRole, missesRole, roleOf } from '../../domain/kubernetes/role-binding.ts';
import { mayPass } from '../../domain/retry-policy.ts';
import { inParallel } from '../in-parallel.ts';
import { type ToApply, standOf } from './apply.ts';
import { AT_ONCE, type AppRef, type K8sTools, type Policies, isWayBack } from './rollout.ts';
import { tryTakeOver } from './take-over.ts';

/** One object with what is known of it before the first write. */
export interface Prepared extends Intent, Pick<ToApply, 'scaled' | 'schema'> {
  /** As it stands in the cluster; absent: there is none. */
  readonly live: KubeObject | undefined;
  readonly change: ObjectChange;
  readonly said: readonly string[];
}

export interface Preparation {
  readonly prepared: readonly Prepared[];
  readonly problems: readonly InputProblem[];
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
  /** Keys of the roles that come into being with this set. */
  readonly newRoles: ReadonlySet<string>;
  /** Kinds whose definition this set changes. */
  readonly changing: readonly Pick<Resource, 'group' | 'kind'>[];
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
  const scaled = scaledAmong([...objects, ...autoscalers]);
  const problems: InputProblem[] = [];
  const live = await inParallel(intents, AT_ONCE, async ({ resource, object }) =>
    resource.verbs.length === 0 ? undefined : tools.cluster.get(resource, object.metadata, signal),
  );
  const missingNamespaces = new Set(
    intents.flatMap(({ object }, index) =>
      object.kind === 'Namespace' && live[index] === undefined ? [object.metadata.name] : [],
    ),
  );
  const newRoles = new Set(
    objects.flatMap((object, index) => (isRole(object) && live[index] === undefined ? [keyOf(refOf(object))] : [])),
  );
  const tryThese = async (which: readonly number[], changing: TryContext['changing']) =>
    inParallel(which, AT_ONCE, async (index): Promise<readonly [number, Prepared]> => {
      const context: TryContext = { ref, policies, hide, scaled, missingNamespaces, newRoles, changing };
      const intent = intents[index] as Intent;
      return [index, await tryOne(intent, live[index], { context, problems }, { ...tools, signal })];
    });
  const indexes = intents.map((_, index) => index);
  const isDefinition = (index: number): boolean => objects[index]?.kind === 'CustomResourceDefinition';
  // First, because an object is tried by the definition that stands, and not by that of the set.
  const definitions = await tryThese(indexes.filter(isDefinition), []);
  const changed = definitions.flatMap(([, { change, object }]) => (change.kind === 'change' ? [object] : []));
  const others = await tryThese(
    indexes.filter((index) => !isDefinition(index)),
    resourcesDefinedBy(changed),
  );
  const prepared = [...definitions, ...others].sort(([a], [b]) => a - b).map(([, each]) => each);
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
  const manager = managerOf(ref.app);
  const said: string[] = [];
  const refuse = (problem: string, accepted?: string): void => {
    const given = describeObject(intent.object);
    problems.push({ input: placeOf(manifest.origin), given, problem, ...(accepted === undefined ? {} : { accepted }) });
  };
  const stand = standOf(intent.object, context);
  const { scaled, schema } = stand;
  const done = (object: KubeObject, change: ObjectChange): Prepared => ({
    ...intent,
    object,
    live,
    change,
    said,
    ...stand,
  });
  const unknown = resource.verbs.length === 0 || context.missingNamespaces.has(intent.object.metadata.namespace ?? '');
  if (unknown) return done(intent.object, createdBy(intent.object, 'manifest', hide));
  let object = atItsHome(intent.object, { live, ref, policies, said });
  const isRuled = scaled !== undefined && live !== undefined;
  if (isRuled) object = withoutRuledCount(object, live);
  if (object['spec'] !== intent.object['spec']) said.push('.spec.replicas is left to its autoscaler');
  let isCounted = isRuled;
  for (let attempt = 1; ; attempt++) {
    // Handed over before the first apply, so it stays as it is.
    const count = isCounted && live !== undefined ? countLetGo(object, live, manager) : undefined;
    const asked = count === undefined ? object : withField(object, ['spec', 'replicas'], count);
    try {
      const takes = policies.conflicts === 'force' || attempt > 3 ? 'take' : 'refuse';
      const { object: tried } = await cluster.apply(
        resource,
        asked,
        { manager, conflicts: takes, dryRun: 'yes' },
        signal,
      );
      const after =
        live === undefined
          ? tried
          : await tryTakeOver({ resource, live, manager, intent: asked, tried }, { cluster }, signal);
      return done(object, changeOf(live, after, object, hide));
    } catch (thrown) {
      const conflicts = thrown instanceof KubeFailure ? conflictsOf(thrown.status?.causes ?? []) : [];
      if (conflicts.length === 0) return judgeRefusal({ ...context, thrown, object, live, done, refuse, schema, said });
      if (count !== undefined && conflicts.some(({ field }) => field === '.spec.replicas')) {
        // An autoscaler sets it at this moment, and has it by that.
        isCounted = false;
        continue;
      }
      const verdict = judgeConflicts(conflicts, { policy: policies.conflicts, scaled: scaled ?? 'by-hand', live });
      const given = without(object, verdict.yielded);
      const barred = barredBy(verdict, { object, given, live, ref, policies });
      if (barred !== undefined) {
        refuse(...barred);
        return done(object, changeOf(live, live ?? object, object, hide));
      }
      said.push(...settledWords(verdict, policies.conflicts));
      // What is left is ours by another name, or is taken over before the first apply.
      if (verdict.yielded.length === 0) attempt = 3;
      object = given;
    }
  }
}

interface Yielding extends Pick<TryContext, 'ref' | 'policies'> {
  readonly object: KubeObject;
  /** Without the fields that are left to others. */
  readonly given: KubeObject;
  readonly live: KubeObject | undefined;
}

/** Why fields of others bar the release, and what is accepted. */
function barredBy(
  verdict: ConflictVerdict,
  { object, given, live, ref, policies }: Yielding,
): readonly [problem: string, accepted: string] | undefined {
  // What is not found in the intent cannot be given up.
  const left = [...verdict.left, ...(given === object ? verdict.yielded : [])];
  const owner = live?.metadata.labels?.[APP_LABEL];
  if (left.length > 0 && owner !== undefined && owner !== ref.app)
    return [
      `belongs to the app ${owner}, which applies it too`,
      `another name, one set for both, or field-conflicts: force, which takes it from ${owner}`,
    ];
  if (left.length > 0)
    return [
      `has fields that others own: ${left.map(({ manager, field }) => `${field} (${manager})`).join(', ')}`,
      'take the fields out of the manifest, or set field-conflicts to force (they become ours) or yield (they stay theirs)',
    ];
  // A way back gives nothing up for it: what others run now stays theirs, and it is said.
  const image = isWayBack(policies) ? undefined : imageGivenUp(verdict.yielded);
  return image === undefined ? undefined : [image, 'field-conflicts: force, or take the image out of the manifest'];
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

function changeOf(live: KubeObject | undefined, tried: KubeObject, object: KubeObject, hide: Hide): ObjectChange {
  if (live === undefined) return createdBy(object, 'server', hide);
  const changes = changesBetween(live, tried, hide);
  return { ref: refOf(object), kind: changes.length === 0 ? 'unchanged' : 'change', changes, basis: 'server' };
}

interface Refused extends Pick<TryContext, 'ref' | 'policies' | 'hide' | 'newRoles'> {
  readonly thrown: unknown;
  readonly object: KubeObject;
  readonly live: KubeObject | undefined;
  readonly schema: ToApply['schema'];
  readonly said: string[];
  done(object: KubeObject, change: ObjectChange): Prepared;
  refuse(problem: string, accepted?: string): void;
}

/** What the server will not try, and what it will not take. */
function judgeRefusal(refused: Refused): Prepared {
  const { thrown, object, live, hide, ref, policies, newRoles, schema, said, done, refuse } = refused;
  if (!(thrown instanceof KubeFailure) || thrown.status === undefined) throw thrown;
  const { status } = thrown;
  const byManifest = (): Prepared =>
    live === undefined
      ? done(object, createdBy(object, 'manifest', hide))
      : done(object, { ...changeOf(live, merged(live, object), object, hide), basis: 'manifest' });
  if (/does not support dry run/i.test(status.message)) return byManifest();
  // They are taken away before the first apply.
  const manager = managerOf(ref.app);
  const rolls = live !== undefined && endRolling(object, live, manager) !== undefined;
  if (rolls && status.code === 422 && /rollingUpdate/.test(status.message)) return byManifest();
  if (status.code === 422 && live !== undefined && changesImmutable(status.message)) {
    const { kind } = object;
    if (policies.replace.includes(kind) && !isKept(object))
      return done(object, { ...createdBy(object, 'manifest', hide), kind: 'replace' });
    refuse(
      `changes what cannot be changed: ${masked(status.message, object)}`,
      isKept(object)
        ? 'another name, or the field as it was: it is never deleted, because what is in it would be lost'
        : `replace: ${kind} deletes it and makes it again`,
    );
    return byManifest();
  }
  if (thrown.kind === 'expired-token' || mayPass(thrown.kind)) throw thrown;
  if (schema !== undefined && refusedBySchema(status)) {
    said.push('is tried once its definition is applied, which this set changes');
    return byManifest();
  }
  const role = roleOf(object);
  // Whoever is no cluster admin may bind what he has himself, which the server sees by the role: without one it cannot try.
  if (role !== undefined && newRoles.has(keyOf(role)) && missesRole(object, status)) {
    said.push(`is tried once ${describeRef(role)} is there, which this set makes`);
    return byManifest();
  }
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
