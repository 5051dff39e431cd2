import { describe, expect, test } from '@jest/globals';
import { after, instant, minutes, seconds } from '../../../src/domain/duration.ts';
import type { ServiceDeployment } from '../../../src/domain/ecs/service.ts';
import { type Undoing, type WayBackSteps, decideWayBack } from '../../../src/domain/ecs/way-back.ts';
import { NEW, OLD, OTHER, deployment, service } from './services.ts';

const START = instant(Date.UTC(2026, 10, 20, 12));
const UNDOING: Undoing = {
  taskDefinition: NEW,
  previousTaskDefinition: OLD,
  deploymentId: 'ecs-svc/2',
  run: '100/1',
  startedAt: START,
  deadline: after(START, minutes(15)),
};
const FRESH: WayBackSteps = { stop: 'not-asked', desired: 'not-asked', settings: 'not-asked' };
const record = (status: string): ServiceDeployment => ({ arn: 'arn:sd/2', status, taskDefinition: NEW });

const ours = deployment('ecs-svc/2', NEW, { rolloutState: 'IN_PROGRESS', running: 0, pending: 3 });
const broken = service({ deployments: [ours, deployment('ecs-svc/1', OLD, { status: 'ACTIVE' })] });
const returning = service({
  deployments: [deployment('ecs-svc/3', OLD, { rolloutState: 'IN_PROGRESS', running: 1, pending: 2 })],
});
const steady = service();

