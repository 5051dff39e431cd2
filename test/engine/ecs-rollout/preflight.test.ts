import { describe, expect, test } from '@jest/globals';
import { preflight, refuseUnprepared } from '../../../src/engine/ecs-rollout/preflight.ts';
import type { DeployConditions } from '../../../src/ports/deploy-conditions.ts';
import { goodConditions } from '../../fakes/deploy-conditions.ts';
import { REF, stage } from './stage.ts';

const BODY = {
  containerDefinitions: [
    {
      name: 'web',
      secrets: [
        { name: 'A', valueFrom: '/a' },
        { name: 'B', valueFrom: '/b' },
        { name: 'C', valueFrom: '/b' },
      ],
    },
  ],
};

const ON_FARGATE = {
  launchType: 'FARGATE',
  networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-1', 'subnet-2'] } },
};

async function look(conditions: Partial<DeployConditions>, alarms?: readonly string[], more = {}) {
  const { ecs } = stage();
  const signal = new AbortController().signal;
  const service = {
    ...ecs.serviceOf(REF),
    placement: ON_FARGATE,
    ...(alarms === undefined ? {} : { alarms: { names: alarms, rollback: true } }),
  };
  const current = await ecs.describeTaskDefinition(service.taskDefinition, signal);
  const prepared = { service, current, body: { ...BODY, cpu: '1024', ...more } };
  return { prepared, seen: await preflight(prepared, { ...goodConditions(), ...conditions }, signal) };
}

test('where everything is there nothing is said', async () => {
  const { prepared, seen } = await look({});
  expect(seen).toEqual({ problems: [], warnings: [] });
  expect(() => refuseUnprepared(seen, prepared)).not.toThrow();
});

test('what is missing is refused with every place that names it, each asked for once', async () => {
  const asked: string[] = [];
  const { prepared, seen } = await look({
    reference(valueFrom) {
      asked.push(valueFrom);
      return Promise.resolve(valueFrom === '/b' ? { kind: 'missing', why: 'does not exist' } : { kind: 'there' });
    },
  });
  expect(asked).toEqual(['/a', '/b']);
  expect(seen.problems).toEqual(['/b, which web.secrets.B and web.secrets.C names, does not exist']);
  expect(() => refuseUnprepared(seen, prepared)).toThrow(
    'Could not deploy to ECS service web in cluster shop: /b, which web.secrets.B and web.secrets.C names, does not exist. Nothing was changed. Create what is missing or correct what is named, then re-run.',
  );
});

test('what may not be read is said once and refuses nothing', async () => {
  const { seen } = await look({ reference: () => Promise.resolve({ kind: 'unknown', why: 'access denied' }) });
  expect(seen).toEqual({
    problems: [],
    warnings: ['Whether 2 of 2 secrets and parameters exist is not known: access denied'],
  });
});

test('a way back whose image is gone is said', async () => {
  const { seen } = await look({ image: () => Promise.resolve({ kind: 'missing', why: 'its status is ARCHIVED' }) });
  expect(seen.warnings).toEqual([
    'the image of web in web:1, which a roll back would need, cannot be pulled any more: its status is ARCHIVED',
  ]);
});

test('alarms in ALARM and alarms that do not exist are said', async () => {
  const alarms = [
    { name: 'errors', state: 'ALARM' },
    { name: 'latency', state: 'OK' },
  ];
  const { seen } = await look({ alarms: () => Promise.resolve(alarms) }, ['errors', 'latency', 'gone']);
  expect(seen.warnings).toEqual([
    'In ALARM already: errors. ECS does not look at such an alarm in this deployment',
    'Deployment alarms that do not exist: gone',
  ]);
});

describe('roles', () => {
  const roles = { executionRoleArn: 'arn:execution', taskRoleArn: 'arn:task' };

  test('that do not exist are refused with their places', async () => {
    const role: DeployConditions['role'] = (name) =>
      Promise.resolve(name === 'arn:task' ? { kind: 'missing', why: 'does not exist' } : { kind: 'there' });
    const { seen } = await look({ role }, undefined, roles);
    expect(seen).toEqual({ problems: ['role arn:task, which taskRoleArn names, does not exist'], warnings: [] });
  });

  test('that may not be looked at are said once and refuse nothing', async () => {
    const { seen } = await look({ role: () => Promise.resolve({ kind: 'unknown', why: 'denied' }) }, undefined, roles);
    expect(seen).toEqual({
      problems: [],
      warnings: ['Whether the roles of executionRoleArn and taskRoleArn exist could not be checked: denied'],
    });
  });
});

describe('room for the tasks beside those that run', () => {
  // Three tasks of one vCPU run, and a rolling deployment may start three more.
  test.each([
    {
      name: 'no address',
      conditions: { freeAddresses: { kind: 'known', free: 0 } },
      problem:
        'Free addresses in subnet-1, subnet-2: 0, room for 0 tasks, and 1 more has to start (give the service more or larger subnets)',
    },
    {
      name: 'no subnet',
      conditions: { freeAddresses: { kind: 'missing', why: 'does not exist' } },
      problem: 'a subnet of web (subnet-1, subnet-2) does not exist',
    },
    {
      name: 'a quota that is used up',
      conditions: { fargateQuota: { kind: 'known', quota: 6, used: 5.5, code: 'L-1' } },
      problem:
        'Fargate vCPU left of 6 on-demand: 0.5, room for 0 tasks, and 1 more has to start (ask for more of quota L-1, or scale something down)',
    },
    {
      name: 'a quota that its own tasks use up',
      conditions: { fargateQuota: { kind: 'known', quota: 3, code: 'L-1' } },
      problem:
        'Fargate vCPU left of 3 on-demand: 0, room for 0 tasks, and 1 more has to start (ask for more of quota L-1, or scale something down)',
    },
  ] as const)('$name is refused', async ({ conditions, problem }) => {
    const { seen } = await look(asked(conditions));
    expect(seen).toEqual({ problems: [problem], warnings: [] });
  });

  test.each([
    {
      name: 'few addresses',
      conditions: { freeAddresses: { kind: 'known', free: 2 } },
      warning:
        'Free addresses in subnet-1, subnet-2: 2, room for 2 tasks; ECS would start 3 at once and has to go in smaller steps',
    },
    {
      name: 'addresses that may not be read',
      conditions: { freeAddresses: { kind: 'unknown', why: 'denied' } },
      warning: 'Whether the subnets of web have free addresses is not known: denied',
    },
    {
      name: 'a quota that may not be read',
      conditions: { fargateQuota: { kind: 'unknown', why: 'denied' } },
      warning: 'Whether the Fargate quota has room is not known: denied',
    },
  ] as const)('$name: said, and goes on', async ({ conditions, warning }) => {
    const { seen } = await look(asked(conditions));
    expect(seen).toEqual({ problems: [], warnings: [warning] });
  });

  const asked = (answers: object): Partial<DeployConditions> =>
    Object.fromEntries(
      Object.entries(answers).map(([name, answer]) => [name, () => Promise.resolve(answer as unknown)]),
    );
});
