import { type Duration, minutes, parseDuration } from '../duration.ts';
import type { FieldResult } from '../inputs.ts';
import { type JsonSchema, closed } from '../json-schema.ts';

/** A command of the team's, which runs after the end of a shift. */
export interface Hook {
  readonly program: string;
  readonly args: readonly string[];
  readonly timeout: Duration;
  /** Whether it changes a database: then it runs only where that is allowed by name. */
  readonly database: 'untouched' | 'changed';
}

const USUAL: Duration = minutes(5);
export const HOOKS_SHAPE = 'a list of commands, each a list of words, or { run, timeout, database }';

const WORDS: JsonSchema = {
  type: 'array',
  minItems: 1,
  items: { type: ['string', 'number'] },
  description: 'Program and arguments; no shell reads them.',
};

/** As `readHooks` reads it. */
export const HOOKS_SCHEMA: JsonSchema = {
  type: 'array',
  minItems: 1,
  items: {
    anyOf: [
      WORDS,
      closed(
        {
          run: WORDS,
          timeout: { type: 'string', description: 'How long it may take. Without it 5m. Example: `90s`.' },
          database: {
            type: 'boolean',
            description: 'Whether it changes a database; it then needs allow-database-hooks.',
          },
        },
        { required: ['run'] },
      ),
    ],
  },
};

export function readHooks(value: unknown): FieldResult<readonly Hook[]> {
  if (!Array.isArray(value) || value.length === 0) return wrong('is not a list of commands');
  const hooks: Hook[] = [];
  for (const [index, each] of value.entries()) {
    const read = readHook(each);
    if (!read.ok) return { ...read, problem: `[${index}] ${read.problem}` };
    hooks.push(read.value);
  }
  return { ok: true, value: hooks };
}

const wrong = (problem: string): Extract<FieldResult<never>, { ok: false }> => ({
  ok: false,
  problem,
  accepted: HOOKS_SHAPE,
});

function readHook(value: unknown): FieldResult<Hook> {
  if (Array.isArray(value)) return readHook({ run: value });
  if (typeof value !== 'object' || value === null)
    return wrong('is one text; a command is a list of words, which no shell reads');
  const { run, timeout, database = false, ...others } = value as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return wrong(`has the unknown key ${unknown}`);
  if (!Array.isArray(run)) return wrong('has no run that is a list of words');
  const words = run.map((word) => (typeof word === 'string' || typeof word === 'number' ? String(word) : undefined));
  const [program, ...args] = words;
  if (program === undefined || program === '' || args.includes(undefined))
    return wrong('has a run that is no list of words');
  const limit = timeout === undefined ? USUAL : typeof timeout === 'string' ? parseDuration(timeout) : undefined;
  if (limit === undefined || limit <= 0) return wrong('has a timeout that is no duration');
  if (typeof database !== 'boolean') return wrong('has a database that is neither true nor false');
  const given = args.filter((word) => word !== undefined);
  return { ok: true, value: { program, args: given, timeout: limit, database: database ? 'changed' : 'untouched' } };
}

/** Ends of a shift after which commands run. */
export type HookMoment = 'after-promote' | 'after-rollback';

/** How far the list of commands of one end has come; it stands in the record, so that no command runs twice unasked. */
export interface HooksDone {
  /** The first of the list, so many, have ended. */
  readonly ended: number;
  /** `begun`: the next one was started, and nothing was heard of its end. */
  readonly next: 'waiting' | 'begun';
}

export const NO_HOOKS_DONE: HooksDone = { ended: 0, next: 'waiting' };

/** `2`, `2 begun`; empty when nothing was done. */
export const formatHooksDone = ({ ended, next }: HooksDone): string =>
  next === 'begun' ? `${ended} begun` : ended === 0 ? '' : String(ended);

/** undefined: it is none of ours. */
export function parseHooksDone(text: string): HooksDone | undefined {
  if (text === '') return NO_HOOKS_DONE;
  const [, ended, begun] = /^(\d{1,3})( begun)?$/.exec(text) ?? [];
  return ended === undefined ? undefined : { ended: Number(ended), next: begun === undefined ? 'waiting' : 'begun' };
}

/** How a command ended. */
export interface HookResult {
  readonly hook: Hook;
  readonly end: 'good' | 'failed' | 'skipped';
  /** A clause. */
  readonly says: string;
}

/** `npm run purge` */
export const formatHook = ({ program, args }: Hook): string => [program, ...args].join(' ');
