import type { StatusCause } from './failure.ts';
import { lettingGo, unionOf, valuesOf } from './field-sets.ts';
import {
  type Fields,
  type KubeObject,
  type ManagedFields,
  fieldAt,
  groupOf,
  isFields,
  numberAt,
  textAt,
  withField,
} from './object.ts';
import { BOUNDS_ANNOTATION } from './scaling.ts';

/** One field that somebody else owns and that we want to have otherwise. */
export interface FieldConflict {
  readonly manager: string;
  /** `.spec.replicas` */
  readonly field: string;
  /** Part of the object that it was written by: `scale`. */
  readonly subresource?: string;
}

const OWNER = /conflict with "([^"]*)"(?: with subresource "([^"]*)")?/;

export const conflictsOf = (causes: readonly StatusCause[]): readonly FieldConflict[] =>
  causes
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ message, field }) => {
      const [, manager = 'another manager', subresource] = OWNER.exec(message) ?? [];
      return { manager, field, ...(subresource === undefined ? {} : { subresource }) };
    });

const COUNT = '.spec.replicas';
/** Owner of a count that no manifest sets; also who sets one by `mode: scale`. */
export const COUNTER = 'sluice-scale';
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

/** `yield-but-images`: a person's way back to a release leaves what others changed since, and yet runs the images of that release. */
export type ConflictPolicy = 'fail' | 'force' | 'yield' | 'yield-but-images';

export interface ConflictContext {
  readonly policy: ConflictPolicy;
  readonly scaled: 'by-autoscaler' | 'by-hand';
  /** As it was read; absent: it was not there. */
  readonly live: KubeObject | undefined;
}

/**
 * Which conflicts are given in to: a count by hand or by an autoscaler always, all of them with `policy: yield`. What is taken
 * over before the first apply is no conflict. Asked before the first write and at each write, so that the two agree.
 */
export function judgeConflicts(conflicts: readonly FieldConflict[], context: ConflictContext): ConflictVerdict {
  const fated = (fate: keyof ConflictVerdict) => conflicts.filter((each) => fateOf(each, context) === fate);
  return { yielded: fated('yielded'), taken: fated('taken'), left: fated('left') };
}

const isImage = ({ field }: FieldConflict): boolean => /ontainers\[[^\]]*\]\.image$/.test(field);

function fateOf(conflict: FieldConflict, { policy, scaled, live }: ConflictContext): keyof ConflictVerdict {
  const { manager, field, subresource } = conflict;
  const held = live?.metadata.annotations?.[BOUNDS_ANNOTATION] !== undefined;
  if (scaled === 'by-hand' && isHandedOver(conflict, live)) return 'taken';
  const isRuled = scaled === 'by-autoscaler' || subresource === 'scale' || SCALERS.test(manager);
  if ((manager === 'sluice-scale' && held) || (field === COUNT && isRuled)) return 'yielded';
  const entries = live?.metadata.managedFields ?? [];
  if (subresource === undefined && entries.some((entry) => entry.manager === manager && isTakenOver(entry)))
    return 'taken';
  if (policy === 'yield-but-images') return isImage(conflict) ? 'taken' : 'yielded';
  if (policy === 'yield') return 'yielded';
  return policy === 'force' || OWN.test(manager) ? 'taken' : 'left';
}

/** A count that was handed over for an autoscaler is applied; one that `mode: scale` sets is an update, and stays. */
function isHandedOver({ manager, field }: FieldConflict, live: KubeObject | undefined): boolean {
  const owners = countOwnersOf(live).filter((entry) => entry.manager === manager);
  return field === COUNT && manager === COUNTER && owners.length > 0 && owners.every((entry) => isOf(entry, COUNTER));
}

const countOwnersOf = (live: KubeObject | undefined): readonly ManagedFields[] =>
  (live?.metadata.managedFields ?? []).filter(
    ({ fieldsV1 }) => fieldAt(fieldsV1, 'f:spec', 'f:replicas') !== undefined,
  );

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
export const imagesAmong = (fields: readonly FieldConflict[]): readonly FieldConflict[] => fields.filter(isImage);

/** What becomes of fields of others without anybody having said so. Nothing is taken while there is something to yield. */
export function settledWords({ yielded, taken }: ConflictVerdict, policy: ConflictPolicy): readonly string[] {
  const takes = policy === 'yield-but-images' && yielded.length === 0;
  return [
    ...yielded.map(({ field, manager }) => `${field} is left to ${manager}`),
    ...imagesAmong(takes ? taken : []).map(({ field, manager }) => `${field} is taken back from ${manager}`),
  ];
}

/** Why fields may not be left to others, as a clause; undefined: they may. */
export function imageGivenUp(yielded: readonly FieldConflict[]): string | undefined {
  const [image] = imagesAmong(yielded);
  return image === undefined
    ? undefined
    : `would leave its image to ${image.manager} (${image.field}): it would be called released, and another one would run`;
}

/**
 * Managers that write a whole object, by `kubectl apply`, create, replace or before managers were known: what they set was
 * this set's intent once. Those that change single fields (`kubectl set`, patch, edit, label, annotate) are a person's change of
 * a moment, a hotfix at night perhaps: a release that undoes it has to be told to.
 */
