import type { StatusCause } from './failure.ts';
import { type Fields, type KubeObject, type ManagedFields, fieldAt, isFields, withField } from './object.ts';

/** One field that somebody else owns and that we want to have otherwise. */
export interface FieldConflict {
  readonly manager: string;
  /** `.spec.replicas` */
  readonly field: string;
}

const MANAGER = /conflict with "([^"]*)"/;

export const conflictsOf = (causes: readonly StatusCause[]): readonly FieldConflict[] =>
  causes
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ message, field }) => ({ manager: MANAGER.exec(message)?.[1] ?? 'another manager', field }));

/** Writers whose business a replica count is. */
const SCALERS = /^(?:kube-controller-manager|keda|vpa|sluice-scale|horizontal-pod-autoscaler|kubectl-autoscale)/;
/** Ours by another name: what `mode: scale` and `mode: restore` set gives way to the next release. */
const OWN = /^sluice-(?:scale|restore)$/;

export interface ConflictVerdict {
  /** Fields that are taken out of our intent. */
  readonly yielded: readonly FieldConflict[];
  /** Fields that become ours without asking. */
  readonly taken: readonly FieldConflict[];
  readonly left: readonly FieldConflict[];
}

/** Which conflicts are given in to: a count by hand or by an autoscaler always, all of them with `policy: yield`. */
export function judgeConflicts(
  conflicts: readonly FieldConflict[],
  context: {
    readonly policy: 'fail' | 'force' | 'yield';
    readonly scaled: 'by-autoscaler' | 'by-hand';
    readonly held: 'yes' | 'no';
  },
): ConflictVerdict {
  const { policy, scaled, held } = context;
  const yields = ({ manager, field }: FieldConflict): boolean =>
    policy === 'yield' ||
    (manager === 'sluice-scale' && held === 'yes') ||
    (field === '.spec.replicas' && (scaled === 'by-autoscaler' || SCALERS.test(manager)));
  const yielded = conflicts.filter(yields);
  const taken = conflicts.filter((each) => !yields(each) && (policy === 'force' || OWN.test(each.manager)));
  return { yielded, taken, left: conflicts.filter((each) => !yielded.includes(each) && !taken.includes(each)) };
}

/**
 * `.spec.template.spec.containers[name="app"].image` as steps. The server puts no quotes around a name, and names have dots
 * (`.data.application.yml`), so each is looked up in the object itself, the longest first; a list entry is named by its keys.
 * undefined: the field is not in it.
 */
export function stepsOf(field: string, object: KubeObject): readonly (string | number)[] | undefined {
  const steps: (string | number)[] = [];
  let at: unknown = object;
  for (let rest = field; rest !== '';) {
    const found = rest.startsWith('.') ? namedIn(at, rest) : entryIn(at, rest);
    if (found === undefined) return undefined;
    steps.push(found.step);
    rest = found.rest;
    at = fieldAt(at, found.step);
  }
  return steps.length === 0 || at === undefined ? undefined : steps;
}

interface Step {
  readonly step: string | number;
  readonly rest: string;
}

