import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Duration, minutes, seconds } from '../../../src/domain/duration.ts';
import { needsRecord, pollInterval, spreadOf } from '../../../src/domain/ecs/rollout.ts';
import type { EcsDeployment, EcsService, ServiceDeployment } from '../../../src/domain/ecs/service.ts';
import { NEW, OLD, deployment, service as steady } from './services.ts';

const old = (given: Partial<EcsDeployment> = {}) => deployment('ecs-svc/1', OLD, { status: 'ACTIVE', ...given });
const ours = (given: Partial<EcsDeployment> = {}) =>
  deployment('ecs-svc/2', NEW, { rolloutState: 'IN_PROGRESS', running: 0, pending: 3, ...given });
const classic = ({ rolloutState: _, ...rest }: EcsDeployment): EcsDeployment => rest;
const listing = (deployments: readonly EcsDeployment[], given: Partial<EcsService> = {}): EcsService =>
  steady({ deployments, taskDefinition: NEW, ...given });
const record = (status: ServiceDeployment['status']): ServiceDeployment => ({
  arn: 'arn:sd/2',
  status,
  taskDefinition: NEW,
});

describe('looking again', () => {
  const rows = [
    { name: 'at first after 5 s', age: seconds(0), unreadable: 0, expected: seconds(5) },
    { name: 'from 20 s on after 5.7 s', age: seconds(20), unreadable: 0, expected: seconds(5.7) },
    { name: 'from 10 min on after 10 s', age: minutes(10), unreadable: 0, expected: seconds(10) },
    {
      name: 'after twice the time when a read was throttled',
      age: seconds(40),
      unreadable: 1,
      expected: seconds(11.4),
    },
    { name: 'after four times the time when two were', age: seconds(40), unreadable: 2, expected: seconds(22.8) },
    { name: 'after 40 s at most', age: minutes(10), unreadable: 5, expected: seconds(40) },
  ];
  test.each(rows)('is done $name', ({ age, unreadable, expected }) => {
    expect(pollInterval(age, unreadable, 1)).toBe(expected);
  });

  test('is spread by a few percent, the same for the same run', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(spreadOf(text)).toBeGreaterThanOrEqual(0.97);
        expect(spreadOf(text)).toBeLessThanOrEqual(1.03);
        expect(spreadOf(text)).toBe(spreadOf(text));
      }),
    );
    expect(new Set(['a/1', 'a/2', 'b/1', 'c/1'].map(spreadOf)).size).toBe(4);
  });
});

describe('the record of the deployment', () => {
  const going = record('IN_PROGRESS');
  const ask = (service: EcsService, known = going, age: Duration = seconds(5)) =>
    needsRecord({ service, deploymentId: 'ecs-svc/2', record: known, age });
  const rows = [
    { name: 'not while the list shows it in progress', service: listing([ours(), old()]), asked: false },
    { name: 'when ours is complete', service: listing([ours({ rolloutState: 'COMPLETED' })]), asked: true },
    { name: 'when ours has failed', service: listing([ours({ rolloutState: 'FAILED' })]), asked: true },
    {
      name: 'when ours is not listed (an old read)',
      service: listing([old({ status: 'PRIMARY' })]),
      asked: true,
    },
    {
      name: 'when ours is not PRIMARY',
      service: listing([deployment('ecs-svc/3', OLD), ours({ status: 'ACTIVE' })]),
      asked: true,
    },
    { name: 'where ECS tells no rollout state', service: listing([classic(ours())]), asked: true },
    {
      name: 'at every look when alarms judge',
      service: listing([ours()], { alarms: { names: ['5xx'], rollback: true } }),
      asked: true,
    },
    {
      name: 'at every look of a native strategy',
      service: listing([ours()], { strategy: 'CANARY' }),
      asked: true,
    },
  ];
  test.each(rows)('is read again $name: $asked', ({ service, asked }) => {
    expect(ask(service)).toBe(asked);
  });

  test('is read again once it told of an end, and every ten minutes', () => {
    const service = listing([ours(), old()]);
    expect([ask(service, record('ROLLBACK_IN_PROGRESS')), ask(service, going, minutes(10))]).toEqual([true, true]);
  });
});
