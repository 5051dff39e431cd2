import { readText } from '../adapters/system/files.ts';
import {
  type Checked,
  type FieldResult,
  type GivenInputs,
  type InputField,
  type InputProblem,
  type InputSpec,
  type InputsOf,
  bad,
  good,
  nearestOf,
  printable,
} from '../domain/inputs.ts';
import type { KnownKeys, Stage, StageValue } from './read-config.ts';
import { isPlainScalar } from './plain-scalar.ts';

export interface InputSources {
  /** The action's name, for messages. */
  readonly action: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workspace: string;
  /** Called for every secret before any other use of any value. */
  mask(secret: string): void;
}

/** One line of what `dry-run` prints. */
export interface ResolvedInput {
  readonly name: string;
  /** Printable; `***` for a secret. */
  readonly shown: string;
  /** `input`, `sluice.yml:12:5 stages.production.cluster`, `default` or `not given`. */
  readonly origin: string;
}

export interface ResolvedInputs<S extends InputSpec> {
  readonly values: InputsOf<S>;
  readonly resolved: readonly ResolvedInput[];
  readonly given: GivenInputs;
}

export type InputsRead<S extends InputSpec> =
  Checked<ResolvedInputs<S>> | { readonly ok: false; readonly problems: readonly InputProblem[]; readonly rest?: Rest };

/** What can be read beside inputs that cannot be. */
export interface Rest {
  /** Under the name of an input that cannot be read stands its default, if it has one. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Inputs that cannot be read. */
  readonly unread: readonly string[];
  readonly given: GivenInputs;
}

const DEFAULT_CONFIG = 'sluice.yml';
/** Spec of the values that lead to the others; see src/domain/stage-inputs.ts. */
const CONFIG = 'config';
const STAGE = 'stage';

/**
 * Input > stage of sluice.yml > fallback, for every field of the spec. Every problem there is comes back at once.
 * GitHub hands over an input that is not given and one that is given empty as the same empty variable, so both mean
 * "absent" here; a file can tell them apart, and there an empty value is a problem.
 */
export async function readInputs<S extends InputSpec>(spec: S, sources: InputSources): Promise<InputsRead<S>> {
  const given = givenInputs(sources.environment);
  for (const [name, field] of Object.entries(spec)) if (field.secret) await maskAll(sources, field, given.get(name));
  const misspelt = unknownInputs(spec, given, sources.action);
  const { stage, unknown } = await readStage(spec, given, sources);
  const problems: InputProblem[] = [...misspelt, ...(stage.ok ? [] : stage.problems), ...unknown];
  const meant = new Set([...misspelt, ...unknown].map(({ nearest }) => nearest));
  const replaced = replacedBy(spec, given);
  const values: Record<string, unknown> = {};
  const unread: string[] = [];
  const resolved: ResolvedInput[] = [];
  for (const [name, field] of Object.entries(spec)) {
    const fromStage =
      stage.ok && field.from === 'stage' && !replaced.has(name) ? stage.value?.values.get(name) : undefined;
    if (field.secret && typeof fromStage?.text === 'string') await maskAll(sources, field, fromStage.text);
    const source = sourceOf(field, given.get(name), fromStage);
    // It may stand in the stage that could not be read, or under a misspelt name: that is one problem, not two.
    const elsewhere = (field.from === 'stage' && !stage.ok) || meant.has(name);
    if (source.kind === 'absent' && field.required && elsewhere) continue;
    const read = await readField({ name, field, source, stageIsSet: stage.ok && stage.value !== undefined });
    if (!read.ok) {
      problems.push(...read.problems);
      unread.push(name);
      values[name] = await fallbackOf(name, field);
      continue;
    }
    values[name] = read.value;
    resolved.push({ name, shown: shownOf(field, source), origin: source.origin });
  }
  const ofStep = new Set([...given].flatMap(([name, text]) => (isGiven(text) ? name : [])));
  // Of a stage that cannot be read, no input is known to be missing.
  const rest = { values, given: ofStep, unread: [...unread, ...[...meant].filter((name) => name !== undefined)] };
  if (problems.length > 0) return { ...bad(...problems), ...(stage.ok ? { rest } : {}) };
  // The loop above has put a value of each field's own type under each name.
  return good({ values: values as InputsOf<S>, resolved, given: ofStep });
}

