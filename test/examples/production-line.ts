import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { DEMO_PASSWORD, tokenFor } from '../../sandbox/application/tokens.ts';
import type { Cloud } from '../../sandbox/cloud.ts';
import type { Ending } from '../../sandbox/plane/recorder.ts';
import { type Scene, type SceneOptions, scene } from '../actions/blue-green/scene.ts';
import { type BundleResult, runBundle } from '../harness/run-bundle.ts';

export type System = 'accunode' | 'financeanalyst-pro' | 'wesign-charts' | 'mdreader';

/** What the secrets of the checks are here, and what their files name. */
const SECRETS = { CHARTS_TOKEN: tokenFor('demo'), LOGIN_PASSWORD: DEMO_PASSWORD, API_PASSWORD: DEMO_PASSWORD };

/**
 * Policy and checks as they stand in the example. WebSockets do not stop the clock of lock-step, so their checks are left
 * to test/examples/checks-and-loads.test.ts.
 */
export function filesOf(system: System): Readonly<Record<string, string>> {
  const text = (file: string): string => readFileSync(`examples/${system}/${file}`, 'utf8');
  const { checks, ...rest } = parse(text('checks.yml')) as { readonly checks: readonly Record<string, unknown>[] };
  const others = checks.filter((check) => check['ws'] === undefined && check['signalr'] === undefined);
  return {
    'production-policy.yml': text('production-policy.yml'),
    'checks.yml': stringify({ ...rest, checks: others }),
  };
}

/** Users of one color in the five seconds between two looks. */
export type Played = (color: 'blue' | 'green') => readonly Ending[];

export const answered = (count: number, { status = 200, responseTime = 120 } = {}): readonly Ending[] =>
  Array.from({ length: count }, () => ({ kind: 'answered', status, responseTime }));

export const opened = (cloud: Cloud, options: SceneOptions = {}): Promise<Scene> => scene(cloud, options);

/** Looks of the longest line: thirty minutes, one each five seconds, and the looks between the moves. */
const MOST_LOOKS = 2_000;

/** At each look at the targets of a color its users of the time since the last one are entered. */
export function playUsers({ world, stacked }: Scene, users: Played): void {
  for (let ordinal = 1; ordinal <= MOST_LOOKS; ordinal++) {
    world.killAt({
      operation: 'elasticloadbalancing:DescribeRules',
      ordinal,
      run: 'action',
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
export async function visitAllTasks({ stacked }: Scene, color: 'blue' | 'green', tasks = 2): Promise<void> {
  const visited = new Set<string>();
  for (let visit = 0; visited.size < tasks; visit++) {
    if (visit === 50) throw new Error(`50 requests met ${visited.size} of the ${tasks} tasks of ${color}`);
    const answer = await fetch(`${stacked.url}/`, { headers: { 'x-color': color } });
    visited.add(answer.headers.get('x-app-task') ?? '');
  }
}

/** The production line of a system: its own policy and checks, judged and moved by the action's process. */
export const released = (
  stage: Scene,
  system: System,
  { inputs = {}, env = {} }: { inputs?: Readonly<Record<string, string>>; env?: Readonly<Record<string, string>> } = {},
): Promise<BundleResult> =>
  runBundle(
    stage.step(
      { policy: 'production-policy.yml', checks: 'checks.yml', 'expect-version': '2', drain: '5m', ...inputs },
      { files: filesOf(system), env: { ...SECRETS, ...env }, timeout: 300_000 },
    ),
  );

export const messagesOf = (result: BundleResult, level: 'error' | 'warning'): string =>
  result.annotations.filter((each) => each.level === level).map(({ message }) => message).join('\n'); // prettier-ignore

/** Seconds from one output to another. */
export const between = ({ outputs }: BundleResult, from: string, to: string): number =>
  (Date.parse(outputs[to] ?? '') - Date.parse(outputs[from] ?? '')) / 1_000;
