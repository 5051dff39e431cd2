import { stringify } from 'yaml';
import { tokenFor } from '../../sandbox/application/tokens.ts';
import type { Cloud } from '../../sandbox/cloud.ts';
import type { UserCounts } from '../../sandbox/users/ledger.ts';
import { type Users, startUsers } from '../../sandbox/users/start-users.ts';
import { type Stack, stack } from '../../sandbox/world.ts';
import { type BundleResult, type RunningBundle, startBundle } from '../../test/harness/run-bundle.ts';

/** What is released, and how quickly it walks through its steps. */
export interface Release {
  /** Ending of the image's tag: how it behaves. */
  readonly fault: 'error-rate' | 'slow' | 'crash' | undefined;
  /** Good requests of each task before the fault shows. */
  readonly faultAfter: number;
  readonly bake: string;
  /** Held open by users from before the shift until each was moved. */
  readonly websockets: number;
}

export interface Released {
  readonly result: BundleResult;
  readonly users: UserCounts;
  /** Epoch milliseconds at which the step said so; undefined: it never did. */
  readonly said: Readonly<Record<Moment, number | undefined>>;
  /** Begin of the first second, after the candidate got traffic, in which users were hurt by the fault; epoch milliseconds. */
  readonly hurtAt: number | undefined;
  /** Good answers that took longer than a second. */
  readonly slow: number;
  /** How late a request left at most, in milliseconds: a second of it says that this machine stood still, users and all. */
  readonly late: number;
}

const MOMENTS = {
  traffic: /Giving green 10 %/,
  switched: /green serves 100 % since now/,
  restored: /blue has all traffic again/,
} as const;
type Moment = keyof typeof MOMENTS;

export const RPS = 50;
const TASKS = 3;
const COLOR_HEADER = 'x-bench-color';
const PATHS = ['/', '/analytics/realtime-charts', '/version'];
/** As accunode and wesign-charts judge, in real time. Only what waits without judging (bake, recheck, drain) is shorter. */
const RULES = ['health fails 4 in a row', 'error-rate > 5% for 2m', 'p95 > 2000ms for 5m'];
const METRICS = {
  'error-rate': {
    from: 'web',
    url: '${METRICS_URL}?target-group={target-group}&window={window}',
    value: '$.errorRate',
    samples: '$.requests',
  },
  p95: { from: 'probe', path: '/' },
};
const RECHECK = { after: '5s', for: '15s' };
const DRAIN = '5s';
/** Users stay so long after the step, so that what fails late is still theirs. */
const AFTERMATH = 3_000;
/** For a WebSocket to be told to go elsewhere: the stack's draining and the task's farewell, five times over. */
const MOVED_WITHIN = 30_000;

/** One release by the bundle, in real time, under the eyes of users. */
export async function release(cloud: Cloud, wanted: Release): Promise<Released> {
  const world = await cloud.createWorld({ tasks: 'processes' });
  const repository = 'wesign/charts';
  const tag = wanted.fault === undefined ? '1.5.0' : `1.5.0-${wanted.fault}`;
  const first = await world.publishImage({ repository, tag: '1.4.0' });
  const next = await world.publishImage({ repository, tag });
  const environment = { API_TOKEN: tokenFor('bench'), BEHAVIOUR_AFTER_REQUESTS: String(wanted.faultAfter) };
  const stacked = await stack(world, { stage: 'bench', colors: true, colorHeader: COLOR_HEADER, desired: TASKS, image: first.pinned, environment });
  const { websockets } = wanted;
  const users = startUsers({ url: stacked.url, ratePerSecond: RPS, paths: PATHS, websockets, websocketPath: '/analyticsHub' });
  try {
    const step = await startBundle({
      action: 'blue-green',
      inputs: { ...inputsOf(stacked), image: next.pinned },
      files: { 'policy.yml': stringify({ bake: wanted.bake, recheck: RECHECK, rules: RULES, metrics: METRICS }) },
      env: { ...world.env, METRICS_URL: `${cloud.url}/sandbox/${world.name}/metrics` },
      timeout: 300_000,
    });
    const said = timesOf(step);
    const result = await step.result;
    await sleep(AFTERMATH);
    await allMoved(users, websockets);
    return { result, said: await said, ...(await metBy(users, { wanted, traffic: (await said).traffic })) };
  } finally {
    await users.stop();
    await world.close();
  }
} // prettier-ignore

const inputsOf = ({ cluster, services, loadBalancerName, url }: Stack): Readonly<Record<string, string>> => ({
  cluster,
  services: JSON.stringify({ blue: services['blue']?.name, green: services['green']?.name }),
  router: JSON.stringify({
    alb: { listener: loadBalancerName, port: 80, rule: 10 },
    colors: { blue: services['blue']?.targetGroupName, green: services['green']?.targetGroupName },
  }),
  url,
  'candidate-headers': JSON.stringify({ [COLOR_HEADER]: '{color}' }),
  policy: 'policy.yml',
  drain: DRAIN,
});

async function timesOf(step: RunningBundle): Promise<Released['said']> {
  const timed = Object.entries(MOMENTS).map(async ([moment, words]) => {
    const at = await step.saw(words).then(
      () => Date.now(),
      () => undefined,
    );
    return [moment, at] as const;
  });
  return Object.fromEntries(await Promise.all(timed)) as Released['said'];
}

/** Each socket was opened on the old color, so each is told once to go elsewhere. */
async function allMoved(users: Users, websockets: number): Promise<void> {
  const until = Date.now() + MOVED_WITHIN;
  while (users.counts().websocketDrops < websockets && Date.now() < until) await sleep(250);
  if (websockets > 0) await sleep(AFTERMATH);
}

async function metBy(
  users: Users,
  { wanted, traffic }: { readonly wanted: Release; readonly traffic: number | undefined },
): Promise<Pick<Released, 'users' | 'hurtAt' | 'slow' | 'late'>> {
  const counts = await users.stop();
  const timeline = users.timeline();
  const at = (second: number): number => users.startedAt + second * 1_000;
  const hurt = timeline.find(
    ({ second, failed, slow }) =>
      traffic !== undefined && at(second + 1) > traffic && (wanted.fault === 'slow' ? slow : failed) > 0,
  );
  return {
    users: counts,
    late: users.lag().max,
    slow: timeline.reduce((sum, { slow }) => sum + slow, 0),
    hurtAt: hurt === undefined ? undefined : at(hurt.second),
  };
}

const sleep = (length: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, length));