async function fallbackOf(name: string, field: InputField<unknown>): Promise<unknown> {
  if (field.fallback === undefined) return undefined;
  const source = { kind: 'default', origin: 'default', text: field.fallback } as const;
  const read = await readField({ name, field, source, stageIsSet: false });
  return read.ok ? read.value : undefined;
}

/** INPUT_ variables that are not empty, by input name in lower case. The runner keeps hyphens and turns blanks into `_`. */
function givenInputs(environment: InputSources['environment']): ReadonlyMap<string, string> {
  const given = new Map<string, string>();
  for (const [variable, value] of Object.entries(environment)) {
    if (variable.startsWith('INPUT_') && value !== undefined)
      given.set(variable.slice('INPUT_'.length).toLowerCase(), value);
  }
  return given;
}

const isGiven = (text: string | undefined): text is string => text !== undefined && text.trim() !== '';

/** Fields whose value in the stage an input speaks for: two ways to say one thing, of which the nearer one counts. */
const replacedBy = (spec: InputSpec, given: ReadonlyMap<string, string>): ReadonlySet<string> =>
  new Set(Object.entries(spec).flatMap(([name, { insteadOf = [] }]) => (isGiven(given.get(name)) ? insteadOf : [])));

async function maskAll(
  sources: Pick<InputSources, 'mask'>,
  field: InputField<unknown>,
  given: string | undefined,
): Promise<void> {
  const value = given?.trim() ?? '';
  if (value === '') return;
  const parts = field.secretsIn === undefined ? undefined : await partsOf(value, field.secretsIn);
  for (const part of parts ?? [value]) sources.mask(part);
}

/** undefined: it is not what it should be, so all of it may be secret. Of base64, the text itself is secret as well. */
async function partsOf(
  value: string,
  secretsIn: (value: unknown) => readonly string[] | undefined,
): Promise<readonly string[] | undefined> {
  const { readYaml } = await import('./read-yaml.ts');
  const isPacked = /^[A-Za-z0-9+/=\s]+$/.test(value);
  const yaml = readYaml(isPacked ? Buffer.from(value, 'base64').toString('utf8') : value, 'input');
  const found = yaml.ok ? secretsIn(yaml.value.value) : undefined;
  return found === undefined ? undefined : [...(isPacked ? [value] : []), ...found];
}

/** The runner only warns of an input that action.yml does not declare, and passes it on: a misspelt one would be lost. */
function unknownInputs(spec: InputSpec, given: ReadonlyMap<string, string>, action: string): InputProblem[] {
  const known = Object.keys(spec);
  return [...given.keys()]
    .filter((name) => !known.includes(name))
    .map((name) => {
      const nearest = nearestOf(name.replaceAll('_', '-'), known);
      return nearest === undefined
        ? { input: name, problem: `is not an input of ${action}`, accepted: known.join(', ') }
        : { input: name, problem: `is not an input of ${action}`, nearest };
    });
}

interface ReadStage {
  readonly stage: Checked<Stage | undefined>;
  /** Keys of it, and of defaults, that no action reads. */
  readonly unknown: readonly InputProblem[];
}

const only = (stage: ReadStage['stage']): ReadStage => ({ stage, unknown: [] });

async function readStage(
  spec: InputSpec,
  given: ReadonlyMap<string, string>,
  sources: InputSources,
): Promise<ReadStage> {
  const name = given.get(STAGE)?.trim() ?? '';
  const path = given.get(CONFIG)?.trim() ?? '';
  if (spec[STAGE] === undefined || (name === '' && path === '')) return only(good(undefined));
  const file = await readText(sources.workspace, path === '' ? DEFAULT_CONFIG : path);
  switch (file.kind) {
    case 'missing':
      return only(bad(missingFile({ stage: name, path, workspace: sources.workspace })));
    case 'unreadable':
      return only(
        bad({ input: CONFIG, given: path === '' ? DEFAULT_CONFIG : path, problem: `cannot be read: ${file.why}` }),
      );
    case 'text': {
      // Loaded here because the YAML parser costs more than all the rest of this file, and many steps do without.
      const { readConfig, stageOf, unknownStageKeys } = await import('./read-config.ts');
      const config = readConfig(file.text, path === '' ? DEFAULT_CONFIG : path);
      if (!config.ok) return only(config);
      if (name === '') return only(good(undefined));
      return {
        stage: stageOf(config.value, name),
        unknown: unknownStageKeys(config.value, name, await knownKeys(spec)),
      };
    }
  }
}

