import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { DEMO_PASSWORD, tokenFor } from '../../sandbox/application/tokens.ts';
import type { Cloud } from '../../sandbox/cloud.ts';
import type { Ending } from '../../sandbox/plane/recorder.ts';
import { readConfig, stageOf } from '../../src/runtime/read-config.ts';
import { type Release, type Scene, type SceneOptions, TAGS, scene } from '../actions/blue-green/scene.ts';
import { grantFor } from '../harness/grant.ts';
import { type BundleResult, runBundle } from '../harness/run-bundle.ts';
import { type Texts, callOf, isRun, stepOf } from './workflow-steps.ts';

export type System = 'accunode' | 'financeanalyst-pro' | 'wesign-charts' | 'mdreader';

/** What the secrets of a caller's repository are here. */
const SECRETS = {
  'secrets.CHARTS_TOKEN': tokenFor('demo'),
  'secrets.LOGIN_PASSWORD': DEMO_PASSWORD,
  'secrets.API_PASSWORD': DEMO_PASSWORD,
};

export const textOf = (system: System, file: string): string => readFileSync(`examples/${system}/${file}`, 'utf8');

/**
 * Policy and checks as they stand in the example. WebSockets do not stop the clock of lock-step, so their checks are left
 * to test/examples/checks-and-loads.test.ts.
 */
export function filesOf(system: System): Texts {
  const { checks, ...rest } = parse(textOf(system, 'checks.yml')) as {
    readonly checks: readonly Record<string, unknown>[];
  };
  const others = checks.filter((check) => check['ws'] === undefined && check['signalr'] === undefined);
  return {
    'production-policy.yml': textOf(system, 'production-policy.yml'),
    'checks.yml': stringify({ ...rest, checks: others }),
  };
}

/** The jobs of the examples have no keys: they assume the role of their stage. */
export const NO_KEYS = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
};

/** A step that ran, or a whole job: what it said and gave. */
export interface Job {
  /** By the id of the step; those that ran. */
  readonly steps: Readonly<Record<string, BundleResult>>;
  readonly stdout: string;
}

export interface Asked {
  readonly image?: Release;
  /** `version` of the workflow that releases. Default: the tag of the image. */
  readonly version?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Other secrets of the caller's repository. */
  readonly secrets?: Texts;
  readonly until?: 'shift';
  /** Between `prepare` and `shift`. */
  readonly prepared?: () => Promise<void>;
}

export interface ProductionLine extends Scene {
  /** The job of the example that calls production.yml, step by step as that workflow has them. */
  release(asked?: Asked): Promise<Job>;
  /** One step of a workflow in a run of its own. */
  play(workflow: string, step: string, known: Texts): Promise<BundleResult>;
}

/** What the runner of a production line has. */
export interface Runner {
  readonly files: Texts;
  readonly workflow: string;
  /** What was approved. Default: production. */
  readonly environment?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  readonly images: (release: Release) => object;
}

interface Stage {
  readonly name: string;
  readonly values: ReadonlyMap<string, { readonly value: unknown }>;
  readonly service: { readonly name: string; readonly repository: string };
}

export function stageIn(system: System, name: string): Stage {
  const config = readConfig(textOf(system, 'sluice.yml'), 'sluice.yml');
  const read = config.ok ? stageOf(config.value, name) : config;
  if (!config.ok || !read.ok) throw new Error(`the stage ${name} of ${system} cannot be read`);
  const [[service = '', { repository }] = ['', { repository: '' }]] = Object.entries(
    config.value.services as Readonly<Record<string, { readonly repository: string }>>,
  );
  return { name, values: read.value.values, service: { name: service, repository } };
}

type Colors = { readonly blue: string; readonly green: string };
type Route = { readonly alb: { readonly listener: string; readonly port: number }; readonly colors: Colors };

/** The names of the stage in sluice.yml, for the sandbox to build. */
function specOf({ values }: Stage): NonNullable<SceneOptions['spec']> {
  const of = <T>(key: string): T => values.get(key)?.value as T;
  const { alb, colors } = of<Route | undefined>('router') ?? of<readonly Route[]>('routes')[0]!;
  const services = of<Colors>('services');
  const [colorHeader = ''] = Object.keys(of<object>('candidate-headers'));
  return {
    names: {
      cluster: of('cluster'),
      services: [services.blue, services.green],
      targetGroups: [colors.blue, colors.green],
      loadBalancer: alb.listener,
    },
    container: of('container'),
    listener: { port: alb.port, protocol: 'HTTPS' },
    colorHeader,
  };
}

/** A system's production as its sluice.yml names it, in an account of its own; the runner's token is all that its job has. */
export async function openProduction(
  cloud: Cloud,
  { system, workflow, files = {} }: { readonly system: System; readonly workflow: string; readonly files?: Texts },
  options: SceneOptions = {},
): Promise<ProductionLine> {
  const stage = stageIn(system, 'production');
  const text = (key: string): string => String(stage.values.get(key)?.value);
  const { repository, name } = stage.service;
  const opened = await scene(cloud, {
    ...options,
    world: { region: text('region') },
    images: { repository, registry: text('registry') },
    spec: specOf(stage),
  });
  const { world, stacked } = opened;
  const [account = ''] = stage.values.get('allowed-account-ids')?.value as readonly string[];
  const runner: Runner = {
    files: {
      ...filesOf(system),
      ...files,
      'sluice.yml': textOf(system, 'sluice.yml')
        .replaceAll(account, world.account)
        .replaceAll(text('url'), stacked.url),
    },
    workflow: `examples/${system}/.github/workflows/${workflow}`,
    env: { ...(await world.run('run-1')), GITHUB_RUN_ID: '1', ...NO_KEYS },
    now: () => world.now(),
    images: (release) => ({ [name]: { repository, digest: opened.images[release].split('@')[1], tag: TAGS[release] } }),
  };
  return {
    ...opened,
    release: (asked = {}) => releaseWith(runner, asked),
    async play(of, id, known) {
      const env = { ...(await world.run('run-2')), GITHUB_RUN_ID: '2', ...NO_KEYS };
      return playStep({ ...runner, env }, { workflow: of, id, known: { ...SECRETS, ...known } });
    },
  };
}