describe('the way back', () => {
  const rows = [
    {
      name: 'stops a deployment in flight',
      sighting: { service: broken, serviceDeployment: record('IN_PROGRESS') },
      decision: { kind: 'stop' },
    },
    {
      name: 'stops one that is still pending',
      sighting: { service: broken, serviceDeployment: record('PENDING') },
      decision: { kind: 'stop' },
    },
    {
      name: 'does not stop it twice',
      sighting: { service: broken, serviceDeployment: record('IN_PROGRESS') },
      steps: { stop: 'asked' },
      decision: { kind: 'wait' },
    },
    {
      name: 'updates where ECS refuses to stop',
      sighting: { service: broken, serviceDeployment: record('IN_PROGRESS') },
      steps: { stop: 'refused' },
      decision: { kind: 'update', to: OLD },
    },
    {
      name: 'waits for a roll back of ECS',
      sighting: { service: broken, serviceDeployment: record('ROLLBACK_IN_PROGRESS') },
      decision: { kind: 'wait' },
    },
    {
      name: 'waits for a stop that is under way',
      sighting: { service: broken, serviceDeployment: record('STOP_REQUESTED') },
      decision: { kind: 'wait' },
    },
    {
      name: 'is done when ECS is',
      sighting: { service: steady, serviceDeployment: record('ROLLBACK_SUCCESSFUL') },
      decision: { kind: 'done', outcome: 'rolled-back' },
    },
    {
      name: 'updates when ECS stopped without going back',
      sighting: { service: broken, serviceDeployment: record('STOPPED') },
      decision: { kind: 'update', to: OLD },
    },
    {
      name: 'updates when ECS failed to go back',
      sighting: { service: broken, serviceDeployment: record('ROLLBACK_FAILED') },
      decision: { kind: 'update', to: OLD },
    },
    {
      name: 'updates when there is no record to stop',
      sighting: { service: broken },
      decision: { kind: 'update', to: OLD },
    },
    {
      name: 'waits until the old revision is steady',
      sighting: { service: returning },
      decision: { kind: 'wait', for: 'web:7: 1 of 3 running, 2 pending' },
    },
    {
      name: 'is done when the old revision is steady',
      sighting: { service: steady },
      decision: { kind: 'done', outcome: 'rolled-back' },
    },
    {
      name: 'follows the update it sent, not the old list',
      sighting: { service: broken },
      steps: { update: 'ecs-svc/3' },
      decision: { kind: 'wait', for: 'the service to list the way back' },
    },
    {
      name: 'follows the update it sent to its end',
      sighting: { service: service({ deployments: [deployment('ecs-svc/3', OLD)] }) },
      steps: { update: 'ecs-svc/3' },
      decision: { kind: 'done', outcome: 'rolled-back' },
    },
    {
      name: 'finds the update whose id it never learnt',
      sighting: { service: steady },
      steps: { update: 'unknown' },
      decision: { kind: 'done', outcome: 'rolled-back' },
    },
    {
      name: 'fails when the old revision fails too',
      sighting: {
        service: service({
          deployments: [deployment('ecs-svc/3', OLD, { rolloutState: 'FAILED', rolloutStateReason: 'no capacity' })],
        }),
      },
      steps: { update: 'ecs-svc/3' },
      decision: { kind: 'done', outcome: 'failed', reason: 'the way back to web:7 failed: no capacity' },
    },
    {
      name: 'is superseded by a deployment of somebody else',
      sighting: { service: service({ deployments: [deployment('ecs-svc/9', OTHER)] }) },
      decision: { kind: 'done', outcome: 'superseded' },
    },
    {
      name: 'is superseded by one over the way back',
      sighting: {
        service: service({
          deployments: [deployment('ecs-svc/9', OTHER), deployment('ecs-svc/3', OLD, { status: 'ACTIVE' })],
        }),
      },
      steps: { update: 'ecs-svc/3' },
      decision: { kind: 'done', outcome: 'superseded' },
    },
    {
      name: 'is superseded by another run in the tags',
      sighting: { service: service({ ...broken, tags: { 'sluice:run': '200/1' } }) },
      decision: { kind: 'done', outcome: 'superseded' },
    },
  ] as const;
  test.each(rows)('$name', (row) => {
    const steps: WayBackSteps = { ...FRESH, ...('steps' in row ? row.steps : {}) };
    expect(decideWayBack(UNDOING, steps, row.sighting, after(START, seconds(20)))).toMatchObject(row.decision);
  });

  test('is not hindered by tags that still show the run before ours', () => {
    const stale = { service: service({ ...broken, tags: { 'sluice:run': '99/1' } }) };
    expect(decideWayBack({ ...UNDOING, earlierRun: '99/1' }, FRESH, stale, START)).toMatchObject({ kind: 'update' });
  });

  test('waits a while for an update that was cut off and may still arrive', () => {
    const { deploymentId: _, ...unknown } = UNDOING;
    expect(decideWayBack(unknown, FRESH, { service: steady }, after(START, seconds(9)))).toMatchObject({
      kind: 'wait',
    });
    expect(decideWayBack(unknown, FRESH, { service: steady }, after(START, seconds(10)))).toMatchObject({
      kind: 'done',
      outcome: 'rolled-back',
    });
  });

  test('times out at its deadline, with what ECS says', () => {
    const seen = { service: broken, serviceDeployment: record('ROLLBACK_IN_PROGRESS') };
    expect(decideWayBack(UNDOING, FRESH, seen, UNDOING.deadline)).toEqual({
      kind: 'done',
      outcome: 'timed-out',
      reason: 'the way back is not done after 15m (service deployment ROLLBACK_IN_PROGRESS)',
    });
  });
});

