import { canonicalJson } from '../canonical-json.ts';
import { type KubeObject, type Ref, describeRef, isFields, keyOf, refOf, withField } from './object.ts';

/** One difference between what is there and what would be. Values of Secrets stand for themselves by a keyed hash. */
export interface FieldChange {
  /** `.spec.template.spec.containers[name="app"].image` */
  readonly path: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export interface ObjectChange {
  readonly ref: Ref;
  readonly kind: 'create' | 'change' | 'unchanged' | 'delete' | 'replace';
  readonly changes: readonly FieldChange[];
  /** How sure the plan is: a webhook may refuse a dry run, a namespace may not exist yet. */
  readonly basis: 'server' | 'manifest';
}

/** What stands for a value that must not be shown, or for one that is too long to be. */
export type Hide = (value: string, what: 'secret' | 'content') => string;

/** What the server keeps for itself, and what no intent sets. */
export function comparable(object: KubeObject): KubeObject {
  const dropped = ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp', 'selfLink'];
  const cleaned = dropped.reduce<KubeObject>((left, key) => withField(left, ['metadata', key], undefined), object);
  return withField(cleaned, ['status'], undefined);
}

const SECRET_LIKE =
  /pass(?:word|wd|phrase)?|pwd|secret|token|auth(?!or)|jwt|api[-_]?key|credential|private|dsn|database[-_]?url/i;
/** `postgres://user:password@host` */
const HAS_CREDENTIALS = /:\/\/[^\s/:@]*:[^\s/@]+@/;
const LONGEST = 120;

function isHidden(kind: string, path: string, value: string): boolean {
  if (kind === 'Secret' && /^\.(?:data|stringData)\b/.test(path)) return true;
  // What kubectl applied holds everything; the hash of the config is one of secrets that it can be tried against.
  if (/last-applied-configuration|\.annotations\.sluice\.dev\/config-sha256$/.test(path)) return true;
  if (HAS_CREDENTIALS.test(value)) return true;
  const named = kind === 'ConfigMap' ? /^\.(?:data|binaryData)\./.test(path) : /\.value$/.test(path);
  return named && SECRET_LIKE.test(path);
}

/** `value` at `path` of an object of this kind, with what must not be shown hidden. */
function redacted(value: unknown, { kind, path, hide }: { kind: string; path: string; hide: Hide }): unknown {
  const inside = (step: string, entry: unknown): unknown => redacted(entry, { kind, path: `${path}${step}`, hide });
  if (isFields(value))
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, inside(`.${key}`, entry)]));
  if (Array.isArray(value))
    return value.map((entry: unknown, index) =>
      inside(`[${isFields(entry) && typeof entry['name'] === 'string' ? `name=${entry['name']}` : index}]`, entry),
    );
  return typeof value === 'string' && isHidden(kind, path, value) ? hide(value, 'secret') : value;
}

/** Differences by path, in order of the paths. */
export function changesBetween(before: KubeObject, after: KubeObject, hide: Hide): readonly FieldChange[] {
  const found: FieldChange[] = [];
  const shown = (path: string, given: unknown): string | undefined => {
    if (given === undefined) return undefined;
    const value = redacted(given, { kind: after.kind, path, hide });
    const text = typeof value === 'string' ? value : canonicalJson(value);
    // A large value is known by its hash: the plan stays readable and still says whether it is the same.
    return text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${hide(text, 'content')})` : text;
  };
  const walk = (path: string, a: unknown, b: unknown): void => {
    if (isFields(a) && isFields(b)) {
      for (const key of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort())
        walk(`${path}.${key}`, a[key], b[key]);
    } else if (Array.isArray(a) && Array.isArray(b)) {
      walkList(path, a, b, walk);
    } else if (canonicalJson(a ?? null) !== canonicalJson(b ?? null) || (a === undefined) !== (b === undefined)) {
      found.push({ path, from: shown(path, a), to: shown(path, b) });
    }
  };
  walk('', comparable(before), comparable(after));
  return found;
}

type Walk = (path: string, a: unknown, b: unknown) => void;

/** Entries with names are the same by their names, others by their place. */
function walkList(path: string, a: readonly unknown[], b: readonly unknown[], walk: Walk): void {
  const nameOf = (entry: unknown): string | undefined =>
    isFields(entry) && typeof entry['name'] === 'string' ? entry['name'] : undefined;
  const names = [...a, ...b].map(nameOf);
  const unique = (list: readonly unknown[]): boolean => new Set(list.map(nameOf)).size === list.length;
  if (names.every((name) => name !== undefined) && unique(a) && unique(b)) {
    for (const name of [...new Set(names)].sort()) {
      const find = (list: readonly unknown[]): unknown => list.find((entry) => nameOf(entry) === name);
      walk(`${path}[name=${JSON.stringify(name)}]`, find(a), find(b));
    }
    return;
  }
  for (let index = 0; index < Math.max(a.length, b.length); index++) walk(`${path}[${index}]`, a[index], b[index]);
}

/** The text that the plan's hash is of: what would happen, without what differs from run to run. */
export const planText = (plan: readonly ObjectChange[]): string =>
  canonicalJson(
    [...plan]
      .filter(({ kind }) => kind !== 'unchanged')
      .sort((a, b) => (keyOf(a.ref) < keyOf(b.ref) ? -1 : 1))
      .map(({ ref, kind, changes }) => ({
        object: keyOf(ref),
        kind,
        changes: changes.map(({ path, from, to }) => ({ path, from, to })),
      })),
  );

const SIGNS = { create: '+', change: '~', unchanged: '=', delete: '-', replace: '!' } as const;

/** The plan for people, a line per object and per field. */
export function describePlan(plan: readonly ObjectChange[]): readonly string[] {
  const shown = plan.filter(({ kind }) => kind !== 'unchanged');
  const same = plan.length - shown.length;
  const lines = shown.flatMap(({ ref, kind, changes, basis }) => [
    `${SIGNS[kind]} ${kind} ${describeRef(ref)}${basis === 'manifest' ? ' (by the manifest alone: the server could not try it)' : ''}`,
    ...(kind === 'change'
      ? changes.map(({ path, from, to }) => `    ${path}: ${from ?? 'none'} -> ${to ?? 'none'}`)
      : []),
  ]);
  return [...lines, ...(same === 0 ? [] : [`= ${same} unchanged`])];
}

export const createdBy = (object: KubeObject, basis: ObjectChange['basis'], hide: Hide): ObjectChange => ({
  ref: refOf(object),
  kind: 'create',
  // The content is part of what is approved, although it is not shown field by field.
  changes: [
    {
      path: '',
      from: undefined,
      to: hide(canonicalJson(redacted(comparable(object), { kind: object.kind, path: '', hide })), 'content'),
    },
  ],
  basis,
});