const STEPS = ['prepare', 'shift', 'smoke-users', 'finish', 'go-back'];

/** As the steps of production.yml follow each other, each by its own condition. */
export async function releaseWith(runner: Runner, asked: Asked): Promise<Job> {
  const { image = 'good', version = TAGS[image], secrets = {} } = asked;
  const images = runner.images(image);
  const approval = grantFor(images, { at: runner.now(), environment: runner.environment ?? 'production' });
  const known = {
    ...SECRETS,
    ...secrets,
    'inputs.images': JSON.stringify(images),
    'inputs.version': version,
    'needs.build.outputs.images': JSON.stringify(images),
    'needs.approve.outputs.approval': approval,
    'needs.approval.outputs.approval': approval,
  };
  return playProduction({ ...runner, env: { ...runner.env, ...asked.env } }, known, asked);
}

/** The job `production` calls production.yml, by itself or as a job of pipeline.yml, which the job `release` calls. */
function callOfProduction(workflow: string, caller: Texts): ReturnType<typeof callOf> {
  if (!workflow.includes('wesign-charts')) return callOf(workflow, 'production', caller);
  const { workflow: pipeline, known } = callOf(workflow, 'release', caller);
  return callOf(pipeline, 'production', { ...caller, ...known });
}

async function playProduction(runner: Runner, caller: Texts, { until, prepared }: Asked): Promise<Job> {
  const { workflow, known: given } = callOfProduction(runner.workflow, caller);
  const known: Record<string, string> = { ...given };
  const steps: Record<string, BundleResult> = {};
  let job: 'good' | 'failed' = 'good';
  for (const id of STEPS) {
    if (!isRun(workflow, id, { known, job })) {
      known[`steps.${id}.outcome`] = 'skipped';
      continue;
    }
    const result = await playStep(runner, { workflow, id, known });
    steps[id] = result;
    if (result.exitCode !== 0) job = 'failed';
    known[`steps.${id}.outcome`] = result.exitCode === 0 ? 'success' : 'failure';
    for (const [name, value] of Object.entries(result.outputs)) known[`steps.${id}.outputs.${name}`] = value;
    if (id === 'prepare') await prepared?.();
    if (id === until) break;
  }
  return { steps, stdout: Object.values(steps).map(({ stdout }) => stdout).join('\n') };
} // prettier-ignore

export async function playStep(
  runner: Runner,
  { workflow, id, known }: { readonly workflow: string; readonly id: string; readonly known: Texts },
): Promise<BundleResult> {
  const { action, inputs } = stepOf(workflow, id, known);
  const { files, env, now } = runner;
  return runBundle({ action, inputs, files, env, clock: { lockStepFrom: now() }, timeout: 300_000 });
}

/** Users of one color in the five seconds between two looks. */
export type Played = (color: 'blue' | 'green') => readonly Ending[];

export const answered = (count: number, { status = 200, responseTime = 120 } = {}): readonly Ending[] =>
  Array.from({ length: count }, () => ({ kind: 'answered', status, responseTime }));

/** Looks of the longest line: thirty minutes, one each five seconds, and the looks between the moves. */
const MOST_LOOKS = 2_000;

/** At each look at the targets of a color its users of the time since the last one are entered. */
export function playUsers({ world, stacked }: Scene, users: Played): void {
  for (let ordinal = 1; ordinal <= MOST_LOOKS; ordinal++) {
    world.killAt({
      operation: 'elasticloadbalancing:DescribeRules',
      ordinal,
      run: 'run-1',
      when: 'after',
      signal: 'SIGCONT',
      onHit() {
        for (const color of ['blue', 'green'] as const)
          for (const ending of users(color)) world.played(stacked.services[color]?.targetGroupArn ?? '', ending);
      },
    });
  }
}

/**
 * Real requests, one after the other, until each task of a color has answered one: the demo application's later faults
 * begin with the first request that is no check, in each task by itself.
 */
export async function visitAllTasks({ stacked }: Scene, header: string, tasks = 2): Promise<void> {
  const visited = new Set<string>();
  for (let visit = 0; visited.size < tasks; visit++) {
    if (visit === 50) throw new Error(`50 requests met ${visited.size} of the ${tasks} tasks of green`);
    const answer = await fetch(`${stacked.url}/`, { headers: { [header]: 'green' } });
    visited.add(answer.headers.get('x-app-task') ?? '');
  }
}

const messages = ({ annotations }: BundleResult, level: 'error' | 'warning'): readonly string[] =>
  annotations.flatMap((each) => (each.level === level ? [each.message] : []));

/** What one process, or each step of a job, told in red or yellow. */
export const messagesOf = (of: BundleResult | Job, level: 'error' | 'warning'): string =>
  ('steps' in of ? Object.values(of.steps) : [of]).flatMap((each) => messages(each, level)).join('\n'); // prettier-ignore

export const outputsOf = ({ steps }: Job, id: string): Texts => steps[id]?.outputs ?? {};

/** Seconds from one output of the shift to another. */
export function between(job: Job, from: string, to: string): number {
  const outputs = outputsOf(job, 'shift');
  return (Date.parse(outputs[to] ?? '') - Date.parse(outputs[from] ?? '')) / 1_000;
}
