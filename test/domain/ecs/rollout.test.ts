import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Duration, after, instant, minutes, seconds } from '../../../src/domain/duration.ts';
import {
  NOTHING_SEEN,
  type RolloutSighting,
  type RolloutWatch,
  look,
  stageOf,
} from '../../../src/domain/ecs/rollout.ts';
import type { EcsDeployment, EcsService, ServiceDeployment } from '../../../src/domain/ecs/service.ts';

const START = instant(Date.UTC(2026, 10, 20, 12));
const OLD = 'arn:aws:ecs:us-west-2:111122223333:task-definition/web:7';
const NEW = 'arn:aws:ecs:us-west-2:111122223333:task-definition/web:8';
const OTHER = 'arn:aws:ecs:us-west-2:111122223333:task-definition/web:9';

const deployment = (id: string, taskDefinition: string, given: Partial<EcsDeployment> = {}): EcsDeployment => ({
  id,
  taskDefinition,
  status: 'PRIMARY',
  desired: 3,
  running: 3,
  pending: 0,
  failed: 0,
  ...given,
});
const old = (given: Partial<EcsDeployment> = {}): EcsDeployment =>
  deployment('ecs-svc/1', OLD, { status: 'ACTIVE', rolloutState: 'COMPLETED', ...given });
const ours = (given: Partial<EcsDeployment> = {}): EcsDeployment =>
  deployment('ecs-svc/2', NEW, { rolloutState: 'IN_PROGRESS', running: 0, pending: 3, ...given });
const wayBack = (given: Partial<EcsDeployment> = {}): EcsDeployment =>
  deployment('ecs-svc/3', OLD, { rolloutState: 'IN_PROGRESS', ...given });
const foreign = (given: Partial<EcsDeployment> = {}): EcsDeployment =>
  deployment('ecs-svc/9', OTHER, { rolloutState: 'IN_PROGRESS', ...given });
const classic = ({ rolloutState: _, ...rest }: EcsDeployment): EcsDeployment => rest;

const BREAKER = { enable: true, rollback: true };
const sighting = (
  deployments: readonly EcsDeployment[],
  given: Partial<EcsService> = {},
  serviceDeployment?: ServiceDeployment,
): RolloutSighting => ({
  service: {
    arn: 'arn:aws:ecs:us-west-2:111122223333:service/shop/web',
    ref: { cluster: 'shop', service: 'web' },
    status: 'ACTIVE',
    taskDefinition: NEW,
    desired: 3,
    running: 3,
    pending: 0,
    deployments,
    events: [],
    loadBalancers: [],
    tags: {},
    circuitBreaker: BREAKER,
    ...given,
  },
  ...(serviceDeployment ? { serviceDeployment } : {}),
});
const record = (status: ServiceDeployment['status'], given: Partial<ServiceDeployment> = {}): ServiceDeployment => ({
  arn: 'arn:sd/2',
  status,
  taskDefinition: NEW,
  ...given,
});

const WATCH: RolloutWatch = {
  taskDefinition: NEW,
  deploymentId: 'ecs-svc/2',
  earlierDeployments: ['ecs-svc/1'],
  startedAt: START,
  deadline: after(START, minutes(20)),
  rollbackWithin: minutes(15),
  goesBackTo: OLD,
  memory: NOTHING_SEEN,
};

type Step = readonly [Duration, RolloutSighting];
/** Plays a rollout look by look; the kinds of the states in order, and the last state. */
function replay(steps: readonly Step[], watch: RolloutWatch = WATCH) {
  const kinds: string[] = [];
  let now = watch;
  let last;
  for (const [offset, seen] of steps) {
    const looked = look(now, seen, after(START, offset));
    now = looked.watch;
    last = looked.state;
    kinds.push(looked.state.kind);
  }
  return { kinds, last };
}

test.each(['DRAINING', 'INACTIVE'])(
  "a rollout of a service that was deleted (%s) fails, and is nobody else's",
  (status) => {
    const seen = sighting([ours({ status: 'ACTIVE' }), wayBack()], { status }, record('STOPPED'));
    expect(replay([[seconds(30), seen]]).last).toEqual({
      kind: 'failed',
      reason: `the service was deleted (it is ${status})`,
    });
  },
);

