import { describe, expect, test } from '@jest/globals';
import type { Effect, Task } from '../../../sandbox/core/types.ts';
import { CLUSTER, FakeCloud, GROUP, percent, spec, template } from './fake-cloud.ts';

const running = (desiredCount = 1): FakeCloud =>
  new FakeCloud().furnish().create(spec('good', { desiredCount })).settle();

/** Every state that a task was in, in order. */
function statesOf(cloud: FakeCloud, act: () => void): readonly string[] {
  const states: string[] = [];
  const id = cloud.tasks[0]?.id ?? '';
  cloud.watch(({ after }) => {
    const status = after.tasks[id]?.status ?? 'forgotten';
    if (states.at(-1) !== status) states.push(status);
  });
  act();
  return states;
}

const taskEffects = (cloud: FakeCloud): readonly Effect[] =>
  cloud.effects.filter(({ kind }) => kind === 'start-task' || kind === 'stop-task');

describe('the life of a task', () => {
  test('goes from PROVISIONING through PENDING to RUNNING, and its target is healthy before the service is steady', () => {
    const cloud = new FakeCloud()
      .furnish()
      .create(spec('good', { desiredCount: 1 }))
      .pass(200);
    const seen: (string | undefined)[] = [cloud.tasks[0]?.status];
    cloud.pass(300);
    seen.push(cloud.tasks[0]?.status);
    cloud.pass(100);
    seen.push(cloud.tasks[0]?.status);
    expect(seen).toEqual(['PROVISIONING', 'PENDING', 'RUNNING']);
    expect(cloud.service.steady).toBe(false);
    expect(cloud.settle().state.targetGroups[GROUP]?.targets['10.0.1.4:80']?.state).toBe('healthy');
  });

  test('ends by draining, then SIGTERM, then STOPPED, when its service is scaled in', () => {
    const cloud = running();
    const states = statesOf(cloud, () => cloud.scale(spec('good', { desiredCount: 0 })).pass(30_000));
    expect(states).toEqual(['RUNNING', 'DEACTIVATING', 'STOPPING', 'DEPROVISIONING', 'STOPPED']);
    expect(cloud.tasks[0]).toMatchObject({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: `Scaling activity initiated by (deployment ${cloud.tasks[0]?.startedBy})`,
      exitCode: 0,
    });
  });

  test('gets SIGTERM when the deregistration delay is over, and not before', () => {
    const cloud = running();
    const start = cloud.now;
    cloud.scale(spec('good', { desiredCount: 0 })).pass(8_199);
    expect(taskEffects(cloud).at(-1)?.kind).toBe('start-task');
    cloud.passUntil(() => taskEffects(cloud).at(-1)?.kind === 'stop-task');
    expect(cloud.now - start).toBe(8_200);
  });

  test('ends without draining when a user stops it, and is replaced', () => {
    const cloud = running();
    const [task] = cloud.tasks;
    const states = statesOf(cloud, () =>
      cloud
        .send({ kind: 'task-stop-requested', id: task?.id ?? '', reason: 'Task stopped by user' })
        .pass(1_000)
        .settle(),
    );
    expect(states.slice(0, 2)).toEqual(['STOPPING', 'DEPROVISIONING']);
    expect(cloud.state.tasks[task?.id ?? '']).toMatchObject({ stopCode: 'UserInitiated', desiredStatus: 'STOPPED' });
    expect(cloud.tasks.filter(({ desiredStatus }) => desiredStatus === 'RUNNING')).toHaveLength(1);
  });

  test('leaves the load balancers before its process is told to end', () => {
    const cloud = running();
    const before = cloud.effects.length;
    cloud.send({ kind: 'task-stop-requested', id: cloud.tasks[0]?.id ?? '', reason: 'Task stopped by user' });
    expect(cloud.effects.slice(before).map(({ kind }) => kind)).toEqual(['targets-changed', 'stop-task']);
  });

  test('is remembered for an hour after it stopped', () => {
    const cloud = running();
    const id = cloud.tasks[0]?.id ?? '';
    cloud.scale(spec('good', { desiredCount: 0 })).pass(30_000);
    cloud.pass(3_560_000).send({ kind: 'tick' });
    expect(cloud.state.tasks[id]?.status).toBe('STOPPED');
    cloud.pass(60_000).send({ kind: 'tick' });
    expect(cloud.state.tasks[id]).toBeUndefined();
  });
});

describe('why a task ended', () => {
  const ended = (image: string): Task | undefined => {
    const cloud = new FakeCloud()
      .furnish()
      .create(spec(image, { desiredCount: 1 }))
      .pass(1_500);
    return cloud.tasks[0];
  };

  test('an essential container that exits ends its task with its code', () => {
    expect(ended('crash')).toMatchObject({
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      exitCode: 1,
    });
  });

  test('a task that could not start carries the reason on task and container', () => {
    const reason = 'CannotPullContainerError: no-image: not found';
    expect(ended('no-image')).toMatchObject({
      stopCode: 'TaskFailedToStart',
      stoppedReason: reason,
      containerReason: reason,
      exitCode: undefined,
    });
  });

  test.each([
    { name: 'SIGKILL', signal: 'SIGKILL', exitCode: 137 },
    { name: 'SIGTERM', signal: 'SIGTERM', exitCode: 143 },
  ])('a process killed by $name shows $exitCode', ({ signal, exitCode }) => {
    const cloud = running();
    const id = cloud.tasks[0]?.id ?? '';
    cloud.send({ kind: 'task-exited', id, code: null, signal });
    expect(cloud.state.tasks[id]?.exitCode).toBe(exitCode);
  });
});

