import { describe, expect, test } from '@jest/globals';
import { fargateOf, judgeRoom, rolesOf, subnetsOf, surgeOf, vcpusOf } from '../../../src/domain/ecs/capacity.ts';
import { service } from './services.ts';

describe('tasks beside those that run', () => {
  const of = (given: Parameters<typeof service>[0] = {}) => service({ desired: 4, running: 4, ...given });
  test.each([
    { name: 'a rolling service with ECS’s own percentages', from: of(), surge: { least: 1, all: 4 } },
    {
      name: 'one that may stop an old task first',
      from: of({ percents: { minimumHealthy: 50, maximum: 100 } }),
      surge: { least: 0, all: 0 },
    },
    { name: 'one that may go a quarter above', from: of({ percents: { maximum: 125 } }), surge: { least: 1, all: 1 } },
    { name: 'one that runs fewer than it wants', from: of({ running: 1 }), surge: { least: 3, all: 4 } },
    { name: 'one that wants nothing', from: of({ desired: 0, running: 0 }), surge: { least: 0, all: 0 } },
    { name: 'one whose traffic ECS moves', from: of({ strategy: 'LINEAR' }), surge: { least: 4, all: 4 } },
    { name: 'a daemon', from: of({ schedulingStrategy: 'DAEMON' }), surge: { least: 0, all: 0 } },
    {
      name: 'a color that does not run yet',
      from: of({ desired: 0, running: 0 }),
      desired: 6,
      surge: { least: 6, all: 6 },
    },
    { name: 'one that is to grow', from: of(), desired: 10, surge: { least: 6, all: 10 } },
  ])('$name', ({ from, desired, surge }) => {
    expect(surgeOf(from, desired)).toEqual(surge);
  });
});

describe('the quota that counts', () => {
  const provider = (...names: readonly string[]) => ({
    capacityProviderStrategy: names.map((capacityProvider) => ({ capacityProvider })),
  });
  test.each([
    { name: 'launch type Fargate', placement: { launchType: 'FARGATE' }, kind: 'on-demand' },
    { name: 'launch type EC2', placement: { launchType: 'EC2' }, kind: undefined },
    { name: 'provider Fargate', placement: provider('FARGATE'), kind: 'on-demand' },
    { name: 'provider Fargate Spot', placement: provider('FARGATE_SPOT'), kind: 'spot' },
    { name: 'both of them', placement: provider('FARGATE', 'FARGATE_SPOT'), kind: undefined },
    { name: 'an own provider', placement: provider('my-hosts'), kind: undefined },
    { name: 'nothing that is told', placement: {}, kind: undefined },
  ])('$name', ({ placement, kind }) => {
    expect(fargateOf(service({ placement }))).toBe(kind);
  });
});

test('vCPU are read in units and in words, and are unknown where nothing says them', () => {
  expect([{ cpu: '512' }, { cpu: '2 vCPU' }, { cpu: 256 }, {}, { cpu: '' }].map(vcpusOf)).toEqual([
    0.5,
    2,
    0.25,
    undefined,
    undefined,
  ]);
});

test('subnets are those of awsvpc', () => {
  const networkConfiguration = { awsvpcConfiguration: { subnets: ['subnet-1', 'subnet-2'] } };
  expect(subnetsOf(service({ placement: { networkConfiguration } }))).toEqual(['subnet-1', 'subnet-2']);
  expect(subnetsOf(service())).toEqual([]);
});

test('roles are named with their places', () => {
  expect(rolesOf({ executionRoleArn: 'arn:1', taskRoleArn: '', family: 'web' })).toEqual([
    { role: 'arn:1', place: 'executionRoleArn' },
  ]);
});

describe('room', () => {
  const room = { of: 'Fargate vCPU left of 6', needs: 0.5, advice: 'ask for more' };
  test.each([
    { name: 'for all', free: 2, verdict: { kind: 'enough' } },
    {
      name: 'for some, of which one is enough',
      free: 1.9,
      verdict: {
        kind: 'tight',
        warning:
          'Fargate vCPU left of 6: 1.9, room for 3 tasks; ECS would start 4 at once and has to go in smaller steps',
      },
    },
    {
      name: 'for none',
      free: -1,
      verdict: {
        kind: 'none',
        problem: 'Fargate vCPU left of 6: 0, room for 0 tasks, and 1 more has to start (ask for more)',
      },
    },
    // 0.3 / 0.1 is a little less than 3 in binary.
    { name: 'to the last bit', free: 0.3, needs: 0.1, surge: { least: 3, all: 3 }, verdict: { kind: 'enough' } },
  ])('$name', ({ free, needs = 0.5, surge = { least: 1, all: 4 }, verdict }) => {
    expect(judgeRoom({ ...room, free, needs }, surge)).toEqual(verdict);
  });
});
