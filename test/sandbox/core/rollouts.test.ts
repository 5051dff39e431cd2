import { describe, expect, test } from '@jest/globals';
import { viewOf } from '../../../sandbox/core/core.ts';
import type { ServiceDeployment, State } from '../../../sandbox/core/types.ts';
import { FakeCloud, GROUP, percent, plain, SERVICE, spec } from './fake-cloud.ts';

const running = (): FakeCloud => new FakeCloud().furnish().create(spec('good')).settle();
const protectedBy = (rollback: 'rolls-back' | 'only-stops') =>
  percent(100, 200, { enable: true, rollback: rollback === 'rolls-back' });

const lastDeployment = (cloud: FakeCloud): ServiceDeployment => {
  const arn = cloud.service.currentServiceDeployment ?? '';
  const one = cloud.state.serviceDeployments[arn];
  if (one === undefined) throw new Error('no service deployment');
  return one;
};
const rolloutsOf = (cloud: FakeCloud) =>
  cloud.service.deployments.map(({ status, rolloutState }) => `${status} ${rolloutState}`);
const liveTasks = (state: State) =>
  Object.values(state.tasks).filter(({ desiredStatus }) => desiredStatus === 'RUNNING');
const healthyTargets = (state: State): number =>
  Object.values(state.targetGroups[GROUP]?.targets ?? {}).filter(({ state: shown }) => shown === 'healthy').length;
const definitions = (cloud: FakeCloud) => [
  ...new Set(liveTasks(cloud.state).map((task) => task.template.taskDefinitionArn.slice(-1))),
];

const CREATED = [
  '(service web) has started 4 tasks: (task t1) (task t2) (task t3) (task t4).',
  '(service web) registered 4 targets in (target-group web)',
  '(service web) (deployment ecs-svc/1) deployment completed.',
  '(service web) has reached a steady state.',
];

describe('a good rollout', () => {
  test('says what the service says, in its order', () => {
    const cloud = running()
      .deploy(spec('good', { revision: 2 }))
      .settle();
    expect(cloud.messages()).toEqual([
      ...CREATED,
      '(service web) has started 4 tasks: (task t5) (task t6) (task t7) (task t8).',
      '(service web) registered 4 targets in (target-group web)',
      '(service web) has stopped 4 running tasks: (task t1) (task t2) (task t3) (task t4).',
      '(service web) deregistered 4 targets in (target-group web)',
      '(service web, taskSet ecs-svc/1) has begun draining connections on 4 tasks.',
      '(service web) (deployment ecs-svc/2) deployment completed.',
      '(service web) has reached a steady state.',
    ]);
  });

  test('keeps the minimum healthy and the maximum running at every moment', () => {
    const cloud = running();
    const seen: { healthy: number; live: number }[] = [];
    cloud.watch(({ after }) => seen.push({ healthy: healthyTargets(after), live: liveTasks(after).length }));
    cloud.deploy(spec('good', { revision: 2 })).settle();
    expect(Math.min(...seen.map(({ healthy }) => healthy))).toBe(4);
    expect(Math.max(...seen.map(({ live }) => live))).toBe(8);
  });

  test('shows PRIMARY and ACTIVE side by side until the old tasks are gone', () => {
    const cloud = running().deploy(spec('good', { revision: 2 }));
    expect(rolloutsOf(cloud)).toEqual(['PRIMARY IN_PROGRESS', 'ACTIVE COMPLETED']);
    cloud.pass(1_000);
    const view = viewOf(cloud.state, cloud.service);
    expect(view.deployments.map(({ desired, running: up, pending }) => ({ desired, up, pending }))).toEqual([
      { desired: 4, up: 4, pending: 0 },
      { desired: 4, up: 4, pending: 0 },
    ]);
    expect(rolloutsOf(cloud.settle())).toEqual(['PRIMARY COMPLETED']);
  });

  test('starts its service deployment as PENDING and ends it as SUCCESSFUL', () => {
    const cloud = running().deploy(spec('good', { revision: 2 }));
    expect(lastDeployment(cloud)).toMatchObject({ status: 'PENDING', startedAt: undefined });
    cloud.pass(200);
    expect(lastDeployment(cloud)).toMatchObject({ status: 'IN_PROGRESS', startedAt: cloud.now });
    cloud.settle();
    expect(lastDeployment(cloud)).toMatchObject({ status: 'SUCCESSFUL', finishedAt: cloud.now, stoppedAt: undefined });
    expect(lastDeployment(cloud).sourceRevisionArns).toHaveLength(1);
  });
});

