import { describe, expect, test } from '@jest/globals';
import { hours, instant, minutes } from '../../../src/domain/duration.ts';
import { streamsOf } from '../../../src/domain/ecs/container-logs.ts';
import {
  type TaskRecord,
  decideTask,
  exitCodeOf,
  placementFor,
  readRecords,
  volumesFor,
  withRecord,
} from '../../../src/domain/ecs/one-off-task.ts';
import type { EcsTask } from '../../../src/domain/ecs/service.ts';
import { readTaskWish } from '../../../src/domain/ecs/task-wish.ts';

const NOW = instant(Date.UTC(2026, 10, 20, 12));
const record = (state: TaskRecord['state'], more: Partial<TaskRecord> = {}): TaskRecord => ({
  key: '0123456789ab',
  attempt: 1,
  state,
  ...more,
});
const task = (codes: Readonly<Record<string, number | undefined>>): EcsTask => ({
  arn: 'arn:aws:ecs:us-west-2:1:task/shop/abc',
  status: 'STOPPED',
  containers: Object.entries(codes).map(([name, exitCode]) => ({
    name,
    ...(exitCode === undefined ? {} : { exitCode }),
  })),
});
const BODY = {
  containerDefinitions: [
    {
      name: 'app',
      logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': 'g', 'awslogs-stream-prefix': 'p' } },
    },
    { name: 'sidecar', essential: false, logConfiguration: { logDriver: 'splunk' } },
  ],
};

describe('what is done about a task of a release', () => {
  const started = (ago: number) => record({ kind: 'started', at: instant(NOW - ago) }, { attempt: 2 });
  const rows = [
    {
      name: 'nothing is written: it is run',
      given: undefined,
      found: [],
      is: { kind: 'run', attempt: 1, begun: 'no' },
    },
    {
      name: 'it succeeded: never again',
      given: record({ kind: 'ended', exitCode: 0 }),
      found: [],
      is: { kind: 'remembered' },
    },
    {
      name: 'it failed: the next attempt',
      given: record({ kind: 'ended', exitCode: 3 }),
      found: [],
      is: { kind: 'run', attempt: 2, begun: 'no' },
    },
    {
      name: 'it never started: the next attempt',
      given: record({ kind: 'ended', exitCode: -1 }),
      found: [],
      is: { kind: 'run', attempt: 2, begun: 'no' },
    },
    {
      name: 'it runs: it is followed',
      given: started(minutes(5)),
      found: [task({})],
      is: { kind: 'follow', attempt: 2 },
    },
    {
      name: 'begun and not found while the token lives: the same token',
      given: started(hours(2)),
      found: [],
      is: { kind: 'run', attempt: 2, begun: 'yes' },
    },
    {
      name: 'begun and not found after that: nobody knows',
      given: started(hours(23)),
      found: [],
      is: { kind: 'unknown', attempt: 2 },
    },
  ] as const;
  test.each(rows)('$name', ({ given, found, is }) => {
    expect(decideTask(given, found, NOW)).toMatchObject(is);
  });
});

describe('the records in the tags', () => {
  test('are read back, newest first, one for each key', () => {
    const first = withRecord([], record({ kind: 'started', at: NOW }), 'pre-deploy');
    const other = withRecord(
      readRecords({ tags: first }, 'pre-deploy'),
      record({ kind: 'ended', exitCode: -1 }, { key: 'ffffffffffff' }),
      'pre-deploy',
    );
    const ended = withRecord(
      readRecords({ tags: other }, 'pre-deploy'),
      record({ kind: 'ended', exitCode: 0 }),
      'pre-deploy',
    );
    expect(readRecords({ tags: ended }, 'pre-deploy')).toEqual([
      record({ kind: 'ended', exitCode: 0 }),
      record({ kind: 'ended', exitCode: -1 }, { key: 'ffffffffffff' }),
    ]);
    expect(readRecords({ tags: ended }, 'post-deploy')).toEqual([]);
  });

  test('fit into one tag, the oldest are forgotten', () => {
    let records: readonly TaskRecord[] = [];
    for (let index = 0; index < 40; index++) {
      const next = record({ kind: 'ended', exitCode: 0 }, { key: index.toString(16).padStart(12, '0') });
      const tags = withRecord(records, next, 'pre-deploy');
      expect(Object.values(tags)[0]?.length).toBeLessThanOrEqual(256);
      records = readRecords({ tags }, 'pre-deploy');
    }
    expect(records.length).toBeGreaterThanOrEqual(13);
    expect(records[0]?.key).toBe('000000000027');
  });

  test('that somebody else wrote say nothing', () => {
    expect(
      readRecords({ tags: { 'sluice:pre-deploy-tasks': 'yes 0123456789ab.x.e0 0123456789ab.1.e0' } }, 'pre-deploy'),
    ).toEqual([record({ kind: 'ended', exitCode: 0 })]);
  });
});

