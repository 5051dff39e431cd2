import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

// What a runner does with the expressions of a workflow, as far as the examples use them: `${{ inputs.images }}`, and
// `==`, `!=`, `&&`, `||` and parentheses over such names and texts in quotes; in the `if` of a step also what asks how the
// job has fared.

export type Texts = Readonly<Record<string, string>>;

interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
}
interface Job {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
  readonly secrets?: Texts;
  readonly steps?: readonly Step[];
}
interface Workflow {
  readonly on: { readonly workflow_call?: { readonly inputs?: Readonly<Record<string, { default?: unknown }>> } };
  readonly jobs: Readonly<Record<string, Job>>;
}

const read = (path: string): Workflow => parse(readFileSync(path, 'utf8')) as Workflow;

/** Of the suite by its file's name, of an example by its path. */
export const workflowPath = (workflow: string): string =>
  workflow.includes('/') ? workflow : `.github/workflows/${workflow}`;

/** What a step, by its id, its name or its action, gives that action, with the caller's inputs, its secrets and the outputs of steps before. */
export function stepOf(workflow: string, wanted: string, known: Texts): { readonly action: string; readonly inputs: Texts } {
  const path = workflowPath(workflow);
  const step = foundIn(path, wanted);
  if (step?.uses === undefined) throw new Error(`${path} has no step ${wanted} with an action`);
  return { action: actionOf(step.uses), inputs: filled(step.with ?? {}, known) };
} // prettier-ignore

const foundIn = (path: string, wanted: string): Step | undefined =>
  Object.values(read(path).jobs)
    .flatMap(({ steps = [] }) => steps)
    .find(({ id, name, uses }) => id === wanted || name === wanted || actionOf(uses) === wanted);

/** Whether a runner begins the step: by its `if`, and only while no step has failed where that does not ask. */
export function isRun(
  workflow: string,
  wanted: string,
  { known, job }: { readonly known: Texts; readonly job: 'good' | 'failed' },
): boolean {
  const [, condition = ''] = /^\$\{\{ (.+) \}\}$/.exec(foundIn(workflowPath(workflow), wanted)?.if ?? '') ?? [];
  const failed = job === 'failed' ? 'true' : '';
  const asked = condition.replaceAll('failure()', `'${failed}'`).replaceAll('cancelled()', `''`);
  if (asked === condition && job === 'failed') return false;
  return asked === '' || valueOf(asked, known) !== '';
}

/** What a stage workflow of the suite knows when a job of an example calls it. */
export function callOf(of: string, name: string, known: Texts): { readonly workflow: string; readonly known: Texts } {
  const path = workflowPath(of);
  const job = read(path).jobs[name];
  const [, workflow = ''] = /\/\.github\/workflows\/([\w.-]+)(?:@|$)/.exec(job?.uses ?? '') ?? [];
  if (workflow === '') throw new Error(`the job ${name} of ${path} calls no workflow of the suite`);
  const { inputs = {} } = read(workflowPath(workflow)).on.workflow_call ?? {};
  const defaults = Object.entries(inputs).map(([input, field]) => [input, String(field.default ?? '')]);
  const given = { ...(Object.fromEntries(defaults) as Texts), ...filled(job?.with ?? {}, known) };
  return {
    workflow,
    known: { ...under('inputs', given), ...under('secrets', filled(job?.secrets ?? {}, known)) },
  };
}

/** `{ images: x }` as `{ 'inputs.images': x }`. */
export const under = (context: string, values: Texts): Texts =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${context}.${name}`, value]));

const filled = (values: Readonly<Record<string, unknown>>, known: Texts): Texts =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      String(value).replaceAll(/\$\{\{ (.+?) \}\}/g, (_, expression: string) => valueOf(expression, known)),
    ]),
  );

function valueOf(expression: string, known: Texts): string {
  const tokens = expression.match(/'[^']*'|[\w.-]+|[!=]=|&&|\|\||[()]|\S/g) ?? [];
  const refuse = (): never => {
    throw new Error(`the expression ${expression} is none that is read here`);
  };
  const isNext = (operator: string): boolean => tokens[0] === operator && tokens.shift() !== undefined;
  const one = (): string => {
    const token = tokens.shift() ?? refuse();
    if (token !== '(')
      return token.startsWith("'") ? token.slice(1, -1) : /^[\w.-]+$/.test(token) ? (known[token] ?? '') : refuse();
    const inside = either();
    return isNext(')') ? inside : refuse();
  };
  const compared = (): string => {
    const left = one();
    if (isNext('==')) return left === one() ? 'true' : '';
    return isNext('!=') ? (left === one() ? '' : 'true') : left;
  };
  // As in GitHub's language both give one of their sides; the right side is read in any case.
  const both = (): string => {
    let value = compared();
    while (isNext('&&')) value = [value, compared()][value === '' ? 0 : 1] ?? '';
    return value;
  };
  const either = (): string => {
    let value = both();
    while (isNext('||')) value = [value, both()].find((side) => side !== '') ?? '';
    return value;
  };
  const value = either();
  return tokens.length === 0 ? value : refuse();
}

/** `$/actions/deploy-ecs`, `OWNER/sluice/actions/deploy-ecs@COMMIT` */
const actionOf = (uses = ''): string => /\/actions\/([\w-]+)(?:@|$)/.exec(uses)?.[1] ?? '';
