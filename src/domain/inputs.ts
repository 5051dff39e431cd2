import { editDistance } from './edit-distance.ts';
import { type Duration, formatDuration, parseDuration } from './duration.ts';
import { Failure } from './failure.ts';
import { DURATION_SHAPE, type JsonSchema } from './json-schema.ts';
import { flagShape, listShape, listShapeOf, numberShape, textShape, textShapeOf, urlShape } from './input-shapes.ts';

/** One thing that is wrong with what the user gave. Several are gathered and shown together. */
export interface InputProblem {
  /** Name of the input, or a path into a file: `policy.yml:7:3 rules[2]`. */
  readonly input: string;
  /** What was given, cut to a printable length; absent for secrets and for what is missing. */
  readonly given?: string;
  readonly problem: string;
  readonly accepted?: string;
  readonly nearest?: string;
  /** A sentence that helps whatever else is wrong. */
  readonly hint?: string;
}

export type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly InputProblem[] };

export const good = <T>(value: T): Checked<T> => ({ ok: true, value });
export const bad = (...problems: readonly InputProblem[]): Checked<never> => ({ ok: false, problems });

/** More than anybody mends in one go; the rest is counted, so that the annotation stays readable. */
const SHOWN_PROBLEMS = 30;

/** `timeout: "5" is not a duration. Accepted: a number with a unit: 90s, 5m, 1h30m. Did you mean ...?` */
export function describeProblem(problem: InputProblem): string {
  const given = problem.given === undefined ? '' : `${JSON.stringify(withoutCredentials(problem.given))} `;
  const accepted = problem.accepted === undefined ? '' : ` Accepted: ${problem.accepted}.`;
  const nearest = problem.nearest === undefined ? '' : ` Did you mean ${problem.nearest}?`;
  const hint = problem.hint === undefined ? '' : ` ${problem.hint}.`;
  return `${problem.input}: ${given}${problem.problem}.${accepted}${nearest}${hint}`;
}

