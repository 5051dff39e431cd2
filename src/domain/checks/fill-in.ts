import type { Path, StepValues, Template } from './document.ts';
import { type DocumentProblem, complain } from './place.ts';
import { randomValue } from './random-call.ts';
import { type Values, fill, namesIn } from './template.ts';

/** An environment variable of the step; undefined when unset or empty. */
export type Environment = (name: string) => string | undefined;

/** What filling in needs, and what it gathers on the way. */
export interface Filling {
  readonly variables: Readonly<Record<string, Template>>;
  readonly environment: Environment;
  readonly problems: DocumentProblem[];
  readonly secrets: Set<string>;
  /** Of the turn of a flow; without them a captured name is an empty text. */
  readonly turn?: StepValues;
  /** How many references were met whose value is another one at every turn. */
  readonly byTurn: { count: number };
}

export const newFilling = (
  environment: Environment,
  variables: Filling['variables'] = {},
  turn?: StepValues,
): Filling => ({
  variables,
  environment,
  problems: [],
  secrets: new Set(),
  byTurn: { count: 0 },
  ...(turn === undefined ? {} : { turn }),
});

/** The place of a text; problems name the check when it is one's. */
export interface Where {
  readonly path: Path;
  readonly check?: string;
}

export function complainAt({ problems }: Filling, { path, check }: Where, problem: string, accepted?: string): void {
  complain(
    { value: undefined, path, problems },
    check === undefined || check === '' ? problem : `${problem} (check ${check})`,
    {
      accepted,
    },
  );
}

/** The text with its references replaced; a missing variable is one problem for each place. */
export function fillIn(filling: Filling, template: Template, where: Where): string {
  const missing = new Set<string>();
  const fromEnvironment = (name: string): string => {
    const value = filling.environment(name);
    if (value === undefined) missing.add(name);
    return value ?? '';
  };
  const values: Values = {
    random(call) {
      filling.byTurn.count += 1;
      return filling.turn === undefined ? '' : randomValue(call, filling.turn.random);
    },
    of(kind, name) {
      if (kind === 'environment') return fromEnvironment(name);
      const inner = filling.variables[name];
      if (inner !== undefined) return fill(inner, { ...values, of: (_, each) => fromEnvironment(each) });
      filling.byTurn.count += 1;
      return filling.turn?.captured.get(name) ?? '';
    },
  };
  const filled = fill(template, values);
  for (const name of missing) {
    complainAt(
      filling,
      where,
      `needs the environment variable ${name}, which is not set`,
      `\`env: ${name}: ...\` on the step, or a line ${name}=... of check-secrets`,
    );
  }
  return filled;
}

export function noteSecret(filling: Filling, name: string): void {
  const value = filling.environment(name);
  if (value !== undefined) filling.secrets.add(value);
}

/** Values of the environment that stand in a text whose place is secret by its nature. */
export function noteSecrets(filling: Filling, template: Template): void {
  for (const name of namesIn(template, 'environment')) noteSecret(filling, name);
  for (const variable of namesIn(template, 'variable')) {
    const inner = filling.variables[variable];
    if (inner !== undefined) noteSecrets(filling, inner);
  }
}

const SECRET_HEADER = /authorization|cookie|token|secret|api-?key|password/;

export const fillHeaders = (
  filling: Filling,
  headers: Readonly<Record<string, Template>>,
  where: Where,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, template]) => {
      if (SECRET_HEADER.test(name)) noteSecrets(filling, template);
      return [name, fillHeader(filling, template, { ...where, path: [...where.path, name] })];
    }),
  );

/** RFC 9110 5.5: printable ASCII, blanks, and bytes above 0x7f. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export function fillHeader(filling: Filling, template: Template, where: Where): string {
  const text = fillIn(filling, template, where);
  if (!HEADER_VALUE.test(text)) {
    complainAt(filling, where, 'has a line break or another character that a header cannot carry when it is filled in');
  }
  return text;
}