test.each([
  { name: 'the essential container alone counts', codes: { app: 0, sidecar: 143 }, is: 0 },
  { name: 'its error counts', codes: { app: 3, sidecar: 0 }, is: 3 },
  { name: 'no exit code is no success', codes: { app: undefined, sidecar: 0 }, is: -1 },
  { name: 'no container is no success', codes: {}, is: -1 },
])('of the exit codes, $name', ({ codes, is }) => {
  expect(exitCodeOf(task(codes), BODY)).toBe(is);
});

test('logs are looked for where the driver writes them, and nowhere else', () => {
  expect(streamsOf(task({ app: 1, sidecar: 2 }), BODY)).toEqual([
    { container: 'app', task: 'abc', place: { kind: 'stream', group: 'g', stream: 'p/app/abc' } },
    { container: 'sidecar', task: 'abc', place: { kind: 'none', why: 'its log driver is splunk, not awslogs' } },
  ]);
  expect(streamsOf(task({ app: undefined, sidecar: 0 }), BODY)).toEqual([]);
});

test('the network is that of the service but for what is given', () => {
  const placement = {
    networkConfiguration: { awsvpcConfiguration: { subnets: ['a'], securityGroups: ['s'] } },
    launchType: 'FARGATE',
  };
  const wish = { environment: {}, timeout: minutes(1), onUnknown: 'fail' } as const;
  expect(placementFor({ placement }, wish)).toBe(placement);
  expect(placementFor({ placement }, { ...wish, subnets: ['b'], assignPublicIp: 'ENABLED' })).toEqual({
    networkConfiguration: { awsvpcConfiguration: { subnets: ['b'], securityGroups: ['s'], assignPublicIp: 'ENABLED' } },
    launchType: 'FARGATE',
  });
});