describe('a failing rollout with circuit breaker and rollback', () => {
  const cases = [
    { name: 'the process exits before it listens', image: 'crash', code: 'EssentialContainerExited' },
    { name: 'the image cannot be pulled', image: 'no-image', code: 'TaskFailedToStart' },
    { name: 'the health checks fail', image: 'unhealthy', code: 'ServiceSchedulerInitiated' },
  ];
  test.each(cases)('goes back to the last completed revision when $name', ({ image, code }) => {
    const cloud = running().deploy(spec(image, { revision: 2, configuration: protectedBy('rolls-back') }));
    const failing = cloud.service.deployments[0]?.id;
    cloud.settle();
    expect(lastDeployment(cloud)).toMatchObject({
      status: 'ROLLBACK_SUCCESSFUL',
      statusReason: 'Service deployment rolled back because the circuit breaker threshold was exceeded.',
      threshold: 3,
      failureCount: 4,
    });
    expect(definitions(cloud)).toEqual(['1']);
    expect(cloud.service.deployments[0]?.id).not.toBe(failing);
    const failed = cloud.tasks.find(({ startedBy, stopCode }) => startedBy === failing && stopCode === code);
    expect(failed?.desiredStatus).toBe('STOPPED');
  });

  test('is FAILED beside the PRIMARY that rolls back', () => {
    const cloud = running().deploy(spec('crash', { revision: 2, configuration: protectedBy('rolls-back') }));
    cloud.passUntil(() => lastDeployment(cloud).status === 'ROLLBACK_IN_PROGRESS');
    const [primary, failed] = cloud.service.deployments;
    expect(primary?.rolloutStateReason).toBe(
      `ECS deployment circuit breaker: rolling back to deploymentId ${primary?.id}.`,
    );
    expect(failed).toMatchObject({
      status: 'ACTIVE',
      rolloutState: 'FAILED',
      rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.',
      failedTasks: 4,
    });
    expect(cloud.messages().slice(-3)).toEqual([
      '(service web) (deployment ecs-svc/2) deployment failed: tasks failed to start.',
      '(service web) rolling back to deployment ecs-svc/3.',
      '(service web) has started 4 tasks: (task t9) (task t10) (task t11) (task t12).',
    ]);
  });

  test('never takes a healthy task away before its replacement is healthy', () => {
    const cloud = running();
    const healthy: number[] = [];
    cloud.watch(({ after }) => healthy.push(healthyTargets(after)));
    cloud.deploy(spec('unhealthy', { revision: 2, configuration: protectedBy('rolls-back') })).settle();
    expect(Math.min(...healthy)).toBe(4);
  });

  test('has nothing to go back to on a first deployment', () => {
    const cloud = new FakeCloud().furnish().create(spec('crash', { configuration: protectedBy('rolls-back') }));
    cloud.passUntil(() => lastDeployment(cloud).status === 'STOPPED');
    expect(rolloutsOf(cloud)).toEqual(['PRIMARY FAILED']);
    expect(lastDeployment(cloud).statusReason).toMatch(/no completed service revision/);
  });

  test('is ROLLBACK_FAILED when the old revision does not start any more', () => {
    const cloud = running().spoil('good', 'crash');
    cloud.deploy(spec('unhealthy', { revision: 2, configuration: protectedBy('rolls-back') }));
    cloud.passUntil(() => lastDeployment(cloud).status === 'ROLLBACK_FAILED');
    expect(rolloutsOf(cloud)[0]).toBe('PRIMARY FAILED');
    // What was healthy before all this still serves.
    expect(healthyTargets(cloud.state)).toBe(4);
  });
});