const CLIENT_SIDE = /^(?:kubectl-client-side-apply|kubectl-create|kubectl-replace|before-first-apply)$/;
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
  const own = entries.find((entry) => isOf(entry, manager));
  const [first = own] = old;
  const kept = entries.filter((entry) => !old.includes(entry) && entry !== own);
  const ours = { ...first, manager, operation: 'Apply', fieldsV1: claimOf(live, manager) ?? {} };
  return [
    { op: 'test', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
    ...(old.length === 0 ? [] : [{ op: 'replace', path: '/metadata/managedFields', value: [...kept, ours] }]),
    ...(hasLastApplied ? [{ op: 'remove', path: `/metadata/annotations/${LAST_APPLIED.replaceAll('/', '~1')}` }] : []),
  ];
}

const isTakenOver = (entry: ManagedFields): boolean =>
  (CLIENT_SIDE.test(entry.manager ?? '') && isUpdate(entry)) || entry.manager === 'sluice-restore';

const isUpdate = ({ operation, subresource }: ManagedFields): boolean => operation === 'Update' && !subresource;

const isOf = (entry: ManagedFields, manager: string): boolean =>
  entry.manager === manager && entry.operation === 'Apply' && !entry.subresource;

const isClaimed = (entry: ManagedFields, manager: string): boolean => isTakenOver(entry) || isOf(entry, manager);

const fieldsOf = (entries: readonly ManagedFields[]): unknown => unionOf(entries.map(({ fieldsV1 }) => fieldsV1));

/** The fields that are the manager's, or become its own by the take-over: what it leaves out of its next apply goes. */
function claimOf({ metadata: { managedFields = [] } }: KubeObject, manager: string): unknown {
  return fieldsOf(managedFields.filter((entry) => isClaimed(entry, manager)));
}

/**
 * What the object would be once its fields are taken over and the intent is applied. A dry run cannot take over, so `tried`
 * still has those that the intent lacks. kubectl's own note goes too, and is no part of a plan.
 */
export function afterTakeOver(
  tried: KubeObject,
  { live, intent, manager }: { readonly live: KubeObject; readonly intent: KubeObject; readonly manager: string },
): KubeObject {
  const { managedFields = [], annotations } = live.metadata;
  const others = fieldsOf(managedFields.filter((entry) => !isClaimed(entry, manager)));
  const left = lettingGo(tried, claimOf(live, manager), { intent, set: others }) as KubeObject;
  const note = annotations?.[LAST_APPLIED];
  return note === undefined ? left : withField(left, ['metadata', 'annotations', LAST_APPLIED], note);
}

/**
 * The change that takes away the bounds of a rolling strategy, where the intent has another one: the server filled them in,
 * nobody owns them, an apply leaves what nobody owns, and beside the other strategy they are refused.
 */
export function endRolling(intent: KubeObject, live: KubeObject, manager: string): readonly Fields[] | undefined {
  const key = ['strategy', 'updateStrategy'].find((each) => textAt(intent, 'spec', each, 'type') !== undefined);
  const bounds = (of: KubeObject): unknown =>
    key === undefined ? undefined : fieldAt(of, 'spec', key, 'rollingUpdate');
  if (key === undefined || bounds(live) === undefined || bounds(intent) !== undefined) return undefined;
  if (groupOf(intent.apiVersion) !== 'apps' || textAt(intent, 'spec', key, 'type') === 'RollingUpdate')
    return undefined;
  const isTheirs = (live.metadata.managedFields ?? []).some(
    (entry) =>
      !isClaimed(entry, manager) && fieldAt(entry['fieldsV1'], 'f:spec', `f:${key}`, 'f:rollingUpdate') !== undefined,
  );
  return isTheirs ? undefined : [{ op: 'add', path: `/spec/${key}`, value: fieldAt(intent, 'spec', key) }];
}

/** The intent without its count, where an autoscaler runs another one; one that runs none is off, and rules nothing. */
export function withoutRuledCount(intent: KubeObject, live: KubeObject): KubeObject {
  const [wanted, now] = [intent, live].map((each) => numberAt(each, 'spec', 'replicas'));
  return wanted === undefined || now === undefined || now === 0 || wanted === now
    ? intent
    : withField(intent, ['spec', 'replicas'], undefined);
}

/** The live count, where an apply of the intent would let it go and nobody else has it: the server would make it 1. */
export function countLetGo(intent: KubeObject, live: KubeObject, manager: string): number | undefined {
  const count = numberAt(live, 'spec', 'replicas');
  if (count === undefined || fieldAt(intent, 'spec', 'replicas') !== undefined) return undefined;
  const owners = countOwnersOf(live);
  return owners.length > 0 && owners.every((entry) => isClaimed(entry, manager)) ? count : undefined;
}

/** Whether the manager has a say in the object. */
export const isManagedBy = ({ metadata }: KubeObject, manager: string): boolean =>
  metadata.managedFields?.some((entry) => entry.manager === manager && entry.operation === 'Apply') ?? false;

/**
 * What it takes to put `live` back after the intent was applied: its values in the fields of the intent, and in those that the
 * manager had or took over, since an apply takes away what it leaves out. Lists are taken whole.
 */
export function restrictTo(intent: KubeObject, live: KubeObject, manager: string): KubeObject {
  const identity = { apiVersion: intent.apiVersion, kind: intent.kind };
  const { name, namespace } = intent.metadata;
  const all = fieldsOf(live.metadata.managedFields ?? []);
  const restricted = valuesOf(intent, { set: claimOf(live, manager), all }, live) as KubeObject;
  const metadata = { ...restricted.metadata, name, ...(namespace === undefined ? {} : { namespace }) };
  return { ...restricted, ...identity, metadata };
}
