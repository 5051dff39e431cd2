import { basename } from 'node:path';
import { parse } from 'yaml';

interface Described {
  readonly description?: string;
  readonly type?: string;
  readonly required?: boolean;
  readonly value?: string;
}
type Table<T = Described> = Readonly<Record<string, T>>;

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Table<unknown>;
}
interface Job {
  readonly if?: string;
  readonly uses?: string;
  readonly needs?: string | readonly string[];
  readonly environment?: unknown;
  readonly concurrency?: { readonly 'cancel-in-progress'?: unknown };
  readonly permissions?: Table<string>;
  readonly outputs?: Table<string>;
  readonly with?: Table<unknown>;
  readonly secrets?: Table<unknown>;
  readonly steps?: readonly Step[];
}
interface Call {
  readonly inputs?: Table;
  readonly secrets?: Table;
  readonly outputs?: Table;
}
interface Workflow {
  readonly on?: {
    readonly workflow_call?: Call | null;
    readonly workflow_dispatch?: { readonly inputs?: Table } | null;
  };
  readonly jobs?: Table<Job>;
}

export interface ActionNames {
  /** Description by name; a choice says in it what it accepts. */
  readonly inputs: Table<string>;
  readonly outputs: readonly string[];
}
export interface CallSources {
  /** Text by path. */
  readonly workflows: Table<string>;
  /** By the name of the action's folder. */
  readonly actions: Table<ActionNames>;
}

interface Known {
  readonly workflows: ReadonlyMap<string, Workflow>;
  readonly actions: Table<ActionNames>;
}

/**
 * Where a workflow and what it uses do not fit together: actions, called workflows, outputs, rights. GitHub itself finds
 * most of these only when the job starts, some never (an output that nobody sets is an empty text).
 */
export function callProblems({ workflows, actions }: CallSources): string[] {
  const parsed = Object.entries(workflows).map(([path, text]) => [path, parse(text) as Workflow] as const);
  // A caller of another repository names a workflow of the suite by its file name.
  const suite = parsed.filter(([path]) => path.startsWith('.github/'));
  const known: Known = { workflows: new Map(suite.map(([path, each]) => [basename(path), each])), actions };
  return parsed.flatMap(([path, workflow]) =>
    [...jobsProblems(workflow, known), ...interfaceProblems(workflow, known), ...stepIdProblems(workflow)].map(
      (problem) => `${path}: ${problem}`,
    ),
  );
}

const jobsProblems = (workflow: Workflow, known: Known): string[] =>
  Object.entries(workflow.jobs ?? {}).flatMap(([name, job]) =>
    [
      ...(job.steps ?? []).flatMap((step) => actionProblems(step, known)),
      ...stepOutputProblems(job, known),
      ...needsProblems(job, workflow, known),
      ...calledProblems(job, known),
      ...lockProblems(job),
    ].map((problem) => `job ${name}: ${problem}`),
  );

const OWN_ACTION = /^(?:\$|\.|[^/]+\/sluice)\/actions\/([a-z0-9-]+)(?:@\S+)?$/;
const OWN_WORKFLOW = /^(?:\$|\.|[^/]+\/sluice)\/\.github\/workflows\/([^@/]+)(?:@\S+)?$/;

function actionProblems({ uses = '', with: given = {} }: Step, { actions }: Known): string[] {
  const name = OWN_ACTION.exec(uses)?.[1];
  if (name === undefined) return [];
  const action = actions[name];
  if (action === undefined) return [`no action is called ${name}`];
  return [
    ...missingFrom(Object.keys(action.inputs), Object.keys(given)).map((input) => `${name} has no input ${input}`),
    ...Object.entries(given).flatMap(([input, value]) => {
      const accepted = /Accepts:\s+([\w-]+(?:\s+\|\s+[\w-]+)+)\./
        .exec(action.inputs[input] ?? '')?.[1]
        ?.split(/\s+\|\s+/);
      const fits = accepted === undefined || String(value).includes('${{') || accepted.includes(String(value));
      return fits ? [] : [`${name} does not accept ${input}: ${String(value)}`];
    }),
  ];
}

/** `steps.ID.outputs.NAME`: the step is in this job, and the action declares the output or the script writes it. */
function stepOutputProblems(job: Job, { actions }: Known): string[] {
  return references(job, /\bsteps\.([\w-]+)\.outputs\.([\w-]+)/g).flatMap(([id = '', output = '']) => {
    const step = job.steps?.find((each) => each.id === id);
    if (step === undefined) return [`no step has the id ${id}`];
    const action = actions[OWN_ACTION.exec(step.uses ?? '')?.[1] ?? ''];
    const isGiven = action?.outputs.includes(output) ?? (step.uses !== undefined || step.run?.includes(`${output}=`));
    return isGiven === true ? [] : [`step ${id} gives no output ${output}`];
  });
}

function needsProblems(job: Job, { jobs = {} }: Workflow, known: Known): string[] {
  const needed = [job.needs ?? []].flat();
  return references(job, /\bneeds\.([\w-]+)\.outputs\.([\w-]+)/g).flatMap(([id = '', output = '']) => {
    const source = jobs[id];
    if (source === undefined || !needed.includes(id)) return [`${id} is not among its needs`];
    // A job that is skipped has no outputs, and an empty text looks like a value.
    if (source.if !== undefined) return [`reads outputs of ${id}, which may be skipped`];
    return outputsOf(source, known).includes(output) ? [] : [`job ${id} gives no output ${output}`];
  });
}