describe('a failing rollout', () => {
  test('stays FAILED and starts nothing more when the breaker may not roll back', () => {
    const cloud = running().deploy(spec('crash', { revision: 2, configuration: protectedBy('only-stops') }));
    cloud.passUntil(() => lastDeployment(cloud).status === 'STOPPED');
    const started = cloud.state.addresses;
    cloud.pass(300_000);
    expect(rolloutsOf(cloud)).toEqual(['PRIMARY FAILED', 'ACTIVE COMPLETED']);
    expect(cloud.state.addresses).toBe(started);
    expect(definitions(cloud)).toEqual(['1']);
    expect(lastDeployment(cloud).stoppedAt).toBeDefined();
  });

  test('is tried for ever, ever more slowly, when the breaker is off', () => {
    const cloud = running()
      .deploy(spec('crash', { revision: 2 }))
      .pass(600_000);
    expect(rolloutsOf(cloud)).toEqual(['PRIMARY IN_PROGRESS', 'ACTIVE COMPLETED']);
    expect(cloud.service.deployments[0]?.failedTasks).toBeGreaterThan(50);
    expect(cloud.messages()).toContain('(service web) is unable to consistently start tasks successfully.');
    const starts = cloud.service.events.filter(({ message }) => message.includes('has started')).map(({ at }) => at);
    // Newest first: the last pause is the limit, and some 600 ms in which a task starts and fails.
    expect((starts[0] ?? 0) - (starts[1] ?? 0)).toBeGreaterThanOrEqual(30_000);
  });

  test('counts from the start again when a task becomes healthy', () => {
    const cloud = running().deploy(spec('crash', { revision: 2 }));
    cloud.passUntil(({ deployments }) => (deployments[0]?.failedTasks ?? 0) > 0);
    cloud.spoil('crash', 'good').settle();
    expect(cloud.service.deployments[0]).toMatchObject({
      failedTasks: 0,
      failureCount: 0,
      failedStarts: 0,
      rolloutState: 'COMPLETED',
    });
  });

  test('says that the percentages leave no room, once', () => {
    const cloud = running()
      .deploy(spec('good', { revision: 2, configuration: percent(100, 100) }))
      .pass(120_000);
    const said = cloud.messages().filter((message) => message.includes('was unable to stop or start tasks'));
    expect(said).toHaveLength(1);
    expect(definitions(cloud)).toEqual(['1']);
  });
});

describe('a service deployment that is stopped', () => {
  test('rolls back although the service has no circuit breaker', () => {
    const cloud = running()
      .deploy(spec('unhealthy', { revision: 2 }))
      .pass(1_000);
    const serviceDeploymentArn = lastDeployment(cloud).arn;
    cloud.send({ kind: 'service-deployment-stop-requested', serviceDeploymentArn });
    expect(lastDeployment(cloud).status).toBe('ROLLBACK_REQUESTED');
    cloud.pass(200);
    expect(lastDeployment(cloud).status).toBe('ROLLBACK_IN_PROGRESS');
    expect(lastDeployment(cloud).rollback?.revisionArn).toBe(lastDeployment(cloud).sourceRevisionArns[0]);
    cloud.settle();
    expect(lastDeployment(cloud)).toMatchObject({ arn: serviceDeploymentArn, status: 'ROLLBACK_SUCCESSFUL' });
    expect(definitions(cloud)).toEqual(['1']);
  });

  test('stays as it is when it was over', () => {
    const cloud = running();
    const before = lastDeployment(cloud);
    cloud.send({ kind: 'service-deployment-stop-requested', serviceDeploymentArn: before.arn }).pass(10_000);
    expect(lastDeployment(cloud)).toEqual(before);
  });

  test('cannot roll back a first deployment', () => {
    const cloud = new FakeCloud().furnish().create(spec('unhealthy'));
    const serviceDeploymentArn = lastDeployment(cloud).arn;
    cloud.send({ kind: 'service-deployment-stop-requested', serviceDeploymentArn }).pass(1_000);
    expect(lastDeployment(cloud).status).toBe('ROLLBACK_FAILED');
  });
});

