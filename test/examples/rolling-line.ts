import { readFileSync } from 'node:fs';
import type { Cloud } from '../../sandbox/cloud.ts';
import type { StackSpec } from '../../sandbox/world.ts';
import { type Scene, scene } from '../actions/deploy-ecs/scene.ts';
import { type BundleResult, runBundle } from '../harness/run-bundle.ts';
import { NO_KEYS, type System, filesOf } from './production-line.ts';
import { type Texts, stepOf } from './workflow-steps.ts';

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
      const step = stepOf(workflow, id, known);
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