describe('a rollout succeeds', () => {
  test('when ECS says that ours is complete', () => {
    const { kinds, last } = replay([
      [seconds(0), sighting([ours(), old()])],
      [seconds(20), sighting([ours({ running: 2, pending: 1 }), old({ running: 1 })])],
      [seconds(40), sighting([ours({ running: 3, pending: 0, rolloutState: 'COMPLETED' })])],
    ]);
    expect(kinds).toEqual(['in-progress', 'in-progress', 'succeeded']);
    expect(last).toEqual({ kind: 'succeeded', reason: '3 of 3 tasks run web:8' });
  });

  test('when its service deployment is successful, whatever the list of deployments still says', () => {
    expect(replay([[seconds(9), sighting([old({ status: 'PRIMARY' })], {}, record('SUCCESSFUL'))]]).kinds).toEqual([
      'succeeded',
    ]);
  });

  test('behind a Classic Load Balancer only after the counts were right in two reads', () => {
    const steady = classic(ours({ running: 3, pending: 0 }));
    expect(
      replay([
        [seconds(2), sighting([steady])],
        [seconds(4), sighting([classic(ours({ running: 2, pending: 1 }))])],
        [seconds(6), sighting([steady])],
        [seconds(8), sighting([steady])],
      ]).kinds,
    ).toEqual(['in-progress', 'in-progress', 'in-progress', 'succeeded']);
  });

  test('with a warning in its reason when the service wants no task', () => {
    const { last } = replay([
      [
        seconds(2),
        sighting([ours({ desired: 0, running: 0, pending: 0, rolloutState: 'COMPLETED' })], { desired: 0, running: 0 }),
      ],
    ]);
    expect(last).toEqual({
      kind: 'succeeded',
      reason: 'web:8 is deployed, but the service wants 0 tasks, so nothing runs',
    });
  });

  test('only by its service deployment when alarms judge after the tasks are steady', () => {
    const done = sighting(
      [ours({ rolloutState: 'COMPLETED' })],
      { alarms: { names: ['5xx'], rollback: true } },
      record('IN_PROGRESS'),
    );
    expect(
      replay([
        [seconds(60), done],
        [seconds(90), { ...done, serviceDeployment: record('SUCCESSFUL') }],
      ]).kinds,
    ).toEqual(['in-progress', 'succeeded']);
  });
});

describe('a stale read', () => {
  test('that shows the old deployment complete is never taken for the end', () => {
    const stale = sighting([old({ status: 'PRIMARY' })]);
    expect(
      replay([
        [seconds(1), stale],
        [seconds(3), stale],
        [seconds(60), stale],
        [seconds(600), stale],
      ]).kinds,
    ).toEqual(['in-progress', 'in-progress', 'in-progress', 'in-progress']);
  });

  test('after ours was listed is not taken for a roll back', () => {
    const { kinds } = replay([
      [seconds(1), sighting([ours(), old()])],
      [seconds(3), sighting([old({ status: 'PRIMARY' })])],
      [seconds(5), sighting([ours({ rolloutState: 'COMPLETED' })])],
    ]);
    expect(kinds).toEqual(['in-progress', 'in-progress', 'succeeded']);
  });

  test('ends as timed out, with what was seen', () => {
    expect(replay([[minutes(20), sighting([old({ status: 'PRIMARY' })])]]).last).toEqual({
      kind: 'timed-out',
      reason: 'not steady after 20m: the service does not list web:8 yet',
    });
  });

  test('does not hide ours when its id is not known: a new deployment of our revision is ours', () => {
    const { deploymentId: _, ...unknown } = WATCH;
    const steps: readonly Step[] = [
      [seconds(1), sighting([old({ status: 'PRIMARY' })])],
      [seconds(3), sighting([ours(), old()])],
      [seconds(9), sighting([ours({ rolloutState: 'COMPLETED' })])],
    ];
    expect(replay(steps, unknown).kinds).toEqual(['in-progress', 'in-progress', 'succeeded']);
  });

  test('lets no mixture of old reads succeed before ours was complete', () => {
    const stale = [
      sighting([old({ status: 'PRIMARY' })]),
      sighting([old({ status: 'PRIMARY', rolloutState: 'IN_PROGRESS' })]),
      sighting([ours(), old()]),
      sighting([]),
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...stale), { maxLength: 12 }), (reads) => {
        const { kinds } = replay(reads.map((read, index): Step => [seconds(index * 2), read]));
        expect(kinds.every((kind) => kind === 'in-progress')).toBe(true);
      }),
    );
  });
});

