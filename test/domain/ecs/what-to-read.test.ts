import { describe, expect, test } from '@jest/globals';
import { type Duration, instant, minutes, seconds } from '../../../src/domain/duration.ts';
import type { EcsDeployment, EcsService, ServiceDeployment } from '../../../src/domain/ecs/service.ts';
import { needsRecord, readsFirst, serviceIsDue } from '../../../src/domain/ecs/what-to-read.ts';
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
      name: 'not at once when alarms judge, and the list shows it in progress',
      service: listing([ours()], { alarms: { names: ['5xx'], rollback: true } }),
      asked: false,
    },
    {
      name: 'whenever a native strategy was read, for which the list tells no state',
      service: listing([classic(ours())], { strategy: 'CANARY' }),
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

  test('is never older than one look where alarms judge', () => {
    const judged = listing([ours()], { alarms: { names: ['5xx'], rollback: true } });
    expect(ask(judged, going, seconds(8))).toBe(true);
  });
});

describe('a look reads first', () => {
  const native = listing([classic(ours()), old()], { strategy: 'LINEAR' });
  const alarmed = listing([ours(), old()], { alarms: { names: ['5xx'], rollback: true } });
  const first = (seen: EcsService | undefined, given: { at?: number; now?: number; known?: ServiceDeployment } = {}) =>
    readsFirst({
      service: seen === undefined ? undefined : { seen, at: instant(given.at ?? 20_000) },
      record: given.known ?? record('IN_PROGRESS'),
      deploymentId: 'ecs-svc/2',
      now: instant(given.now ?? 39_000),
    });
  const failing = listing([{ ...ours(), rolloutState: 'FAILED' }], { strategy: 'LINEAR' });
  const rows = [
    { name: 'a native strategy that was seen lately', got: first(native), reads: 'record' },
    { name: 'alarms, and the service was seen lately', got: first(alarmed), reads: 'record' },
    { name: 'the list shows the end', got: first(listing([ours(), old()])), reads: 'service' },
    { name: 'the service was never read', got: first(undefined), reads: 'service' },
    { name: 'a new span of 20 s has begun, the same for all', got: first(native, { now: 40_000 }), reads: 'service' },
    { name: 'the record told of an end', got: first(native, { known: record('STOP_REQUESTED') }), reads: 'service' },
    { name: 'ours was not listed', got: first(listing([old()], { strategy: 'LINEAR' })), reads: 'service' },
    { name: 'the list says FAILED', got: first(failing), reads: 'service' },
  ];
  test.each(rows)('the $reads where $name', ({ got, reads }) => {
    expect(got).toBe(reads);
  });
});

describe('after a record that was just read, the service is read', () => {
  const before = {
    ...record('IN_PROGRESS'),
    lifecycleStage: 'SCALE_UP',
    circuitBreaker: { failures: 0, threshold: 3 },
  };
  const rows: readonly { name: string; now: ServiceDeployment | undefined; due: string }[] = [
    { name: 'nothing has changed', now: before, due: 'current' },
    { name: 'only the weight has', now: { ...before, weights: { production: 40 } }, due: 'current' },
    { name: 'a stage began', now: { ...before, lifecycleStage: 'BAKE_TIME' }, due: 'next-look' },
    { name: 'it ended well', now: { ...before, status: 'SUCCESSFUL' }, due: 'now' },
    { name: 'ECS goes back', now: { ...before, status: 'ROLLBACK_IN_PROGRESS' }, due: 'now' },
    { name: 'a task failed', now: { ...before, circuitBreaker: { failures: 1, threshold: 3 } }, due: 'now' },
    { name: 'an alarm went off', now: { ...before, triggeredAlarms: ['5xx'] }, due: 'now' },
    { name: 'it cannot be found', now: undefined, due: 'now' },
  ];
  test.each(rows)('$due where $name', ({ now, due }) => {
    expect(serviceIsDue(before, now)).toBe(due);
  });
});
