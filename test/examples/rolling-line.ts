import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Cloud } from '../../sandbox/cloud.ts';
import type { StackSpec } from '../../sandbox/world.ts';
import { type Scene, scene } from '../actions/deploy-ecs/scene.ts';
import { type BundleResult, runBundle } from '../harness/run-bundle.ts';
import { type System, filesOf } from './production-line.ts';

type Texts = Readonly<Record<string, string>>;

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
}

const read = (path: string): unknown => parse(readFileSync(path, 'utf8'));

/** What a step, by its id or its action, gives that action, with the caller's inputs, its secrets and the outputs of steps before. */
function inputsOf(path: string, wanted: string, known: Texts): { readonly action: string; readonly inputs: Texts } {
  const { jobs } = read(path) as {
    jobs: Record<string, { readonly steps: readonly Step[] }>;
  };
  const step = Object.values(jobs)
    .flatMap(({ steps }) => steps)
    .find(({ id, uses }) => id === wanted || actionOf(uses) === wanted);
  if (step?.uses === undefined) throw new Error(`${path} has no step ${wanted} with an action`);
  const filled = Object.entries(step.with ?? {}).map(([name, value]) => [
    name,
    String(value).replaceAll(/\$\{\{ ([\w.-]+) \}\}/g, (_, path: string) => known[path] ?? ''),
  ]);
  return { action: actionOf(step.uses), inputs: Object.fromEntries(filled) as Texts };
}

/** `$/actions/deploy-ecs`, `OWNER/sluice/actions/deploy-ecs@COMMIT` */
const actionOf = (uses = ''): string => /\/actions\/([\w-]+)(?:@|$)/.exec(uses)?.[1] ?? '';

export interface Line extends Scene {
  /** `images` of the build with one entry, by digest. */
  built(release: keyof Scene['images']): string;
  /** One step of a workflow: of the suite by its file's name, of an example by its path. */
  play(workflow: string, step: string, known: Texts, more?: Played): Promise<BundleResult>;
}

export interface Played {
  readonly inputs?: Texts;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Number of the workflow run, 1 by default. */
  readonly run?: number;
}

interface LineOptions {
  readonly system: System;
  /** Of the build: name of the image, and where it is. */
  readonly name: string;
  readonly registry: string;
  readonly repository: string;
  /** Of the stage in the configuration, where each test has one of its own instead. */
  readonly account: string;
  readonly region: string;
  readonly spec: Exclude<Parameters<typeof scene>[1], undefined | Partial<StackSpec>>;
}

/** A system's own account, role, names and files; the runner's token is all that its jobs have. */
export async function openLine(cloud: Cloud, options: LineOptions): Promise<Line> {
  const { system, name, registry, repository, account, region, spec } = options;
  const opened = await scene(cloud, spec, { world: { region }, images: { repository, registry } });
  const configuration = readFileSync(`examples/${system}/sluice.yml`, 'utf8');
  if (!configuration.includes(account)) throw new Error(`${system} has no stage in account ${account}`);
  const files = { ...filesOf(system), 'sluice.yml': configuration.replaceAll(account, opened.world.account) };
  return {
    ...opened,
    built: (release) =>
      JSON.stringify({ [name]: { repository, digest: opened.images[release].split('@')[1], tag: '2' } }),
    async play(workflow, id, known, { inputs = {}, env = {}, run = 1 } = {}) {
      const path = workflow.includes('/') ? workflow : `.github/workflows/${workflow}`;
      const step = inputsOf(path, id, known);
      const own = { ...(await opened.world.run(`run-${run}`)), GITHUB_RUN_ID: String(run), ...NO_KEYS, ...env };
      const { clock } = opened.step();
      return runBundle({
        action: step.action,
        inputs: { ...step.inputs, ...inputs },
        env: own,
        files,
        clock: clock ?? 'real',
        timeout: 120_000,
      });
    },
  };
}

/** The jobs of the examples have no keys: they assume the role of their stage. */
const NO_KEYS = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_SESSION_TOKEN: undefined };
