import { type Fields, fieldAt, isFields } from './object.ts';

/**
 * Sets of fields as `managedFields` write them (`fieldsV1`): `f:name` is a field, `k:{...}` an entry of a list by its keys,
 * `v:...` a value of a set, `i:n` an entry by its place, `.` the thing itself. What has nothing below it is owned as a whole.
 */
export function unionOf(sets: readonly unknown[]): unknown {
  const [first, ...rest] = sets.filter((set) => set !== undefined);
  return rest.reduce(union, first);
}

function union(a: unknown, b: unknown): unknown {
  if (!isFields(a)) return b ?? {};
  if (!isFields(b)) return a;
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(
    keys.map((key) => [key, key in a && key in b ? union(a[key], b[key]) : (a[key] ?? b[key])]),
  );
}

/** Whether every field of the set stands in the intent. */
export function isWithin(set: unknown, intent: unknown): boolean {
  if (!isFields(set)) return true;
  return Object.entries(set).every(([step, deeper]) => {
    if (step === '.') return true;
    const at = follow(step, intent);
    return at !== undefined && isWithin(deeper, at);
  });
}

const follow = (step: string, at: unknown): unknown => {
  const key = keyIn(step, at);
  return key === undefined ? undefined : (at as Fields)[key];
};

/** The name or the place that a step leads to. */
function keyIn(step: string, at: unknown): string | number | undefined {
  const rest = step.slice(2);
  if (step.startsWith('f:')) return isFields(at) && at[rest] !== undefined ? rest : undefined;
  if (!Array.isArray(at)) return undefined;
  if (step.startsWith('i:')) return Number(rest) < at.length ? Number(rest) : undefined;
  const named: unknown = JSON.parse(rest);
  const isIt = (each: unknown): boolean =>
    step.startsWith('v:')
      ? each === named
      : isFields(each) &&
        // A key that the server filled in (`protocol: TCP`) does not stand in the intent.
        Object.entries(named as Fields).every(([key, value]) => [value, undefined].includes(each[key] as undefined));
  const found = at.findIndex(isIt);
  return found < 0 ? undefined : found;
}

/**
 * What `from` has of the fields of an intent and of a set. Lists are taken whole, and so is what is owned as a whole (the
 * selector of a Service), whoever owns it: of a part of it nobody could make it again.
 */
export function valuesOf(
  intent: unknown,
  { set, all }: { readonly set: unknown; readonly all: unknown },
  from: unknown,
): unknown {
  const isInside = isFields(intent) || isFields(set);
  if (!isFields(from) || !isInside || isWhole(set) || isWhole(all)) return from;
  return Object.fromEntries(
    Object.entries(from).flatMap(([key, value]) => {
      const [wanted, owned, any] = [fieldAt(intent, key), fieldAt(set, `f:${key}`), fieldAt(all, `f:${key}`)];
      if (wanted === undefined && owned === undefined) return [];
      return [[key, valuesOf(wanted, { set: owned, all: any }, value)]];
    }),
  );
}

const isWhole = (set: unknown): boolean => isFields(set) && Object.keys(set).length === 0;

/** Who keeps fields that an owner lets go: the intent that has them, and other owners. */
export interface Keepers {
  readonly intent: unknown;
  readonly set: unknown;
}

/**
 * What is left of `from` when the owner of `set` lets go what no keeper has. As the server does it: a part or an entry of
 * which nobody else has anything goes with all that is in it.
 */
export function lettingGo(from: unknown, set: unknown, { intent, set: others }: Keepers): unknown {
  if (intent === undefined && others === undefined) return undefined;
  const left = new Map<string | number, unknown>();
  for (const [step, deeper] of Object.entries(isFields(set) ? set : {})) {
    const key = step === '.' ? undefined : keyIn(step, from);
    if (key === undefined) continue;
    const keepers = { intent: follow(step, intent), set: isFields(others) ? others[step] : undefined };
    left.set(key, lettingGo((from as Fields)[key], deeper, keepers));
  }
  const kept = <K extends string | number>(key: K, value: unknown): readonly (readonly [K, unknown])[] => {
    const now = left.has(key) ? left.get(key) : value;
    return now === undefined ? [] : [[key, now]];
  };
  if (Array.isArray(from)) return from.flatMap((entry: unknown, index) => kept(index, entry).map(([, now]) => now));
  if (!isFields(from)) return from;
  return Object.fromEntries(Object.entries(from).flatMap(([key, value]) => kept(key, value)));
}