function namedIn(at: unknown, path: string): Step | undefined {
  if (!isFields(at)) return undefined;
  const [step] = Object.keys(at)
    .filter((key) => path.startsWith(key, 1) && /^(?:$|[.[])/.test(path.slice(1 + key.length)))
    .sort((a, b) => b.length - a.length);
  return step === undefined ? undefined : { step, rest: path.slice(1 + step.length) };
}

/** `[name="app"]` by its keys, `[="value"]` by what it is, `[0]` by its place. */
function entryIn(at: unknown, path: string): Step | undefined {
  const [whole, inner = ''] = /^\[((?:[^\]"]|"(?:[^"\\]|\\.)*")*)\]/.exec(path) ?? [];
  if (whole === undefined || !Array.isArray(at)) return undefined;
  const step = /^\d+$/.test(inner) ? Number(inner) : entryBy(inner, at);
  return step === undefined || step >= at.length ? undefined : { step, rest: path.slice(whole.length) };
}

function entryBy(keys: string, list: readonly unknown[]): number | undefined {
  const wanted = [...keys.matchAll(/([\w.-]*)=("(?:[^"\\]|\\.)*"|[^,]+)/g)].map(
    ([, key = '', value = '']) => [key, value.startsWith('"') ? (JSON.parse(value) as string) : value] as const,
  );
  const isIt = (entry: unknown, missing: 'differs' | 'fits'): boolean =>
    wanted.every(([key, value]) => {
      const has = key === '' ? entry : isFields(entry) ? entry[key] : null;
      return has === undefined ? missing === 'fits' : String(has) === value;
    });
  // A key that the server filled in (`protocol: TCP`) does not stand in a manifest.
  const exact = list.findIndex((entry) => isIt(entry, 'differs'));
  const found = exact < 0 ? list.findIndex((entry) => isIt(entry, 'fits')) : exact;
  return wanted.length === 0 || found < 0 ? undefined : found;
}

/** The intent without fields, or the very same object where it has none of them. Of a list's entry only the field goes. */
export const without = (object: KubeObject, fields: readonly FieldConflict[]): KubeObject =>
  fields.reduce<KubeObject>((left, { field }) => {
    const steps = stepsOf(field, left);
    return steps === undefined ? left : withField(left, steps, undefined);
  }, object);

/** Images among fields that would be left to others: without them it is not this release that runs. */
export const imagesAmong = (fields: readonly FieldConflict[]): readonly FieldConflict[] =>
  fields.filter(({ field }) => /ontainers\[[^\]]*\]\.image$/.test(field));

/** Managers that wrote by `kubectl apply`, create, edit or a client that updates: what they set was this set's intent once. */
const CLIENT_SIDE = /^(?:kubectl-client-side-apply|kubectl-create|kubectl-edit|kubectl-replace|before-first-apply)$/;
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The change that makes fields of client-side apply ours, so that a field that is taken out of a manifest goes from the
 * cluster too (kubernetes/kubernetes#99003). undefined: there is nothing to take over. Guarded by the version read.
 */
export function takeOver(live: KubeObject, manager: string): readonly Fields[] | undefined {
  const entries = live.metadata.managedFields ?? [];
  const old = entries.filter(isTakenOver);
  const hasLastApplied = live.metadata.annotations?.[LAST_APPLIED] !== undefined;
  if (old.length === 0 && !hasLastApplied) return undefined;
  const own = entries.find((entry) => entry.manager === manager && entry.operation === 'Apply' && !entry.subresource);
  const merged = [...old, ...(own === undefined ? [] : [own])]
    .map(({ fieldsV1 }) => fieldsV1)
    .reduce<unknown>((sum, each) => union(sum, each), {});
  const [first = own] = old;
  const kept = entries.filter((entry) => !old.includes(entry) && entry !== own);
  const ours = { ...first, manager, operation: 'Apply', fieldsV1: merged };
  return [
    { op: 'test', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
    ...(old.length === 0 ? [] : [{ op: 'replace', path: '/metadata/managedFields', value: [...kept, ours] }]),
    ...(hasLastApplied ? [{ op: 'remove', path: `/metadata/annotations/${LAST_APPLIED.replaceAll('/', '~1')}` }] : []),
  ];
}

const isTakenOver = (entry: ManagedFields): boolean =>
  (CLIENT_SIDE.test(entry.manager ?? '') && isUpdate(entry)) || entry.manager === 'sluice-restore';

const isUpdate = ({ operation, subresource }: ManagedFields): boolean => operation === 'Update' && !subresource;

function union(a: unknown, b: unknown): unknown {
  if (!isFields(a)) return b ?? {};
  if (!isFields(b)) return a;
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(
    keys.map((key) => [key, key in a && key in b ? union(a[key], b[key]) : (a[key] ?? b[key])]),
  );
}

/** Whether the manager has a say in the object. */
export const isManagedBy = ({ metadata }: KubeObject, manager: string): boolean =>
  metadata.managedFields?.some((entry) => entry.manager === manager && entry.operation === 'Apply') ?? false;

/** The values that `live` has in the fields of `intent`: what it takes to put them back. Lists are taken whole. */
export function restrictTo(intent: KubeObject, live: KubeObject): KubeObject {
  const identity = { apiVersion: intent.apiVersion, kind: intent.kind };
  const { name, namespace } = intent.metadata;
  const restricted = restrict(intent, live) as KubeObject;
  const metadata = { ...restricted.metadata, name, ...(namespace === undefined ? {} : { namespace }) };
  return { ...restricted, ...identity, metadata };
}

function restrict(intent: unknown, live: unknown): unknown {
  if (!isFields(intent) || !isFields(live)) return live;
  return Object.fromEntries(
    Object.entries(intent).flatMap(([key, value]) => (key in live ? [[key, restrict(value, live[key])]] : [])),
  );
}
