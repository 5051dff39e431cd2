import {
  type Checked,
  type InputField,
  type InputProblem,
  type InputsOf,
  bad,
  good,
  nearestOf,
  printable,
} from '../inputs.ts';
import { type JsonSchema, closed } from '../json-schema.ts';
import { listShapeOf } from '../input-shapes.ts';
import { ACCEPTED_APPROVERS, APPROVER_SHAPE } from './approvers.ts';
import { EXCLUDABLE, type GateRules, gateInputs, gateRules } from './gate-inputs.ts';

type GateKey = keyof typeof gateInputs;
const KEYS = Object.keys(gateInputs) as readonly GateKey[];

const APPROVERS = listShapeOf(APPROVER_SHAPE, ACCEPTED_APPROVERS);
/** Here a value stands alone; in a stage of sluice.yml it is judged with the others, when the stage is known. */
const ENTRIES: Partial<Record<GateKey, JsonSchema>> = {
  approvers: APPROVERS,
  'override-approvers': APPROVERS,
  exclude: listShapeOf(new RegExp(EXCLUDABLE.join('|')), EXCLUDABLE.join(', ')),
};

/** The file of a gate: the same words as the inputs of approval-gate, as keys. */
export const GATE_SCHEMA: JsonSchema = {
  ...closed(Object.fromEntries(KEYS.map((key) => [key, propertyOf(key)])) as Readonly<Record<GateKey, JsonSchema>>, {
    required: KEYS.filter((key) => gateInputs[key].required),
  }),
  title: 'Gate of Sluice',
  description: 'Who may let a step in, and when: the file that `approve` of a step of the policy names.',
};

function propertyOf(key: GateKey): JsonSchema {
  const field: InputField<unknown> = gateInputs[key];
  const { shape = {}, description, fallback } = { ...field, shape: ENTRIES[key] ?? field.shape };
  const given = fallback === undefined ? '' : ` Default: \`${fallback}\`.`;
  return { ...shape, description: `${description}${given}` };
}

/** PURE. Reads a parsed YAML document; every problem at once, each with the path of its value. */
export function parseGate(value: unknown): Checked<GateRules> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return bad({
      input: 'gate',
      given: printable(value ?? ''),
      problem: 'is not a mapping',
      accepted: KEYS.join(', '),
    });
  const given = value as Readonly<Record<string, unknown>>;
  const problems: InputProblem[] = Object.keys(given)
    .filter((key) => !KEYS.some((known) => known === key))
    .map((key) => unknownKey(key));
  const values: Record<string, unknown> = {};
  for (const key of KEYS) {
    const read = readKey(key, given[key]);
    if (read.ok) values[key] = read.value;
    else problems.push(...read.problems);
  }
  if (problems.length > 0) return bad(...problems);
  // The loop above has put a value of each field's own type under each name.
  return gateRules(values as InputsOf<typeof gateInputs>);
}

function unknownKey(key: string): InputProblem {
  const nearest = nearestOf(key, KEYS);
  const known = { input: key, problem: 'is not a known key', accepted: KEYS.join(', ') };
  return nearest === undefined ? known : { ...known, nearest };
}

function readKey(key: GateKey, given: unknown): Checked<unknown> {
  const field: InputField<unknown> = gateInputs[key];
  if (given === undefined) {
    if (field.required) return bad({ input: key, problem: 'is missing' });
    return field.fallback === undefined ? good(undefined) : checked(key, field, field.fallback);
  }
  // A blank `exclude` would exclude nobody.
  if (given === null || (typeof given === 'string' && given.trim() === ''))
    return bad({ input: key, problem: 'has no value; give one or remove the key' });
  if (field.form === 'structure') return checked(key, field, given);
  if (Array.isArray(given) && field.many === true) return readList(key, field, given);
  if (typeof given === 'object')
    return bad({ input: key, given: printable(given), problem: `is not ${field.accepts}` });
  return checked(key, field, String(given).trim());
}

function readList(key: GateKey, field: InputField<unknown>, given: readonly unknown[]): Checked<unknown> {
  if (given.length === 0) return bad({ input: key, problem: 'has no entry; give one or remove the key' });
  if (given.some((entry) => typeof entry === 'object' || String(entry).trim() === ''))
    return bad({ input: key, given: printable(given), problem: 'has an entry that is no text; give one or remove it' });
  return checked(key, field, given.map(String));
}

function checked(key: GateKey, field: InputField<unknown>, given: unknown): Checked<unknown> {
  const read = field.read(given);
  if (read.ok) return good(read.value);
  const { problem, accepted, nearest } = read;
  return bad({
    input: key,
    given: printable(given),
    problem,
    ...(accepted === undefined ? {} : { accepted }),
    ...(nearest === undefined ? {} : { nearest }),
  });
}