const outputsOf = (job: Job, known: Known): readonly string[] =>
  Object.keys(job.outputs ?? calledBy(job, known)?.on?.workflow_call?.outputs ?? {});

const calledBy = (job: Job, { workflows }: Known): Workflow | undefined =>
  workflows.get(OWN_WORKFLOW.exec(job.uses ?? '')?.[1] ?? '');

function calledProblems(job: Job, known: Known): string[] {
  if (job.uses === undefined) return [];
  const name = OWN_WORKFLOW.exec(job.uses)?.[1] ?? job.uses;
  const called = calledBy(job, known);
  const call = called?.on?.workflow_call;
  if (called === undefined || call === undefined) return [`${name} is no workflow that can be called`];
  const { inputs = {}, secrets = {} } = call ?? {};
  const given = Object.keys(job.with ?? {});
  const required = Object.keys(inputs).filter((input) => inputs[input]?.required === true);
  return [
    ...missingFrom(Object.keys(inputs), given).map((input) => `${name} has no input ${input}`),
    ...missingFrom(given, required).map((input) => `${name} needs the input ${input}`),
    ...missingFrom(Object.keys(secrets), Object.keys(job.secrets ?? {})).map((each) => `${name} has no secret ${each}`),
    ...rightsProblems(job, called).map((right) => `${name} needs the permission ${right}`),
  ];
}

const LEVELS = ['none', 'read', 'write'];

/** GitHub refuses a run whose called jobs ask for more than the calling job has. */
function rightsProblems(job: Job, called: Workflow): string[] {
  const wanted = Object.values(called.jobs ?? {}).flatMap(({ permissions = {} }) => Object.entries(permissions));
  const missing = wanted.filter(
    ([scope, level]) => LEVELS.indexOf(job.permissions?.[scope] ?? 'none') < LEVELS.indexOf(level),
  );
  return [...new Set(missing.map(([scope, level]) => `${scope}: ${level}`))];
}

/** Two jobs in one environment at once is what the lock is for; cancelling a deployment in flight is never the answer. */
function lockProblems({ environment, concurrency }: Job): string[] {
  if (environment === undefined) return [];
  return concurrency?.['cancel-in-progress'] === false ? [] : ['has an environment and no lock on it'];
}

/** What a workflow offers to its callers is described, used, and the same for a person who dispatches it. */
function interfaceProblems(workflow: Workflow, known: Known): string[] {
  const { workflow_call: call, workflow_dispatch: dispatch } = workflow.on ?? {};
  const { inputs = {}, secrets = {}, outputs = {} } = call ?? {};
  const used = (kind: string): Set<string> =>
    new Set(references(workflow.jobs, new RegExp(`\\b${kind}\\.([\\w-]+)`, 'g')).map(([name = '']) => name));
  const all = [...Object.entries(inputs), ...Object.entries(secrets), ...Object.entries(outputs)];
  return [
    ...all
      .filter(([, { description = '' }]) => description.trim() === '')
      .map(([name]) => `${name} has no description`),
    ...Object.keys(inputs).flatMap((name) => (used('inputs').has(name) ? [] : [`the input ${name} is not used`])),
    ...Object.keys(secrets).flatMap((name) => (used('secrets').has(name) ? [] : [`the secret ${name} is not used`])),
    ...Object.entries(outputs).flatMap(([name, { value = '' }]) => {
      const [, id = '', output = ''] = /\bjobs\.([\w-]+)\.outputs\.([\w-]+)/.exec(value) ?? [];
      const job = workflow.jobs?.[id];
      return job !== undefined && outputsOf(job, known).includes(output)
        ? []
        : [`the output ${name} comes from nowhere`];
    }),
    ...(call && dispatch ? differingInputs(inputs, dispatch.inputs ?? {}) : []),
  ];
}

function differingInputs(called: Table, dispatched: Table): string[] {
  const shown = (input: Described | undefined): string =>
    JSON.stringify({ ...input, type: input?.type === 'choice' ? 'string' : input?.type, options: undefined });
  const names = new Set([...Object.keys(called), ...Object.keys(dispatched)]);
  return [...names]
    .filter((name) => shown(called[name]) !== shown(dispatched[name]))
    .map((name) => `the input ${name} differs between call and dispatch`);
}

/** Unique over all jobs: some runners evaluate the outputs of a called workflow against the steps of its last job. */
function stepIdProblems({ jobs = {} }: Workflow): string[] {
  const ids = Object.values(jobs).flatMap(({ steps = [] }) => steps.flatMap(({ id }) => id ?? []));
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  return twice.map((id) => `the step id ${id} is there twice`);
}

const missingFrom = (known: readonly string[], names: readonly string[]): string[] =>
  names.filter((name) => !known.includes(name));

/** The groups of every match in any text below a value. */
function references(value: unknown, pattern: RegExp): string[][] {
  if (typeof value === 'string') return [...value.matchAll(pattern)].map((match) => match.slice(1));
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((inner) => references(inner, pattern));
}