/** A password in the address of a server is no business of the log. */
const withoutCredentials = (text: string): string => text.replaceAll(/:\/\/[^\s/?#]*@/g, '://***@');

/** `given` of a problem: one line, cut to a printable length. */
export function printable(value: unknown): string {
  const whole = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  // Before it is cut: half a password is not found any more.
  const line = withoutCredentials(whole).replaceAll(/\s+/g, ' ').trim();
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

/**
 * Everything that is wrong with what the user gave, as one message. Thrown before anything was touched: by the runtime
 * for inputs, by an action for a file that an input names.
 */
export class InvalidInput extends Failure {
  override readonly name: string = 'InvalidInput';
  readonly problems: readonly InputProblem[];

  constructor(subject: string, problems: readonly InputProblem[]) {
    super({ what: `${subject} cannot be used`, now: 'Nothing was touched' });
    this.problems = problems;
    const shown = problems.slice(0, SHOWN_PROBLEMS).map((problem) => `  ${describeProblem(problem)}`);
    const more = problems.length > SHOWN_PROBLEMS ? [`  and ${problems.length - SHOWN_PROBLEMS} more`] : [];
    const counted = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    this.message = [`${subject} cannot be used, ${counted}:`, ...shown, ...more, 'Nothing was touched.'].join('\n');
  }
}

/** Names of the inputs that the step itself gives; the other values are of the stage, or the fallback. */
export type GivenInputs = ReadonlySet<string>;

/** Result of reading one field: the value, or why not. */
export type FieldResult<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly problem: string;
      readonly accepted?: string;
      readonly nearest?: string;
      /** `hidden`: what was given may hold a secret, so no message repeats it. */
      readonly given?: 'hidden';
    };

/** One input of an action: the single source of action.yml's check, of the README's table and of the reader. */
export interface InputField<T> {
  /** The effect, the accepted values, one example, what it excludes. */
  readonly description: string;
  /** For the table: `text`, `duration`, `run | prepare | shift`. */
  readonly accepts: string;
  readonly required: boolean;
  /** The text that stands for an absent input. Stated in the description by action.yml, because a `default:` there would hide sluice.yml. */
  readonly fallback?: string;
  /** `stage`: a value of the same name in the stage of sluice.yml is used when the input is absent. */
  readonly from: 'input' | 'stage';
  readonly secret: boolean;
  /** A dry-run says only that it is given: not all that is secret in it is known to be. */
  readonly shown?: 'presence';
  /** Given as an input, it counts over these in the stage. */
  readonly insteadOf?: readonly string[];
  /** Of a secret that is YAML: the parts that must not be shown. Without it, and where it says undefined, all of the text. */
  secretsIn?(value: unknown): readonly string[] | undefined;
  /** `structure`: the text is YAML (or JSON) and `read` gets the parsed value; else `read` gets the trimmed text. */
  readonly form: 'text' | 'structure';
  /** A YAML list is one value of it, given to `read` as an array of texts. */
  readonly many?: true;
  /** What sluice.yml may hold under its name, for the schema that editors read: all that `read` takes, and little more. */
  readonly shape?: JsonSchema;
  read(value: unknown): FieldResult<T>;
}

export type InputSpec = Readonly<Record<string, InputField<unknown>>>;
type ValueOf<F> = F extends InputField<infer T> ? T : never;
/** Values by input name. An optional field without a fallback reads as undefined when absent. */
export type InputsOf<S extends InputSpec> = { readonly [K in keyof S]: ValueOf<S[K]> };

interface FieldOptions {
  readonly description: string;
  readonly from?: 'input' | 'stage';
}
export interface Required extends FieldOptions {
  readonly required: true;
}
export interface WithFallback extends FieldOptions {
  readonly fallback: string;
}
export interface Optional extends FieldOptions {
  readonly required?: false;
}
type Options = Required | WithFallback | Optional;
/** Required fields and fields with a fallback always have a value. */
type Presence<T, O extends Options> = O extends Required | WithFallback ? T : T | undefined;

interface Kind<T> {
  readonly accepts: string;
  readonly form?: 'text' | 'structure';
  readonly secret?: true;
  secretsIn?(value: unknown): readonly string[] | undefined;
  readonly many?: true;
  readonly shape?: JsonSchema;
  read(value: unknown): FieldResult<T>;
}

function field<T, O extends Options>(options: O, kind: Kind<T>): InputField<Presence<T, O>> {
  return {
    description: options.description,
    accepts: kind.accepts,
    required: 'required' in options && options.required === true,
    ...('fallback' in options ? { fallback: options.fallback } : {}),
    from: options.from ?? 'input',
    secret: kind.secret ?? false,
    form: kind.form ?? 'text',
    ...(kind.secretsIn === undefined ? {} : { secretsIn: kind.secretsIn }),
    ...(kind.many === undefined ? {} : { many: kind.many }),
    ...(kind.shape === undefined ? {} : { shape: kind.shape }),
    read: kind.read as (value: unknown) => FieldResult<Presence<T, O>>,
  };
}

export const text = <O extends Options>(options: O): InputField<Presence<string, O>> =>
  field(options, { accepts: 'text', shape: textShape, read: (value) => ({ ok: true, value: String(value) }) });

/** Masked by the runtime before anything else sees it. */
export const secret = <O extends Options>(options: O): InputField<Presence<string, O>> =>
  field(options, {
    accepts: 'secret',
    secret: true,
    shape: textShape,
    read: (value) => ({ ok: true, value: String(value) }),
  });

/** A document, plain or as base64, of which only parts are secret: as a whole its every line would be, `kind: Config` too. */
export const documentWithSecrets = <O extends Options>(
  options: O,
  secretsIn: (value: unknown) => readonly string[] | undefined,
): InputField<Presence<string, O>> =>
  field(options, {
    accepts: 'secret',
    secret: true,
    secretsIn,
    shape: textShape,
    read: (value) => ({ ok: true, value: String(value) }),
  });

export const oneOf = <const C extends readonly string[], O extends Options>(
  choices: C,
  options: O,
): InputField<Presence<C[number], O>> =>
  field<C[number], O>(options, {
    accepts: choices.join(' | '),
    shape: { enum: choices },
    read(value) {
      const given = String(value);
      if (choices.includes(given)) return { ok: true, value: given };
      const nearest = nearestOf(given, choices);
      return {
        ok: false,
        problem: 'is not one of the accepted values',
        accepted: choices.join(', '),
        ...(nearest ? { nearest } : {}),
      };
    },
  });

/** `true` or `false`, nothing else: `yes`, `1` and the empty string are errors, never a silent no. */
export const flag = <O extends Options>(options: O): InputField<Presence<boolean, O>> =>
  field(options, {
    accepts: 'true | false',
    shape: flagShape,
    read: (value) =>
      String(value) === 'true' || String(value) === 'false'
        ? { ok: true, value: String(value) === 'true' }
        : { ok: false, problem: 'is neither true nor false', accepted: 'true, false' },
  });

export const duration = <O extends Options>(
  options: O & { readonly min?: Duration; readonly max?: Duration },
): InputField<Presence<Duration, O>> =>
  field<Duration, O>(options, {
    accepts: 'duration',
    shape: DURATION_SHAPE,
    read(value) {
      const read = parseDuration(String(value));
      const accepted = 'a number with a unit: 90s, 5m, 1h30m';
      if (read === undefined) return { ok: false, problem: 'is not a duration', accepted };
      if (options.min !== undefined && read < options.min)
        return { ok: false, problem: `is shorter than ${formatDuration(options.min)}`, accepted };
      if (options.max !== undefined && read > options.max)
        return { ok: false, problem: `is longer than ${formatDuration(options.max)}`, accepted };
      return { ok: true, value: read };
    },
  });

/** A whole number in a range. `0`, absent and empty are three inputs. */
export const count = <O extends Options>(
  options: O & { readonly min: number; readonly max: number },
): InputField<Presence<number, O>> =>
  field(options, {
    accepts: `whole number ${options.min}..${options.max}`,
    shape: numberShape(options),
    read(value) {
      const given = String(value).trim();
      const number = /^-?\d+$/.test(given) ? Number(given) : Number.NaN;
      return number >= options.min && number <= options.max
        ? { ok: true, value: number }
        : { ok: false, problem: 'is not a whole number in the range', accepted: `${options.min} to ${options.max}` };
    },
  });

/** One entry a line, or separated by commas; blank entries are dropped. From sluice.yml: a YAML list. */
export const list = <O extends Options>(options: O): InputField<Presence<readonly string[], O>> =>
  field<readonly string[], O>(options, {
    accepts: 'list',
    many: true,
    shape: listShape,
    read: (value) => ({
      ok: true,
      value: (Array.isArray(value) ? value.map(String) : String(value).split(/[\n,]/))
        .map((entry) => entry.trim())
        .filter((entry) => entry !== ''),
    }),
  });

/** Text of one shape, e.g. an ARN. `shape` must match the whole of it; `accepted` describes it with an example. */
export const matching = <O extends Options>(
  options: O & { readonly shape: RegExp; readonly accepts: string; readonly accepted: string },
): InputField<Presence<string, O>> =>
  field(options, {
    accepts: options.accepts,
    shape: textShapeOf(options.shape, `Not ${options.accepts}: ${options.accepted}`),
    read: (value) =>
      fitsWhole(options.shape, String(value))
        ? { ok: true, value: String(value) }
        : { ok: false, problem: `is not ${options.accepts}`, accepted: options.accepted },
  });

/** A list whose entries all have one shape; given but without an entry is an error, never "no restriction". */
export const listMatching = <O extends Options>(
  options: O & { readonly shape: RegExp; readonly accepts: string; readonly accepted: string },
): InputField<Presence<readonly string[], O>> =>
  field<readonly string[], O>(options, {
    accepts: `list of ${options.accepts}`,
    many: true,
    shape: listShapeOf(options.shape, `Not ${options.accepts}: ${options.accepted}`),
    read(value) {
      const entries = entriesOf(value);
      const wrong = entries.find((entry) => !fitsWhole(options.shape, entry));
      if (entries.length === 0) return { ok: false, problem: 'has no entry', accepted: options.accepted };
      if (wrong !== undefined)
        return { ok: false, problem: `has the entry ${JSON.stringify(printable(wrong))}`, accepted: options.accepted };
      return { ok: true, value: entries };
    },
  });

const fitsWhole = (shape: RegExp, given: string): boolean => shape.exec(given)?.[0] === given;

const entriesOf = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value.map(String) : String(value).split(/[\n,]/))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

/** An http or https URL without credentials in it. */
export const httpUrl = <O extends Options>(options: O): InputField<Presence<string, O>> =>
  field(options, {
    accepts: 'http(s) URL',
    shape: urlShape,
    read(value) {
      const given = String(value);
      const url = URL.parse(given);
      const accepted = 'http://host or https://host, without credentials';
      // What stands before an @ may be a password, also in a text that is no URL.
      const hidden = given.includes('@') ? ({ given: 'hidden' } as const) : {};
      if (url !== null && (url.username !== '' || url.password !== ''))
        return { ok: false, problem: 'has credentials in it', accepted, ...hidden };
      return url !== null && /^https?:$/.test(url.protocol)
        ? { ok: true, value: given.replace(/\/+$/, '') }
        : { ok: false, problem: 'is not a base URL', accepted, ...hidden };
    },
  });

/**
 * A value with an inner shape, given as YAML or JSON; `read` judges the parsed value. One that a stage may hold says its
 * `shape`, because nobody else knows it.
 */
export const structure = <T, O extends Options>(
  options: O & { readonly shape?: JsonSchema },
  accepts: string,
  read: (value: unknown) => FieldResult<T>,
): InputField<Presence<T, O>> =>
  field<T, O>(options, {
    accepts,
    form: 'structure',
    ...(options.shape === undefined ? {} : { shape: options.shape }),
    read,
  });

/** The choice within two edits of `given`, or none. */
export function nearestOf(given: string, choices: readonly string[]): string | undefined {
  let best: { choice: string; distance: number } | undefined;
  for (const choice of choices) {
    const distance = editDistance(given.toLowerCase(), choice.toLowerCase());
    if (distance <= Math.max(2, Math.floor(choice.length / 4)) && (best === undefined || distance < best.distance))
      best = { choice, distance };
  }
  return best?.choice;
}
