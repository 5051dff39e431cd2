import { expect, test } from '@jest/globals';
import { preflight, refuseUnprepared } from '../../../src/engine/ecs-rollout/preflight.ts';
import type { DeployConditions } from '../../../src/ports/deploy-conditions.ts';
import { REF, stage } from './stage.ts';

const GOOD: DeployConditions = {
  reference: () => Promise.resolve({ kind: 'there' }),
  image: () => Promise.resolve({ kind: 'there' }),
  alarms: () => Promise.resolve([]),
};
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

async function look(conditions: Partial<DeployConditions>, alarms?: readonly string[]) {
  const { ecs } = stage();
  const signal = new AbortController().signal;
  const service = {
    ...ecs.serviceOf(REF),
    ...(alarms === undefined ? {} : { alarms: { names: alarms, rollback: true } }),
  };
  const current = await ecs.describeTaskDefinition(service.taskDefinition, signal);
  const prepared = { service, current, body: BODY };
  return { prepared, seen: await preflight(prepared, { ...GOOD, ...conditions }, signal) };
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