describe('a task whose health checks fail', () => {
  test('is replaced first and stopped when the replacement is healthy', () => {
    const cloud = running(2);
    const [sick] = cloud.tasks;
    cloud.spoilTask(sick?.id ?? '', 'unhealthy').passUntil(({ steady }) => !steady);
    expect(cloud.messages().at(-1)).toBe(
      '(service web) has started 1 tasks: (task t3). Amazon ECS replaced 1 tasks due to an unhealthy status.',
    );
    expect(cloud.state.tasks[sick?.id ?? '']?.desiredStatus).toBe('RUNNING');
    cloud.settle();
    expect(cloud.state.tasks[sick?.id ?? '']?.desiredStatus).toBe('STOPPED');
    expect(cloud.tasks.filter(({ desiredStatus }) => desiredStatus === 'RUNNING')).toHaveLength(2);
  });

  test('counts as a failed task and leaves its reason', () => {
    const cloud = running(1).deploy(spec('unhealthy', { revision: 2, desiredCount: 1 }));
    cloud.passUntil(({ deployments }) => deployments[0]?.failedTasks === 1);
    const stopped = cloud.tasks.find(({ stoppedReason }) => stoppedReason !== undefined);
    expect(stopped).toMatchObject({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: `Task failed ELB health checks in (target-group ${GROUP})`,
    });
    expect(cloud.messages()).toContain(
      '(service web) (task t2) (port 80) is unhealthy in (target-group web) due to (reason Health checks failed with these codes: [500]).',
    );
  });

  test('is left alone within the grace period', () => {
    const grace = { revision: 2, desiredCount: 1, healthCheckGracePeriod: 60_000 };
    const cloud = running(1).deploy(spec('unhealthy', grace)).pass(60_000);
    expect(cloud.service.deployments[0]?.failedTasks).toBe(0);
    cloud.pass(1_000);
    expect(cloud.service.deployments[0]?.failedTasks).toBe(1);
  });

  test('makes room for its replacement where there is none', () => {
    const tight = { desiredCount: 1, configuration: percent(0, 100) };
    const cloud = new FakeCloud().furnish().create(spec('unhealthy-later', tight)).settle();
    cloud.passUntil(({ steady }) => !steady);
    expect(cloud.tasks.filter(({ desiredStatus }) => desiredStatus === 'RUNNING')).toHaveLength(1);
    expect(cloud.messages().at(-1)).toMatch(/has begun draining connections on 1 tasks/);
  });
});

describe('RunTask', () => {
  const migration = {
    template: template('good'),
    group: undefined,
    startedBy: 'deploy-42',
    overrides: {},
    environment: { MIGRATE: '1' },
    tags: {},
    settings: {},
    oneOff: undefined,
  };

  test('ends a task by itself whose command comes to an end, with its exit code', () => {
    const oneOff = { command: ['migrate'], length: 2_000, exitCode: 3 };
    const run = { ...migration, oneOff };
    const cloud = new FakeCloud().furnish().send({ kind: 'tasks-run', cluster: CLUSTER, count: 1, run });
    cloud.pass(1_000);
    expect(cloud.tasks[0]).toMatchObject({ status: 'RUNNING', exitCode: undefined });
    cloud.pass(3_000);
    expect(cloud.tasks[0]).toMatchObject({ status: 'STOPPED', exitCode: 3, stopCode: 'EssentialContainerExited' });
  });

  test('runs a task of no service, with the overrides of its environment, to its end', () => {
    const cloud = new FakeCloud().furnish().send({ kind: 'tasks-run', cluster: CLUSTER, count: 1, run: migration });
    cloud.pass(1_000);
    const [task] = cloud.tasks;
    expect(task).toMatchObject({ group: 'family:web', startedBy: 'deploy-42', status: 'RUNNING' });
    expect(cloud.effects.find(({ kind }) => kind === 'start-task')).toMatchObject({
      environment: { COLOR: 'blue', MIGRATE: '1' },
      containerPort: 80,
    });
    cloud.send({ kind: 'task-exited', id: task?.id ?? '', code: 0 }).pass(1_000);
    expect(cloud.tasks[0]).toMatchObject({ status: 'STOPPED', stopCode: 'EssentialContainerExited', exitCode: 0 });
  });
});

test('what the core did not ask for, or asked for long ago, changes nothing', () => {
  const cloud = running();
  const before = cloud.state;
  const address = { host: '127.0.0.1', port: 1 };
  cloud
    .send({ kind: 'task-started', id: 'unknown', address })
    .send({ kind: 'task-started', id: cloud.tasks[0]?.id ?? '', address })
    .send({ kind: 'task-start-failed', id: cloud.tasks[0]?.id ?? '', reason: 'late' })
    .send({ kind: 'task-exited', id: 'unknown', code: 1 })
    .send({ kind: 'service-deployment-stop-requested', serviceDeploymentArn: 'unknown' });
  expect(cloud.state).toBe(before);
});
