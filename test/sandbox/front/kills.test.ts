import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { DescribeRulesCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { CallEntry, World } from '../../../sandbox/cloud.ts';
import { aLoadBalancer, type Fixture } from '../elbv2/a-load-balancer.ts';
import { aCloud } from './a-cloud.ts';

const cloud = aCloud('real');
const CALLER = fileURLToPath(new URL('caller.ts', import.meta.url));
let world: World;
let fixture: ElasticLoadBalancingV2Client;
let made: Fixture;
let child: ChildProcess;

beforeEach(async () => {
  world = await cloud().createWorld();
  fixture = new ElasticLoadBalancingV2Client(world.client());
  made = await aLoadBalancer(world, fixture);
});

interface Ended {
  readonly said: readonly string[];
  readonly signal: string | null;
  readonly code: number | null;
}

const runCaller = (onLine: (line: string) => void = () => undefined): Promise<Ended> =>
  new Promise((resolve) => {
    const env = { ...world.env, RULE: made.rule, BLUE: made.blue, GREEN: made.green, NODE_NO_WARNINGS: '1' };
    child = spawn(process.execPath, [CALLER], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const said: string[] = [];
    child.stdout?.setEncoding('utf8').on('data', (text: string) =>
      text
        .trim()
        .split('\n')
        .forEach((line) => {
          said.push(line);
          onLine(line);
        }),
    );
    child.on('close', (code, signal) => resolve({ said, signal, code }));
  });

const blueWeight = async (): Promise<number | undefined> => {
  const { Rules } = await fixture.send(new DescribeRulesCommand({ RuleArns: [made.rule] }));
  return Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups?.[0]?.Weight;
};
const MODIFY = 'elasticloadbalancing:ModifyRule';
const ofModify = () => world.calls().filter(({ operation }) => operation === MODIFY);
const pid = () => child.pid;

describe('a kill at a call', () => {
  test.each<[when: 'before' | 'after', ordinal: number, said: string[], left: number]>([
    ['before', 1, [], 100],
    ['after', 1, [], 90],
    ['before', 2, ['90'], 90],
    ['after', 2, ['90'], 50],
    ['after', 3, ['90', '50'], 0],
  ])('%s call %i leaves exactly what was done until then', async (when, ordinal, said, left) => {
    const kill = world.killAt({ operation: MODIFY, ordinal, when, pid });
    const ended = await runCaller();
    expect(ended).toEqual({ said, signal: 'SIGKILL', code: null });
    expect(kill.hits()).toBe(1);
    expect(await blueWeight()).toBe(left);
    expect(ofModify()).toHaveLength(ordinal);
    expect(ofModify().at(-1)?.result).toMatchObject({ kind: 'dropped', why: 'kill' });
  });

  test('SIGINT reaches the process and the call goes on', async () => {
    world.killAt({ operation: MODIFY, ordinal: 2, when: 'before', pid, signal: 'SIGINT' });
    const ended = await runCaller();
    expect(ended.code).toBe(0);
    expect(ended.said.toSorted()).toEqual(['0', '50', '90', 'SIGINT']);
    expect(await blueWeight()).toBe(0);
  });

  test('SIGSTOP holds the process until it is continued', async () => {
    const { promise: stopped, resolve } = Promise.withResolvers<CallEntry>();
    const onHit = (entry: CallEntry): void => {
      child.kill('SIGSTOP');
      resolve(entry);
    };
    world.killAt({ operation: MODIFY, ordinal: 2, when: 'after', onHit, signal: 'SIGSTOP' });
    const ended = runCaller();
    expect(await stopped).toMatchObject({ operation: MODIFY, ordinal: 2, run: 'action' });
    await new Promise((wait) => setTimeout(wait, 300));
    const weightWhileStopped = await blueWeight();
    child.kill('SIGCONT');
    expect((await ended).said).toEqual(['90', '50', '0']);
    expect(weightWhileStopped).toBe(50);
  });
});
