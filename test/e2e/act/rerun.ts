import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Repositories } from './repositories.ts';
import type { WorkflowRun } from './runner.ts';

interface Job {
  readonly name?: string;
  readonly uses?: string;
  readonly needs?: unknown;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, string>>;
}
interface Workflow {
  readonly name?: string;
  readonly on?: {
    readonly workflow_call?: {
      readonly inputs?: Readonly<Record<string, { readonly default?: unknown }>>;
      readonly outputs?: Readonly<Record<string, { readonly value: string }>>;
    };
  };
  readonly jobs: Readonly<Record<string, Job>>;
}

export interface Rerun {
  readonly repositories: Repositories;
  /** The caller's workflow that was dispatched, and its inputs. */
  readonly workflow: string;
  readonly inputs: Readonly<Record<string, string>>;
  /** Job of the called pipeline that failed. */
  readonly job: string;
  readonly before: WorkflowRun;
}

/**
 * "Re-run failed jobs": GitHub starts the failed job again, and only that one, with the inputs of the run and the outputs
 * that the other jobs gave in the first attempt. act keeps no outputs, so this makes a workflow of that one job, taken
 * from the pipeline as it stands, in which every `inputs.X` and `needs.JOB.outputs.X` is the value it had. Nothing is
 * given to the job that GitHub would not give to it; no user ever writes such a workflow.
 */
export function failedJobAlone({ repositories, workflow, inputs, job, before }: Rerun): string {
  const caller = parse(readFileSync(join(repositories.caller, '.github/workflows', workflow), 'utf8')) as Workflow;
  const [called] = Object.values(caller.jobs);
  if (called === undefined) throw new Error(`${workflow} has no job`);
  const pipeline = readCalled(repositories, called);
  const given = filled(called.with ?? {}, (kind, [name = '']) =>
    kind === 'inputs' ? (inputs[name] ?? '') : undefined,
  );
  const defaults = Object.entries(pipeline.on?.workflow_call?.inputs ?? {}).map(([name, each]) => [name, each.default]);
  const pipelineInputs: Readonly<Record<string, unknown>> = { ...Object.fromEntries(defaults), ...given };
  const { needs: _, ...alone } = pipeline.jobs[job] ?? {};
  const again = filled(alone, (kind, [name = '', output = '']) => {
    if (kind === 'inputs') return String(pipelineInputs[name] ?? '');
    return kind === 'needs' ? outputOf({ repositories, pipeline, before }, name, output) : undefined;
  });
  // The pipeline's own secrets are the caller's expressions.
  const secrets = called.secrets === undefined ? {} : { secrets: called.secrets };
  return stringify({
    name: caller.name,
    on: 'workflow_dispatch',
    permissions: {},
    jobs: { [job]: { ...again, ...secrets } },
  });
}

interface Attempt {
  readonly repositories: Repositories;
  readonly pipeline: Workflow;
  readonly before: WorkflowRun;
}

/** Follows an output of a called workflow to the step that gave it, and takes what that step gave. */
function outputOf({ repositories, pipeline, before }: Attempt, id: string, output: string): string {
  const calling = pipeline.jobs[id] as Job;
  const stage = readCalled(repositories, calling);
  const [, job = '', name = ''] =
    /jobs\.([\w-]+)\.outputs\.([\w-]+)/.exec(stage.on?.workflow_call?.outputs?.[output]?.value ?? '') ?? [];
  const [, step = '', given = ''] =
    /steps\.([\w-]+)\.outputs\.([\w-]+)/.exec(stage.jobs[job]?.outputs?.[name] ?? '') ?? [];
  const key = Object.keys(before.outputs).find((each) => each.startsWith(`${calling.name ?? id} / `)) ?? '';
  const value = before.outputs[key]?.[step]?.[given];
  if (value === undefined) throw new Error(`job ${id} gave no output ${output} in the first attempt`);
  return value;
}

const readCalled = ({ suite }: Repositories, { uses = '' }: Job): Workflow =>
  parse(readFileSync(join(suite, '.github/workflows', basename(uses.split('@')[0] ?? '')), 'utf8')) as Workflow;

/** A copy in which each `${{ inputs.X }}` and `${{ needs.JOB.outputs.X }}` is replaced by its value. */
function filled<T>(value: T, valueOf: (kind: string, names: readonly string[]) => string | undefined): T {
  if (typeof value === 'string') {
    const text = value.replace(
      /\$\{\{ (inputs|needs)\.([\w-]+)(?:\.outputs\.([\w-]+))? \}\}/g,
      (whole, kind: string, name: string, output?: string) => valueOf(kind, [name, output ?? '']) ?? whole,
    );
    return text as T;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filled(inner as unknown, valueOf)])) as T;
}
