import { describe, expect, test } from '@jest/globals';
import { instant } from '../../../src/domain/duration.ts';
import { type Evidence, diagnose, eventsAfter } from '../../../src/domain/ecs/diagnosis.ts';
import type { EcsService, StoppedTask } from '../../../src/domain/ecs/service.ts';

const SINCE = instant(Date.UTC(2026, 10, 20, 12));
const service: EcsService = {
  arn: 'arn:aws:ecs:us-west-2:111122223333:service/shop/web',
  ref: { cluster: 'shop', service: 'web' },
  status: 'ACTIVE',
  taskDefinition: 'arn:td/web:8',
  desired: 3,
  running: 3,
  pending: 0,
  deployments: [],
  events: [],
  loadBalancers: [],
  tags: {},
};
const task = (given: Partial<StoppedTask>, id = 'a1'): StoppedTask => ({
  arn: `arn:aws:ecs:us-west-2:111122223333:task/shop/${id}`,
  containers: [],
  ...given,
});
const evidence = (given: Partial<Evidence>): Evidence => ({
  tasks: [],
  service,
  after: { startedAt: SINCE },
  ...given,
});

describe('the likely cause', () => {
  const stops = [
    {
      name: 'a missing image',
      reason:
        'CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref r/web:9: not found',
      cause: 'the image does not exist in its registry',
    },
    {
      name: 'a forbidden pull',
      reason: 'CannotPullContainerError: Error response from daemon: pull access denied, 403 Forbidden',
      cause: 'the image may not be pulled',
    },
    {
      name: 'no route to the registry',
      reason: 'CannotPullContainerError: dial tcp 10.0.0.1:443: i/o timeout',
      cause: 'the registry cannot be reached from the subnets of the service',
    },
    {
      name: 'a missing secret',
      reason: 'ResourceInitializationError: unable to pull secrets or registry auth: secrets manager',
      cause: 'a secret or parameter of the task definition could not be read',
    },
    {
      name: 'a failed load balancer check',
      reason: 'Task failed ELB health checks in (target-group arn:tg)',
      cause: 'the load balancer found the tasks unhealthy',
    },
    {
      name: 'a failed container check',
      reason: 'Task failed container health checks',
      cause: "the container's own health check failed",
    },
    {
      name: 'no Fargate capacity',
      reason: 'Capacity is unavailable at this time. Please try again later',
      cause: 'AWS has no Fargate capacity here at the moment',
    },
  ];
  test.each(stops)('of $name is told first', ({ reason, cause }) => {
    expect(diagnose(evidence({ tasks: [task({ stoppedReason: reason })] }))[0]).toContain(`Likely cause: ${cause}.`);
  });

  const told = [
    { stopCode: 'ServiceSchedulerInitiated', exitCode: 0 },
    { stopCode: 'ServiceSchedulerInitiated', exitCode: 137 },
    { stopCode: 'UserInitiated', exitCode: 143 },
  ];
  test.each(told)('is none of a task that was told to stop ($stopCode, $exitCode)', ({ stopCode, exitCode }) => {
    const stoppedReason = 'Scaling activity initiated by (deployment ecs-svc/2)';
    const stopped = task({ stopCode, stoppedReason, containers: [{ name: 'web', exitCode }] });
    const lines = diagnose(evidence({ tasks: [stopped] }));
    expect(lines).toEqual([expect.stringContaining(`exit code ${exitCode}`)]);
    expect(lines.join()).not.toContain('Likely cause');
  });

  test('is still that of the load balancer, which has ECS stop the task', () => {
    const stopped = task({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: 'Task failed ELB health checks in (target-group arn:tg)',
      containers: [{ name: 'web', exitCode: 0 }],
    });
    expect(diagnose(evidence({ tasks: [stopped] }))[0]).toContain('the load balancer found the tasks unhealthy');
  });

  const exits = [
    { name: 'a crash', container: { name: 'web', exitCode: 1 }, cause: 'the application ended with an error' },
    {
      name: 'a normal end',
      container: { name: 'web', exitCode: 0 },
      cause: 'the application ended by itself, without an error',
    },
    {
      name: 'a missing command',
      container: { name: 'web', exitCode: 127 },
      cause: 'the command of the container was not found or may not be run',
    },
    {
      name: 'too little memory',
      container: { name: 'web', exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' },
      cause: 'a container used more memory than it has',
    },
  ];
  test.each(exits)('of $name is read off the container', ({ container, cause }) => {
    const [first] = diagnose(
      evidence({
        tasks: [
          task({
            stopCode: 'EssentialContainerExited',
            stoppedReason: 'Essential container in task exited',
            containers: [container],
          }),
        ],
      }),
    );
    expect(first).toContain(`Likely cause: ${cause}`);
  });

  test('is found in the events when no task could even start', () => {
    const events = [
      {
        id: '1',
        at: SINCE,
        message: '(service web) was unable to place a task because no container instance met all of its requirements.',
      },
    ];
    expect(diagnose(evidence({ service: { ...service, events } }))[0]).toContain(
      'the cluster has no room for the tasks',
    );
  });

  test('is not invented', () => {
    expect(diagnose(evidence({}))).toEqual([]);
    expect(diagnose(evidence({ tasks: [task({ stoppedReason: 'Something new' })] }))).toEqual([
      'Task a1 stopped: Something new',
    ]);
  });
});

test('the same stop of several tasks is told once with their number', () => {
  const stopped = {
    stoppedReason: 'Essential container in task exited',
    containers: [{ name: 'web', exitCode: 1 }, { name: 'log' }],
  };
  expect(
    diagnose(
      evidence({
        tasks: [
          task(stopped, 'a1'),
          task(stopped, 'a2'),
          task({ ...stopped, containers: [{ name: 'web', exitCode: 2 }] }, 'a3'),
        ],
      }),
    ),
  ).toEqual([
    "Likely cause: the application ended with an error. See the container's log.",
    '2 tasks stopped (a1, ...): Essential container in task exited; container web: exit code 1',
    'Task a3 stopped: Essential container in task exited; container web: exit code 2',
  ]);
});

describe('the events of a deployment', () => {
  const event = (second: number) => ({
    id: String(second),
    at: instant(SINCE + second * 1_000),
    message: `event ${second}`,
  });
  const newestFirst = [6, 5, 4, 3, 2, 1].map(event);

  test('are those after the newest one before it, whatever the clocks say', () => {
    const seen = eventsAfter({ events: newestFirst }, { lastEvent: '4', startedAt: instant(SINCE + 60_000) });
    expect(seen.map(({ id }) => id)).toEqual(['5', '6']);
  });

  const byTime = [
    { name: 'there was none before it', mark: { startedAt: instant(SINCE + 5_000) } },
    { name: 'ECS has forgotten that one', mark: { lastEvent: 'gone', startedAt: instant(SINCE + 5_000) } },
  ];
  test.each(byTime)('are found by time when $name', ({ mark }) => {
    expect(eventsAfter({ events: newestFirst }, mark).map(({ id }) => id)).toEqual(['5', '6']);
  });

  test('stand in the diagnosis, the last five in order, after what ECS recorded', () => {
    const lines = diagnose(
      evidence({
        service: { ...service, events: newestFirst },
        serviceDeployment: {
          arn: 'arn:sd',
          status: 'ROLLBACK_SUCCESSFUL',
          statusReason: 'circuit breaker',
          triggeredAlarms: ['5xx'],
        },
      }),
    );
    expect(lines).toEqual([
      'Alarms that went off: 5xx',
      'ECS: ROLLBACK_SUCCESSFUL, circuit breaker',
      ...[2, 3, 4, 5, 6].map((second) => `12:00:0${second} UTC event ${second}`),
    ]);
  });
});