describe('where there is nothing to go back to', () => {
  const { previousTaskDefinition: _, ...first } = UNDOING;
  const rows = [
    {
      name: 'the first deployment is not stopped',
      undoing: first,
      reason: 'no earlier deployment of this service was successful',
    },
    {
      name: 'the same revision is not deployed once more',
      undoing: { ...UNDOING, previousTaskDefinition: NEW },
      reason: 'web:8 was deployed before too, and once more it would start the same images',
    },
  ];
  test.each(rows)('$name', ({ undoing, reason }) => {
    expect(decideWayBack(undoing, FRESH, { service: broken }, START)).toEqual({
      kind: 'done',
      outcome: 'failed',
      reason: `there is nothing to go back to: ${reason}`,
    });
  });

  test('of settings alone deploys the same revision again, once, and is judged by its own deployment', () => {
    const undoing = { ...UNDOING, previousTaskDefinition: NEW, settingsAlone: true, previousSettings: { managedTags: false } } as const; // prettier-ignore
    const done = service({ deployments: [{ ...ours, rolloutState: 'COMPLETED' }] });
    expect(decideWayBack(undoing, FRESH, { service: done }, START)).toEqual({ kind: 'update', to: NEW, force: true });
    const back = service({ deployments: [{ ...ours, id: 'ecs-svc/3' }] });
    expect(decideWayBack(undoing, FRESH, { service: back }, START)).toMatchObject({ kind: 'wait' });
    const { settingsAlone: _, ...byTag } = undoing;
    expect(decideWayBack(byTag, FRESH, { service: done }, START)).toMatchObject({
      kind: 'done',
      outcome: 'failed',
      reason: expect.stringContaining('the settings stay as they were given'),
    });
  });

  test("puts tag settings back that ECS's roll back leaves, and asks once", () => {
    const undoing = {
      ...UNDOING,
      previousSettings: { volumes: [], propagateTags: 'NONE', managedTags: false },
    } as const;
    const left = { ...steady, settings: { propagateTags: 'SERVICE', managedTags: false } } as const;
    const sighting = { service: left, serviceDeployment: record('ROLLBACK_SUCCESSFUL') };
    expect(decideWayBack(undoing, FRESH, sighting, START)).toEqual({
      kind: 'restore-settings',
      settings: { propagateTags: 'NONE' },
    });
    const asked = { ...FRESH, settings: 'asked' } as const;
    expect(decideWayBack(undoing, asked, sighting, START)).toMatchObject({ kind: 'done', outcome: 'rolled-back' });
  });

  test('ECS may still go back to the bytes of before under the same tag', () => {
    const seen = { service: broken, serviceDeployment: record('IN_PROGRESS') };
    expect(decideWayBack({ ...UNDOING, previousTaskDefinition: NEW }, FRESH, seen, START)).toEqual({ kind: 'stop' });
  });
});

describe('the desired count', () => {
  const undoing = { ...UNDOING, previousDesired: 2 };
  test('comes back with the update', () => {
    expect(decideWayBack(undoing, FRESH, { service: broken }, START)).toEqual({ kind: 'update', to: OLD, desired: 2 });
  });

  test('comes back after the roll back of ECS, which does not know of it, and once', () => {
    expect(decideWayBack(undoing, FRESH, { service: steady }, START)).toEqual({ kind: 'restore-desired', desired: 2 });
    expect(decideWayBack(undoing, { ...FRESH, desired: 'asked' }, { service: steady }, START)).toMatchObject({
      kind: 'done',
      outcome: 'rolled-back',
    });
  });
});

describe('the way back of a service whose traffic ECS moves itself', () => {
  const shifted = service({ strategy: 'BLUE_GREEN', deployments: [deployment('ecs-svc/3', OLD)] });
  const back = (status: string): ServiceDeployment => ({ arn: 'arn:sd/3', status, taskDefinition: OLD });
  const updated: WayBackSteps = { ...FRESH, stop: 'refused', update: 'ecs-svc/3' };

  test.each([
    { name: 'is not done by counts', wayBack: undefined, decision: { kind: 'wait' } },
    { name: 'goes on while it bakes', wayBack: back('IN_PROGRESS'), decision: { kind: 'wait' } },
    { name: 'is done by its record', wayBack: back('SUCCESSFUL'), decision: { kind: 'done', outcome: 'rolled-back' } },
    { name: 'failed when it is rolled back', wayBack: back('ROLLBACK_SUCCESSFUL'), decision: { outcome: 'failed' } },
    { name: 'failed when it is stopped', wayBack: back('STOPPED'), decision: { outcome: 'failed' } },
  ])('$name', ({ wayBack, decision }) => {
    const sighting = { service: shifted, ...(wayBack === undefined ? {} : { wayBack }) };
    expect(decideWayBack(UNDOING, updated, sighting, START)).toMatchObject(decision);
  });

  test('is not told by the record of what it undoes, which a lagging read still names', () => {
    const sighting = { service: shifted, serviceDeployment: record('SUCCESSFUL') };
    expect(decideWayBack(UNDOING, FRESH, sighting, START)).toMatchObject({ kind: 'wait' });
  });

  test("failed when ECS's own roll back did", () => {
    const sighting = { service: shifted, serviceDeployment: record('ROLLBACK_FAILED') };
    expect(decideWayBack(UNDOING, FRESH, sighting, START)).toMatchObject({ kind: 'done', outcome: 'failed' });
  });
});
