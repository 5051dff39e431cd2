import { describe, expect, test } from '@jest/globals';
import { after, instant, minutes, seconds } from '../../../src/domain/duration.ts';
import { NOTHING_SEEN, type RolloutWatch, look } from '../../../src/domain/ecs/rollout.ts';
import type { EcsDeployment, ServiceDeployment } from '../../../src/domain/ecs/service.ts';
import { deployment, NEW, OLD, service } from './services.ts';

const START = instant(Date.UTC(2026, 10, 20, 12));

/** ECS tells no rollout state of a native strategy. */
const stateless = ({ rolloutState: _, ...rest }: EcsDeployment): EcsDeployment => rest;
const ours = (given: Partial<EcsDeployment> = {}): EcsDeployment => stateless(deployment('ecs-svc/2', NEW, given));
const old = (given: Partial<EcsDeployment> = {}): EcsDeployment =>
  stateless(deployment('ecs-svc/1', OLD, { status: 'ACTIVE', ...given }));

const BEGUN: RolloutWatch = {
  taskDefinition: NEW,
  earlierDeployments: ['ecs-svc/1'],
  startedAt: START,
  deadline: after(START, minutes(30)),
  rollbackWithin: minutes(15),
  goesBackTo: OLD,
  memory: NOTHING_SEEN,
};

test('a rolling service with alarms is not complete without the record, and one without alarms is', () => {
  const rolling = { deployments: [deployment('ecs-svc/2', NEW)] };
  const kinds = [{}, { alarms: { names: ['errors'], rollback: true } }].map(
    (more) => look(BEGUN, { service: service({ ...rolling, ...more }) }, START).state.kind,
  );
  expect(kinds).toEqual(['succeeded', 'in-progress']);
});

describe('a native strategy, replayed', () => {
  const record = (status: string, given: Partial<ServiceDeployment> = {}): ServiceDeployment => ({
    arn: 'arn:deployment/2',
    status,
    taskDefinition: NEW,
    ...given,
  });
  const both = (given: Partial<EcsDeployment> = {}) => [ours(given), old()];
  const sightingOf = (deployments: readonly EcsDeployment[], told: ServiceDeployment | undefined) => ({
    service: service({ deployments, strategy: 'LINEAR', circuitBreaker: { enable: true, rollback: true } }),
    ...(told === undefined ? {} : { serviceDeployment: told }),
  });
  /** What each look in a row says, five seconds apart. */
  function replay(
    looks: readonly (readonly [readonly EcsDeployment[], ServiceDeployment | undefined])[],
  ): readonly string[] {
    let watch = BEGUN;
    return looks.map(([deployments, told], index) => {
      const seen = look(watch, sightingOf(deployments, told), after(START, seconds(5 * index)));
      watch = seen.watch;
      const { state } = seen;
      return `${state.kind}: ${state.kind === 'in-progress' ? state.stage : state.reason}`;
    });
  }
  const going = (stage: string, production: number) =>
    record('IN_PROGRESS', { lifecycleStage: stage, weights: { production, test: 100 } });

  test('is no success while only the old tasks are gone: the record alone knows the end', () => {
    const alone = [ours()];
    const cleaning = going('CLEAN_UP', 100);
    expect(
      replay([
        [both(), going('BAKE_TIME', 100)],
        [alone, cleaning],
        [alone, cleaning],
        [alone, cleaning],
      ]),
    ).toEqual([
      'in-progress: 3 of 3 running, 0 pending, 0 failed, BAKE_TIME, 100% of the traffic',
      ...Array.from(
        { length: 3 },
        () => 'in-progress: 3 of 3 running, 0 pending, 0 failed, CLEAN_UP, 100% of the traffic',
      ),
    ]);
    expect(replay([[alone, record('SUCCESSFUL')]])).toEqual(['succeeded: 3 of 3 tasks run web:8']);
  });

  test.each([
    { name: 'its tasks are as wanted', shown: ours() },
    { name: 'the list calls it complete', shown: ours({ rolloutState: 'COMPLETED' }) },
  ])('is no success without the record, although $name', ({ shown }) => {
    const states = replay(Array.from({ length: 361 }, () => [[shown], undefined]));
    const unread = "3 of 3 running, 0 pending, 0 failed, and ECS's record of its end cannot be read";
    expect(new Set(states.slice(0, -1))).toEqual(new Set([`in-progress: ${unread}`]));
    expect(states.at(-1)).toBe(`timed-out: not steady after 30m: ${unread}`);
  });

  test('test traffic is named as long as production has none', () => {
    expect(replay([[both(), going('TEST_TRAFFIC_SHIFT', 0)]])).toEqual([
      'in-progress: 3 of 3 running, 0 pending, 0 failed, TEST_TRAFFIC_SHIFT, 100% of the test traffic',
    ]);
  });

  test('failed tasks end it although the service has a breaker, and ECS has to be told', () => {
    const [state] = replay([[both({ running: 0, pending: 1, failed: 3 }), going('SCALE_UP', 0)]]);
    expect(state).toBe(
      'failed: 3 tasks failed in a row (limit 3; no circuit breaker is known to end the strategy LINEAR)',
    );
  });

  test.each(['ROLLBACK_REQUESTED', 'ROLLBACK_IN_PROGRESS'])('%s is seen at the first look', (status) => {
    const told = record(status, { statusReason: 'an alarm' });
    expect(
      replay([
        [both(), going('BAKE_TIME', 100)],
        [both(), told],
      ])[1],
    ).toBe('rolling-back: an alarm');
  });

  test.each([
    { status: 'ROLLBACK_SUCCESSFUL', says: 'rolled-back: an alarm' },
    { status: 'ROLLBACK_FAILED', says: 'failed: ECS could not roll the deployment back (an alarm)' },
    { status: 'STOPPED', says: 'failed: an alarm' },
  ])('$status is the end and never a success', ({ status, says }) => {
    const back = [old({ status: 'PRIMARY' })];
    expect(
      replay([
        [both(), going('BAKE_TIME', 100)],
        [back, record(status, { statusReason: 'an alarm' })],
      ])[1],
    ).toBe(says);
  });
});