describe('a failed deployment', () => {
  const failedOurs = ours({
    status: 'ACTIVE',
    running: 0,
    pending: 0,
    failed: 4,
    rolloutState: 'FAILED',
    rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.',
  });

  test('that ECS rolls back is followed to the end and is rolled back, not succeeded', () => {
    const { kinds, last } = replay([
      [seconds(10), sighting([ours({ failed: 2 }), old()])],
      [seconds(30), sighting([wayBack(), failedOurs])],
      [seconds(40), sighting([wayBack({ rolloutState: 'COMPLETED' })])],
    ]);
    expect(kinds).toEqual(['in-progress', 'rolling-back', 'rolled-back']);
    expect(last).toEqual({ kind: 'rolled-back', reason: 'ECS deployment circuit breaker: tasks failed to start.' });
  });

  test('that ECS rolls back to the very deployment that was there before is rolled back', () => {
    const { kinds } = replay([
      [seconds(10), sighting([ours(), old()])],
      [seconds(30), sighting([old({ status: 'PRIMARY', rolloutState: 'IN_PROGRESS' }), failedOurs])],
      [seconds(40), sighting([old({ status: 'PRIMARY' })])],
    ]);
    expect(kinds).toEqual(['in-progress', 'rolling-back', 'rolled-back']);
  });

  test('that vanished between two looks is found rolled back once the old one stayed for 30 s', () => {
    const gone = sighting([old({ status: 'PRIMARY' })]);
    const { kinds } = replay([
      [seconds(10), sighting([ours(), old()])],
      [seconds(12), gone],
      [seconds(30), gone],
      [seconds(42), gone],
    ]);
    expect(kinds).toEqual(['in-progress', 'in-progress', 'in-progress', 'rolled-back']);
  });

  test('whose way back was over between two looks is known by the event of ECS, and is nobody else taking over', () => {
    const said = (id: string) => ({
      events: [
        { id: 'e2', at: START, message: '(service web) has reached a steady state.' },
        { id: 'e1', at: START, message: `(service web) (deployment ${id}) deployment failed: tasks failed to start.` },
      ],
    });
    const back = [wayBack({ rolloutState: 'COMPLETED', rolloutStateReason: 'ECS deployment ecs-svc/3 completed.' })];
    const after = (events: Partial<EcsService>) =>
      replay([
        [seconds(10), sighting([ours(), old()])],
        [seconds(30), sighting(back, events)],
      ]).last;
    expect(after(said('ecs-svc/2'))).toEqual({
      kind: 'rolled-back',
      reason: 'ECS deployment failed: tasks failed to start.',
    });
    // The failure of another one says nothing of ours.
    expect(after(said('ecs-svc/1'))).toMatchObject({ kind: 'superseded' });
  });

  test('without a roll back of ECS fails at the first look that says so', () => {
    const { kinds, last } = replay([
      [
        seconds(60),
        sighting([{ ...failedOurs, status: 'PRIMARY' }, old()], { circuitBreaker: { enable: true, rollback: false } }),
      ],
    ]);
    expect(kinds).toEqual(['failed']);
    expect(last).toMatchObject({ reason: 'ECS deployment circuit breaker: tasks failed to start.' });
  });

  test('with nothing to go back to fails, because the roll back of ECS would never end', () => {
    const { goesBackTo: _, ...watch } = WATCH;
    const first = { ...watch, earlierDeployments: [] };
    expect(replay([[seconds(60), sighting([{ ...failedOurs, status: 'PRIMARY' }])]], first).kinds).toEqual(['failed']);
  });

  test('of a service without a circuit breaker is ended by the same limit', () => {
    const { circuitBreaker: _, ...plain } = sighting([ours({ failed: 3 }), old()]).service;
    const { kinds, last } = replay([
      [seconds(10), { service: { ...plain, deployments: [ours({ failed: 2 }), old()] } }],
      [seconds(20), { service: plain }],
    ]);
    expect(kinds).toEqual(['in-progress', 'failed']);
    expect(last).toMatchObject({
      reason: '3 tasks failed in a row (limit 3; the service has no circuit breaker of its own)',
    });
  });

  test('whose way back fails too says both', () => {
    const { last } = replay([
      [seconds(30), sighting([wayBack(), failedOurs])],
      [seconds(90), sighting([wayBack({ rolloutState: 'FAILED' })])],
    ]);
    expect(last).toEqual({
      kind: 'failed',
      reason: 'ECS deployment circuit breaker: tasks failed to start.; the way back to web:7 failed too',
    });
  });

  test('whose way back takes too long times out after its own limit, not at the deadline', () => {
    const back = sighting([wayBack(), failedOurs]);
    expect(
      replay([
        [minutes(19), back],
        [minutes(33), back],
        [minutes(34), back],
      ]).kinds,
    ).toEqual(['rolling-back', 'rolling-back', 'timed-out']);
  });

  const statuses = [
    { name: 'is asked to roll back', status: 'ROLLBACK_REQUESTED', kind: 'rolling-back' },
    { name: 'is rolling back', status: 'ROLLBACK_IN_PROGRESS', kind: 'rolling-back' },
    { name: 'was rolled back', status: 'ROLLBACK_SUCCESSFUL', kind: 'rolled-back' },
    { name: 'could not be rolled back', status: 'ROLLBACK_FAILED', kind: 'failed' },
    { name: 'was stopped', status: 'STOPPED', kind: 'failed' },
    { name: 'is being stopped', status: 'STOP_REQUESTED', kind: 'in-progress' },
    { name: 'is pending', status: 'PENDING', kind: 'in-progress' },
    { name: 'has a status nobody knows yet', status: 'DREAMING', kind: 'in-progress' },
  ];
  test.each(statuses)('whose service deployment $name is $kind', ({ status, kind }) => {
    expect(
      replay([[seconds(5), sighting([ours(), old()], {}, record(status, { statusReason: 'because' }))]]).kinds,
    ).toEqual([kind]);
  });
});

