import type { ContainerEdits } from './container-edits.ts';
import { type TaskDefinitionBody, normalised } from './task-definition.ts';

/** Names of variables and options whose values nobody prints. What stands under `secrets` is an ARN and no secret. */
const SECRET_NAME = /pass(word|wd|phrase)?|secret|token|key|credential|private|pwd|auth|dsn|conn(ection)?_?str/i;

/** PURE. What changes from one definition to the other, a line each: `- web.image: a`, `+ web.image: b`. */
export function diffDefinitions(before: TaskDefinitionBody, after: TaskDefinitionBody): readonly string[] {
  const old = flatten(normalised(before));
  const now = flatten(normalised(after));
  const paths = [...new Set([...old.keys(), ...now.keys()])];
  return paths.flatMap((path) => lineOf(path, old.get(path), now.get(path)));
}

function lineOf(path: string, old: string | undefined, now: string | undefined): readonly string[] {
  if (old === now) return [];
  if (isSecret(path)) {
    const what = old === undefined ? '+' : now === undefined ? '-' : '~';
    return [`${what} ${path}: ***`];
  }
  return [...(old === undefined ? [] : [`- ${path}: ${old}`]), ...(now === undefined ? [] : [`+ ${path}: ${now}`])];
}

function isSecret(path: string): boolean {
  const [, kind, name = ''] = /(?:^|\.)(environment|options)\.(.+)$/.exec(path) ?? [];
  return kind !== undefined && SECRET_NAME.test(name);
}

/** Paths as people say them: containers, variables and secrets by their names, other lists as one value. */
function flatten(value: unknown, path: readonly string[] = []): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  const into = (key: string, inner: unknown): void => {
    const place = key === 'containerDefinitions' ? path : [...path, key];
    for (const [each, text] of flatten(inner, place)) all.set(each, text);
  };
  if (Array.isArray(value) && value.length > 0 && value.every(isNamed)) {
    for (const { name, ...rest } of value as readonly Record<string, unknown>[]) into(String(name), only(rest));
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) into(key, inner);
  } else all.set(path.join('.'), typeof value === 'string' ? value : JSON.stringify(value));
  return all;
}

const isNamed = (value: unknown): boolean => typeof value === 'object' && value !== null && 'name' in value;

/** `{ value: "x" }` of a variable is just x. */
function only(rest: Readonly<Record<string, unknown>>): unknown {
  const [[key, value] = ['', undefined], ...more] = Object.entries(rest);
  return more.length === 0 && (key === 'value' || key === 'valueFrom') ? value : rest;
}

/** PURE. Every value that is asked for by container, a line each, also where it is there already: what a plan shows. */
export function describeEdits(edits: ContainerEdits): readonly string[] {
  return Object.entries(edits).flatMap(([container, { logDriver, logOptions, ...edit }]) => {
    const named = {
      ...edit,
      ...(logDriver === undefined ? {} : { logDriver }),
      ...(logOptions === undefined ? {} : { options: logOptions }),
    };
    return [...flatten({ [container]: named })].map(([path, text]) => {
      const shown = text === 'null' ? 'removed' : isSecret(path) ? '***' : text;
      return `  ${path}: ${shown}`;
    });
  });
}