describe('a task runs where its service runs', () => {
  const strategy = [{ capacityProvider: 'FARGATE', weight: 1 }];
  const rows = [
    { name: 'in its launch type', own: { launchType: 'FARGATE' }, wish: {}, is: { launchType: 'FARGATE' } },
    { name: 'by its providers', own: { capacityProviderStrategy: strategy }, wish: {}, is: { capacityProviderStrategy: strategy } },
    {
      name: 'but for providers that are given, which exclude its launch type',
      own: { launchType: 'FARGATE', platformVersion: '1.4.0' },
      wish: { capacityProviders: [{ capacityProvider: 'FARGATE_SPOT' }] },
      is: { platformVersion: '1.4.0', capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT' }] },
    },
    {
      name: 'but for providers of instances, which have no version',
      own: { launchType: 'FARGATE', platformVersion: 'LATEST' },
      wish: { capacityProviders: [{ capacityProvider: 'team-instances' }] },
      is: { capacityProviderStrategy: [{ capacityProvider: 'team-instances' }] },
    },
    {
      name: 'but for a launch type that is given, which excludes its providers and has no version',
      own: { capacityProviderStrategy: strategy, platformVersion: '1.4.0' },
      wish: { launchType: 'EC2' as const },
      is: { launchType: 'EC2' },
    },
    {
      name: 'but for a version that is given',
      own: { launchType: 'FARGATE', platformVersion: 'LATEST' },
      wish: { platformVersion: '1.4.0' },
      is: { launchType: 'FARGATE', platformVersion: '1.4.0' },
    },
  ]; // prettier-ignore
  test.each(rows)('$name', ({ own, wish, is }) => {
    const all = { environment: {}, timeout: minutes(1), onUnknown: 'fail', ...wish } as const;
    expect(placementFor({ placement: own }, all)).toEqual(is);
  });

  test('with the volumes that the release or the service has, where the definition waits for them', () => {
    const volume = (sizeInGiB: number) => ({ name: 'data', managedEBSVolume: { sizeInGiB } });
    const body = { volumes: [{ name: 'data', configuredAtLaunch: true }] };
    const settings = { volumes: [volume(1)] };
    expect(volumesFor({ settings }, {}, { body })).toEqual([volume(1)]);
    expect(volumesFor({ settings }, {}, { body: {} })).toEqual([]);
    expect(volumesFor({ settings }, {}, { body, settings: { volumes: [volume(2)] } })).toEqual([volume(2)]);
    expect(volumesFor({ settings }, { volumes: [volume(3)] }, { body })).toEqual([volume(3)]);
    expect(volumesFor({}, {}, { body })).toEqual([]);
  });

  test('has no tags of the service on its volumes, which only a service can give', () => {
    const body = { volumes: [{ name: 'data', configuredAtLaunch: true }] };
    const tagged = (...propagated: readonly object[]) => ({
      name: 'data',
      managedEBSVolume: {
        sizeInGiB: 1,
        tagSpecifications: propagated.map((each) => ({ resourceType: 'volume', tags: [], ...each })),
      },
    });
    const from = { propagateTags: 'TASK_DEFINITION' };
    const settings = { volumes: [tagged({ propagateTags: 'SERVICE' }, from)] };
    expect(volumesFor({ settings }, {}, { body })).toEqual([tagged({}, from)]);
  });

  test('is told where that cannot be', () => {
    const read = readTaskWish({
      command: ['migrate'],
      'launch-type': 'EC2',
      'capacity-providers': [{ weight: 2000 }],
      'platform-version': 'newest',
      'propagate-tags': 'service',
      'enable-ecs-managed-tags': 'yes',
      tags: { 'aws:x': 'y' },
      volumes: { data: { 'size-gib': 1 } },
      'started-by': 'me',
    });
    const problem = read.ok ? '' : read.problem;
    for (const words of [
      'capacity-providers: excludes launch-type',
      'capacity-providers[0]: has no provider',
      'capacity-providers[0].weight: is not a whole number in the range. Accepted: 0 to 1000',
      'platform-version: is of Fargate alone, and launch-type is not',
      'platform-version: is not a platform version',
      'propagate-tags: is not one of the accepted values. Accepted: task-definition, none',
      'enable-ecs-managed-tags: is neither true nor false',
      'tags["aws:x"]: has a key that AWS keeps for itself',
      'volumes.data: has no role-arn',
      'started-by: is not a key of this place',
    ])
      expect(problem).toContain(words);
  });
});

test('every mistake in a task is told at once, and no value is repeated', () => {
  const read = readTaskWish({
    comand: ['x'],
    timeout: '5',
    environment: { A: ['secret'] },
    'on-unknown': 'maybe',
    'assign-public-ip': 'yes',
  });
  expect(read).toMatchObject({ ok: false, given: 'hidden' });
  const problem = read.ok ? '' : read.problem;
  for (const word of ['comand', 'Did you mean command?', 'timeout', 'environment.A', 'on-unknown', 'assign-public-ip'])
    expect(problem).toContain(word);
  expect(problem).not.toContain('secret');
  expect(readTaskWish({})).toMatchObject({ ok: false, problem: expect.stringContaining('has no command') });
  expect(readTaskWish({ container: 'migrate' })).toMatchObject({ ok: true });
  expect(readTaskWish({ command: ['a', 1], timeout: '90s' })).toEqual({
    ok: true,
    value: { command: ['a', '1'], environment: {}, timeout: 90_000, onUnknown: 'fail' },
  });
});