test('a newer deployment supersedes one that runs, and takes its tasks away', () => {
  const cloud = running()
    .deploy(spec('unhealthy', { revision: 2 }))
    .pass(1_000);
  const superseded = lastDeployment(cloud).arn;
  cloud.deploy(spec('good', { revision: 3 }));
  expect(cloud.state.serviceDeployments[superseded]?.status).toBe('STOP_REQUESTED');
  expect(rolloutsOf(cloud)).toEqual(['PRIMARY IN_PROGRESS', 'ACTIVE IN_PROGRESS', 'ACTIVE COMPLETED']);
  cloud.settle();
  expect(cloud.state.serviceDeployments[superseded]).toMatchObject({
    status: 'STOPPED',
    statusReason: 'Service deployment stopped because a new service deployment was started.',
  });
  expect(lastDeployment(cloud).status).toBe('SUCCESSFUL');
  expect(definitions(cloud)).toEqual(['3']);
});

describe('scaling', () => {
  test.each([
    { name: 'out', to: 6, message: 'has started 2 tasks: (task t5) (task t6).' },
    { name: 'in', to: 1, message: 'has stopped 3 running tasks: (task t2) (task t3) (task t4).' },
    { name: 'to nothing', to: 0, message: 'has stopped 4 running tasks: (task t1) (task t2) (task t3) (task t4).' },
  ])('$name changes tasks over time, without a new deployment', ({ to, message }) => {
    const cloud = running();
    const [deployment] = cloud.service.deployments;
    cloud.scale(spec('good', { desiredCount: to }));
    expect(liveTasks(cloud.state)).toHaveLength(4);
    cloud.settle();
    expect(liveTasks(cloud.state)).toHaveLength(to);
    expect(healthyTargets(cloud.state)).toBe(to);
    expect(cloud.service.deployments.map(({ id }) => id)).toEqual([deployment?.id]);
    expect(cloud.messages()).toContain(`(service web) ${message}`);
    expect(Object.keys(cloud.state.serviceDeployments)).toHaveLength(1);
  });
});

test('a deleted service drains and then is INACTIVE without tasks', () => {
  const cloud = running().send({ kind: 'service-deleted', serviceArn: SERVICE });
  expect(cloud.service.status).toBe('DRAINING');
  cloud.passUntil(({ status }) => status === 'INACTIVE');
  expect(cloud.tasks.map(({ status }) => status)).toEqual(['STOPPED', 'STOPPED', 'STOPPED', 'STOPPED']);
  expect(cloud.service.deployments).toEqual([]);
});

test('keeps the newest hundred service events', () => {
  const cloud = running()
    .deploy(spec('crash', { revision: 2, configuration: percent(100, 200) }))
    .pass(3_600_000);
  expect(cloud.service.events).toHaveLength(100);
  expect(cloud.service.events[0]?.at).toBeGreaterThan(cloud.service.events[99]?.at ?? 0);
});

describe('determinism', () => {
  const story = (seed: string) =>
    new FakeCloud(seed)
      .furnish()
      .create(spec('good'))
      .settle()
      .deploy(spec('crash', { revision: 2, configuration: protectedBy('rolls-back') }))
      .settle();

  test('the same seed and events give the same ids and the same state', () => {
    expect(plain(story('a').state)).toEqual(plain(story('a').state));
  });

  test('another seed gives other ids', () => {
    const ids = (seed: string) => story(seed).tasks.map(({ id }) => id);
    expect(ids('a').filter((id) => ids('b').includes(id))).toEqual([]);
  });

  test('a step leaves the state that it began with as it was', () => {
    const cloud = running();
    const before = cloud.state;
    const copy = plain(before);
    cloud.deploy(spec('unhealthy', { revision: 2 })).pass(60_000);
    expect(plain(before)).toEqual(copy);
  });
});
