import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, startEngine } from '../sandbox/engine/engine.ts';
import { type Registry, startRegistry } from '../sandbox/engine/registry.ts';
import { runBundle } from '../test/harness/run-bundle.ts';
import { type Bench, type Figure, median } from './figures.ts';

const ROUNDS = 5;

interface Place {
  readonly engine: Engine;
  readonly registry: Registry;
  readonly context: string;
}

/** `docker build && docker push` by the engine's own client, in milliseconds. */
function byHand({ engine, context }: Place, name: string): number {
  const env = { ...process.env, ...engine.env, DOCKER_BUILDKIT: '1' };
  const docker = join(engine.clientFolder, 'docker');
  const started = performance.now();
  for (const args of [
    ['build', '--tag', name, context],
    ['push', name],
  ]) {
    const { status, stderr } = spawnSync(docker, args, { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }
  return performance.now() - started;
}

/** The action as the runner starts it, from the start of its process to its end. */
async function byAction({ engine, registry, context }: Place, repository: string, commit: string): Promise<number> {
  const run = await runBundle({
    action: 'build-image',
    inputs: {
      repository,
      registry: registry.host,
      context,
      file: join(context, 'Dockerfile'),
      tags: 'type=ref,event=branch\ntype=sha',
    },
    env: { ...engine.env, GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/heads/main', GITHUB_SHA: commit },
  });
  if (run.exitCode !== 0) throw new Error(run.stdout);
  return run.wall;
}

/** `docker` by hand holds this process up, so that what the registry wrote meanwhile is still to be read. */
async function counted(registry: Registry): Promise<number> {
  await sleep(300);
  return registry.requests().length;
}

const commitOf = (round: number): string => String(round).padStart(40, '0');

async function figures(place: Place): Promise<readonly Figure[]> {
  const { registry, context } = place;
  const cold: { own: number; hand: number }[] = [];
  const warm: { own: number; hand: number }[] = [];
  const again: number[] = [];
  const calls: { own: number; hand: number }[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    // Another page is another layer: built and pushed by both, the first in turn.
    const turn = async (what: string, kept: { own: number; hand: number }[], number: number): Promise<void> => {
      writeFileSync(join(context, 'page.txt'), `${what} hand ${round}`);
      if (what === 'warm') byHand(place, `${registry.host}/bench/hand:${number}`);
      const beforeHand = await counted(registry);
      const hand = byHand(place, `${registry.host}/bench/hand:${number}`);
      const callsByHand = (await counted(registry)) - beforeHand;
      writeFileSync(join(context, 'page.txt'), `${what} own ${round}`);
      if (what === 'warm') byHand(place, `${registry.host}/bench/own-${what}:warmed`);
      const before = await counted(registry);
      const own = await byAction(place, `bench/own-${what}`, commitOf(number));
      calls.push({ own: (await counted(registry)) - before, hand: callsByHand });
      kept.push({ own, hand });
    };
    await turn('cold', cold, round);
    await turn('warm', warm, 100 + round);
    again.push(await byAction(place, 'bench/own-warm', commitOf(100 + round)));
  }
  const overhead = (all: readonly { own: number; hand: number }[]): number =>
    median(all.map(({ own, hand }) => own - hand)) / 1_000;
  const hand = (all: readonly { hand: number }[]): number => median(all.map((each) => each.hand)) / 1_000;
  return [
    {
      name: 'more than docker build && docker push, cold',
      value: overhead(cold),
      unit: 's',
      goal: 1,
      comparison: { name: 'by hand', value: hand(cold) },
    },
    {
      name: 'more than docker build && docker push, warm',
      value: overhead(warm),
      unit: 's',
      goal: 1,
      comparison: { name: 'by hand', value: hand(warm) },
    },
    { name: 'the same commit again, without a build', value: median(again) / 1_000, unit: 's', goal: 1 },
    {
      // The engine's own calls differ with the repositories that it knows of and tries to mount from; ours do not.
      name: 'registry calls of a push with two more tags, beside the engine alone',
      value: median(calls.map(({ own, hand }) => own - hand)),
      unit: 'calls',
      goal: 15,
      comparison: { name: 'the engine', value: median(calls.map(({ hand }) => hand)) },
    },
  ];
}

const bench: Bench = {
  title: 'build-image beside docker build && docker push',
  async run() {
    const [engine, registry] = await Promise.all([startEngine(), startRegistry()]);
    const context = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    try {
      copyFileSync(engine.busybox, join(context, 'busybox'));
      writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY busybox /busybox\nCOPY page.txt /page.txt\n');
      return await figures({ engine, registry, context });
    } finally {
      await Promise.all([engine.stop(), registry.stop()]);
      rmSync(context, { recursive: true });
    }
  },
};

export default bench;
