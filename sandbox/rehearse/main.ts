import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { seconds } from '../../src/domain/duration.ts';
import { Failure, messageOf } from '../../src/domain/failure.ts';
import { DEMO_USER, tokenFor } from '../application/tokens.ts';
import { type Cloud, type World, startCloud } from '../cloud.ts';
import { type Stack, stack } from '../world.ts';
import { approvalOf, approve } from './approve.ts';
import { type Arguments, readArguments } from './arguments.ts';
import { COLOR_HEADER, type Chain, releaseStage } from './chain.ts';
import { type RehearsalConfiguration, configurationText, readConfiguration } from './configuration.ts';
import type { StagePlan } from './plan.ts';
import { makeWorkspace } from './step.ts';
import { type StageStory, markdownOf, tableOf, wordsOfHarm } from './story.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const EXAMPLE = join(ROOT, 'examples/wesign-charts/sluice.yml');
const SCALING = { divisor: 25, floor: seconds(1) };
const STABLE = '1.4.0';

const say = (line: string): void => console.log(line);

async function main(): Promise<number> {
  const given = readArguments(process.argv.slice(2), EXAMPLE);
  if (typeof given === 'string') {
    console.error(given);
    return 2;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const configuration = await readConfiguration(resolve(given.config), SCALING);
  say(
    `Rehearsing ${configuration.stages.map((stage) => stage.name).join(' -> ')} with a release that is ${given.release === 'good' ? 'good' : `bad (${given.release})`}`,
  );
  const cloud = await startCloud({ clock: 'real' });
  try {
    return await rehearse(given, configuration, cloud, stop.signal);
  } finally {
    await cloud.stop();
  }
}

async function rehearse(
  given: Arguments,
  configuration: RehearsalConfiguration,
  cloud: Cloud,
  signal: AbortSignal,
): Promise<number> {
  const world = await cloud.createWorld({ tasks: 'processes' });
  const built = await buildStages(world, configuration.stages);
  const version = given.release === 'good' ? '1.5.0' : `1.5.0-${given.release}`;
  const repository = repositoryOf(configuration);
  const { digest, pinned } = await world.publishImage({ repository, tag: version });
  const [first] = configuration.stages;
  const images = JSON.stringify({ [first?.container ?? 'web']: { repository, digest, tag: version } });
  const registry = pinned.slice(0, pinned.indexOf('/'));
  const workspace = await makeWorkspace({
    ...configuration.files,
    'sluice.yml': configurationText(configuration.values),
  });
  const chain: Chain = {
    workspace,
    env: environmentOf(world, cloud, configuration),
    images,
    registry,
    version,
    say,
    signal,
  };
  const stories: StageStory[] = [];
  try {
    for (const { plan, stage } of built) {
      const gate = approvalOf(plan.name, configuration.values[plan.name] ?? {});
      const given = gate !== undefined && reached(stories) ? await approve(gate, chain) : undefined;
      if (gate !== undefined) stories.push(given?.story ?? notReached('approval'));
      const approved = given === undefined ? chain : { ...chain, approval: given.approval };
      stories.push(reached(stories) ? await releaseStage(plan, stage, approved) : notReached(plan.name));
    }
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
  return tell(given, stories, configuration);
}

async function buildStages(
  world: World,
  plans: readonly StagePlan[],
): Promise<readonly { plan: StagePlan; stage: Stack }[]> {
  const begin = performance.now();
  const [first] = plans;
  if (first === undefined) throw new Failure({ what: 'The configuration has no stages', next: 'Add stages to it' });
  const { pinned } = await world.publishImage({ repository: first.repository, tag: STABLE });
  const built = await Promise.all(
    plans.map(async (plan, index) => ({
      plan,
      stage: await stack(world, specOf(plan, pinned, index === plans.length - 1)),
    })),
  );
  const tasks = plans.reduce((sum, plan) => sum + plan.desired, 0);
  say(
    `The sandbox runs ${plans.length} stages with ${tasks} tasks of release ${STABLE} (${((performance.now() - begin) / 1_000).toFixed(1)} s)`,
  );
  return built;
}

/**
 * A fault that is worth a rehearsal passes the stages before production, whose few users and smoke test do not show it,
 * however long they take on this machine; real traffic does.
 */
const SHOWN_BY_REAL_TRAFFIC = { BEHAVIOUR_AFTER_REQUESTS: '1000000000', BEHAVIOUR_DELAY_MS: String(24 * 3_600_000) };

/** Longer than the candidate takes to be ready, shorter than the steps of the shift. */
const SHOWN_WHILE_SHIFTING = { BEHAVIOUR_DELAY_MS: '25000' };

function specOf(plan: StagePlan, image: string, last: boolean) {
  const { cluster, services, targetGroups, loadBalancer } = plan;
  return {
    stage: plan.name,
    names: { cluster, services, targetGroups, loadBalancer },
    desired: plan.desired,
    image,
    container: plan.container,
    listener: { port: plan.port, protocol: 'HTTPS' as const },
    environment: { API_TOKEN: tokenFor(DEMO_USER), ...(last ? SHOWN_WHILE_SHIFTING : SHOWN_BY_REAL_TRAFFIC) },
    ...(plan.release === 'blue-green' ? { colors: true as const, colorHeader: COLOR_HEADER } : {}),
  };
}

const repositoryOf = (configuration: RehearsalConfiguration): string => configuration.stages[0]?.repository ?? '';

/** Variables that policies and checks name: the sandbox's own, and from this machine only those that a file asks for. */
function environmentOf(world: World, cloud: Cloud, configuration: RehearsalConfiguration): Record<string, string> {
  const named = new Set(
    Object.values(configuration.files).flatMap((text) =>
      [...text.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1] ?? ''),
    ),
  );
  const passed = [...named].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]] as const],
  );
  return {
    ...world.env,
    METRICS_URL: `${cloud.url}/sandbox/${world.name}/metrics`,
    CHARTS_TOKEN: tokenFor(DEMO_USER),
    ...Object.fromEntries(passed),
    GITHUB_RUN_ID: String(randomBytes(4).readUInt32BE()),
  };
}

const reached = (stories: readonly StageStory[]): boolean => stories.every((story) => story.conclusion === 'success');

const notReached = (stage: string): StageStory => ({
  stage,
  outcome: 'not reached',
  headline: '',
  seconds: 0,
  users: [],
  conclusion: 'not reached',
});

async function tell(
  given: Arguments,
  stories: readonly StageStory[],
  configuration: RehearsalConfiguration,
): Promise<number> {
  const failed = stories.find((story) => story.conclusion === 'failure');
  say('');
  say(tableOf(stories));
  say('');
  if (failed === undefined) say('The release is in production.');
  else wordsOfHarm(failed).forEach(say);
  const title = `Rehearsal of a ${given.release === 'good' ? 'good' : `bad (${given.release})`} release`;
  const report = resolve(given.report);
  await mkdir(dirname(report), { recursive: true });
  await writeFile(report, markdownOf({ title, stories, changed: configuration.changed }));
  say(`The report is in ${given.report}`);
  return failed === undefined ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  console.error(thrown instanceof Failure ? thrown.message : `This is a bug of the rehearsal: ${messageOf(thrown)}`);
  if (!(thrown instanceof Failure)) console.error(thrown);
  process.exitCode = 1;
}