const missingFile = ({
  stage,
  path,
  workspace,
}: {
  readonly stage: string;
  readonly path: string;
  readonly workspace: string;
}): InputProblem =>
  path === ''
    ? {
        input: STAGE,
        given: stage,
        problem: `needs a configuration file, and there is no ${DEFAULT_CONFIG} in the workspace ${workspace}`,
        accepted: `a checkout of the repository before this step, or the file's path as ${CONFIG}`,
      }
    : {
        input: CONFIG,
        given: path,
        problem: `is not in the workspace ${workspace}`,
        accepted: 'the path of a file, from the workspace, after a checkout',
      };

/** The keys of all actions, those of this one among them. */
async function knownKeys(spec: InputSpec): Promise<KnownKeys> {
  const { INPUT_ONLY_KEYS, STAGE_KEYS } = await import('./stage-keys.ts');
  const own = (from: 'input' | 'stage'): readonly string[] =>
    Object.keys(spec).filter((name) => spec[name]?.from === from);
  return { stage: [...STAGE_KEYS, ...own('stage')], inputOnly: [...INPUT_ONLY_KEYS, ...own('input')] };
}

type Source =
  | { readonly kind: 'input'; readonly origin: 'input'; readonly text: string }
  | { readonly kind: 'stage'; readonly origin: string; readonly stage: StageValue }
  | { readonly kind: 'default'; readonly origin: 'default'; readonly text: string }
  | { readonly kind: 'absent'; readonly origin: 'not given' };

function sourceOf(field: InputField<unknown>, given: string | undefined, stage: StageValue | undefined): Source {
  if (isGiven(given)) return { kind: 'input', origin: 'input', text: given };
  if (stage !== undefined) return { kind: 'stage', origin: stage.where, stage };
  if (field.fallback !== undefined) return { kind: 'default', origin: 'default', text: field.fallback };
  return { kind: 'absent', origin: 'not given' };
}

interface Reading {
  readonly name: string;
  readonly field: InputField<unknown>;
  readonly source: Source;
  readonly stageIsSet: boolean;
}

async function readField({ name, field, source, stageIsSet }: Reading): Promise<Checked<unknown>> {
  switch (source.kind) {
    case 'absent': {
      if (!field.required) return good(undefined);
      const stage = stageIsSet
        ? 'by its key in the stage'
        : `by its key in a stage of ${DEFAULT_CONFIG} and the input ${STAGE}`;
      const also = field.from === 'stage' ? `, as the input or ${stage}` : '';
      return bad({ input: name, problem: 'is required', accepted: `${field.accepts}${also}` });
    }
    case 'stage': {
      const value = field.form === 'structure' ? source.stage.value : source.stage.text;
      if (value === undefined)
        return bad({ input: source.origin, problem: 'is not one value', accepted: field.accepts });
      if (field.form === 'text' && Array.isArray(value) && field.many !== true) {
        return bad({ input: source.origin, given: printable(value), problem: 'is a list', accepted: field.accepts });
      }
      return checked(source.origin, field, value, field.read(value));
    }
    case 'input':
    case 'default': {
      if (field.form === 'text') return checked(name, field, source.text.trim(), field.read(source.text.trim()));
      if (isPlainScalar(source.text)) return checked(name, field, source.text, field.read(source.text));
      const { readYaml } = await import('./read-yaml.ts');
      // Blank lines go, the first line's indent stays: it is the indent of the whole block.
      const yaml = readYaml(source.text.replace(/^(?:[^\S\n]*\n)+/, '').trimEnd(), name);
      return yaml.ok ? checked(name, field, source.text, field.read(yaml.value.value)) : yaml;
    }
  }
}

function checked(
  input: string,
  field: InputField<unknown>,
  given: unknown,
  result: FieldResult<unknown>,
): Checked<unknown> {
  if (result.ok) return good(result.value);
  const { problem, accepted, nearest } = result;
  return bad({
    input,
    ...(field.secret || result.given === 'hidden' ? {} : { given: printable(given) }),
    problem,
    ...(accepted === undefined ? {} : { accepted }),
    ...(nearest === undefined ? {} : { nearest }),
  });
}

/** As it was given, not as it was understood: `5m`, not 300000. */
function shownOf(field: InputField<unknown>, source: Source): string {
  if (source.kind === 'absent') return '';
  if (field.secret) return '***';
  if (field.shown === 'presence') return 'given';
  return printable(source.kind === 'stage' ? (source.stage.text ?? source.stage.value) : source.text);
}
