import { expect, test } from '@jest/globals';
import { instant } from '../../../src/domain/duration.ts';
import { toTags } from '../../../src/domain/ecs/journal.ts';
import { describeStatus, rollbackTarget } from '../../../src/domain/ecs/status.ts';

const AT = instant(Date.UTC(2026, 10, 20, 12));
const service = {
  arn: 'arn:svc',
  ref: { cluster: 'shop', service: 'web' },
  status: 'ACTIVE',
  taskDefinition: 'arn:td/web:2',
  desired: 3,
  running: 2,
  pending: 1,
  deployments: [
    {
      id: 'ecs-svc/2',
      status: 'PRIMARY',
      taskDefinition: 'arn:td/web:2',
      desired: 3,
      running: 2,
      pending: 1,
      failed: 0,
      rolloutState: 'IN_PROGRESS' as const,
      createdAt: AT,
    },
  ],
  events: [{ id: 'e', at: AT, message: '(service web) has started 1 tasks.' }],
  loadBalancers: [],
  tags: toTags({ phase: 'done', release: 'v1', run: '7/1' }),
};
const current = {
  arn: 'arn:td/web:2',
  family: 'web',
  body: { containerDefinitions: [{ name: 'web', image: 'r/web:2' }] },
  tags: {},
};
const good = (taskDefinition: string) => ({ arn: 'x', status: 'SUCCESSFUL', taskDefinition });

test('the status says what is live, what was released, and where a roll back leads', () => {
  const record = { arn: 'sd', status: 'IN_PROGRESS', lifecycleStage: 'SCALE_UP' };
  const successful = [good('arn:td/web:2'), good('arn:td/web:1')];
  expect(describeStatus({ service, current, serviceDeployment: record, successful })).toEqual([
    'web is ACTIVE and runs web:2: 2 of 3 tasks running, 1 pending',
    '  web: r/web:2',
    'Deployment PRIMARY of web:2: 2 of 3 running, 1 pending, 0 failed, IN_PROGRESS, since 2026-11-20T12:00:00Z',
    "ECS's record of the last deployment: IN_PROGRESS at SCALE_UP",
    'Last release of this action: v1, done, by run 7/1',
    'A roll back would lead to web:1',
    'The deployment circuit breaker is off',
    '12:00:00 UTC (service web) has started 1 tasks.',
  ]);
});

test('a revision that was never good leads back to the last one that was', () => {
  expect(rollbackTarget({ service, successful: [good('arn:td/web:1')] })).toBe('arn:td/web:1');
  expect(rollbackTarget({ service, successful: [good('arn:td/web:2')] })).toBeUndefined();
});

test('without a record, a roll back leads where the tags say that it does: as mode: rollback reads it', () => {
  const noted = toTags({ phase: 'done', release: 'v1', run: '7/1', previousTaskDefinition: 'arn:td/web:1' });
  expect(rollbackTarget({ service: { ...service, tags: noted }, successful: [] })).toBe('arn:td/web:1');
});

test('a service that was deleted runs nothing, and nothing leads back', () => {
  const [first, ...lines] = describeStatus({
    service: { ...service, status: 'INACTIVE', running: 0, pending: 0 },
    current,
    successful: [good('arn:td/web:2'), good('arn:td/web:1')],
  });
  expect(first).toBe(
    'web is INACTIVE: it was deleted and has to be created again; its last revision was web:2, 0 of 3 tasks running, 0 pending',
  );
  expect(lines).toContain('A roll back would lead nowhere');
});