describe('a deployment of somebody else', () => {
  test('supersedes ours, which is no verdict on the image', () => {
    const { kinds, last } = replay([
      [seconds(5), sighting([ours(), old()])],
      [seconds(10), sighting([foreign(), ours({ status: 'ACTIVE' }), old()])],
    ]);
    expect(kinds).toEqual(['in-progress', 'superseded']);
    expect(last).toEqual({ kind: 'superseded', reason: 'another deployment took over: web:9 (ecs-svc/9)' });
  });

  test('supersedes ours also when ECS stopped ours for it', () => {
    expect(replay([[seconds(5), sighting([foreign()], {}, record('STOPPED'))]]).kinds).toEqual(['superseded']);
  });

  test('after ours succeeded takes nothing from it', () => {
    expect(
      replay([[seconds(5), sighting([foreign(), ours({ status: 'ACTIVE' })], {}, record('SUCCESSFUL'))]]).kinds,
    ).toEqual(['succeeded']);
  });
});

describe('the deadline', () => {
  test('ends what is in progress, with the counts', () => {
    expect(replay([[minutes(20), sighting([ours({ running: 1, pending: 2 }), old()])]]).last).toEqual({
      kind: 'timed-out',
      reason: 'not steady after 20m: 1 of 3 running, 2 pending, 0 failed',
    });
  });

  test('is not reached by a deployment that is complete in the last look', () => {
    expect(replay([[minutes(20), sighting([ours({ rolloutState: 'COMPLETED' })])]]).kinds).toEqual(['succeeded']);
  });
});

test('a waiting line shows the counts, the limit of the breaker and the stage', () => {
  const seen = record('IN_PROGRESS', { circuitBreaker: { failures: 1, threshold: 3 }, lifecycleStage: 'BAKE_TIME' });
  expect(stageOf(ours({ running: 2, pending: 1 }), seen)).toBe(
    '2 of 3 running, 1 pending, 1 failed (limit 3), BAKE_TIME',
  );
});
