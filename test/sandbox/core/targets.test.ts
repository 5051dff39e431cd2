import { describe, expect, test } from '@jest/globals';
import { targetHealthOf, targetsOf } from '../../../sandbox/core/core.ts';
import { judgeAnswer, matches } from '../../../sandbox/core/health.ts';
import type { HealthAnswer } from '../../../sandbox/plane/types.ts';
import { BALANCER, FakeCloud, GROUP } from './fake-cloud.ts';

const TARGET = { ip: '10.0.9.9', port: 80, address: { host: '127.0.0.1', port: 9 } };
const ID = '10.0.9.9:80';

const registered = (): FakeCloud =>
  new FakeCloud().furnish().send({ kind: 'targets-registered', targetGroupArn: GROUP, targets: [TARGET] });
const health = (cloud: FakeCloud) => targetHealthOf(cloud.state, GROUP)[0];

/** Makes the check that is due and answers it. */
function answered(cloud: FakeCloud, answer: HealthAnswer): FakeCloud {
  cloud.now = cloud.state.targetGroups[GROUP]?.targets[ID]?.nextCheckAt ?? cloud.now;
  cloud.send({ kind: 'tick' });
  const check = cloud.state.targetGroups[GROUP]?.targets[ID]?.check ?? 0;
  return cloud.send({ kind: 'health-answer', targetGroupArn: GROUP, targetId: ID, check, answer });
}

const GOOD: HealthAnswer = { kind: 'status', status: 200 };
const BROKEN: HealthAnswer = { kind: 'status', status: 503 };

describe('Matcher', () => {
  test.each([
    { name: 'one code', matcher: '200', status: 200, fits: true },
    { name: 'another code', matcher: '200', status: 201, fits: false },
    { name: 'a list', matcher: '200,301', status: 301, fits: true },
    { name: 'the end of a range', matcher: '200-299', status: 299, fits: true },
    { name: 'past a range', matcher: '200-299', status: 300, fits: false },
    { name: 'a range in a list', matcher: '204,400-404', status: 403, fits: true },
  ])('$name: $matcher and $status', ({ matcher, status, fits }) => {
    expect(matches(matcher, status)).toBe(fits);
  });
});

describe('why a check failed', () => {
  test.each([
    {
      name: 'a code',
      answer: BROKEN,
      reason: 'Target.ResponseCodeMismatch',
      description: 'Health checks failed with these codes: [503]',
    },
    {
      name: 'a timeout',
      answer: { kind: 'failed', reason: 'timed out after 2000 ms' },
      reason: 'Target.Timeout',
      description: 'Request timed out',
    },
    {
      name: 'a refused connection',
      answer: { kind: 'failed', reason: 'connection refused' },
      reason: 'Target.FailedHealthChecks',
      description: 'Health checks failed',
    },
  ] as const)('$name is $reason', ({ answer, reason, description }) => {
    expect(judgeAnswer(answer, '200')).toEqual({ kind: 'bad', reason, description });
  });
});

describe('a target', () => {
  test('is registering, then checked for the first time', () => {
    const cloud = registered();
    expect(health(cloud)).toMatchObject({
      state: 'initial',
      reason: 'Elb.RegistrationInProgress',
      description: 'Target registration is in progress',
    });
    cloud.now += 200;
    cloud.send({ kind: 'tick' });
    expect(health(cloud)).toMatchObject({
      state: 'initial',
      reason: 'Elb.InitialHealthChecking',
      description: 'Initial health checks in progress',
    });
    expect(cloud.effects.at(-1)).toMatchObject({ kind: 'check-health', targetId: ID, path: '/health', timeout: 2_000 });
  });

  test.each([
    { name: 'healthy after one good answer when it is new', answers: [GOOD], state: 'healthy' },
    { name: 'initial after one bad answer', answers: [BROKEN], state: 'initial' },
    { name: 'unhealthy after as many bad answers as the threshold', answers: [BROKEN, BROKEN], state: 'unhealthy' },
    { name: 'healthy still after one bad answer', answers: [GOOD, BROKEN], state: 'healthy' },
    { name: 'healthy still when a good answer comes between', answers: [GOOD, BROKEN, GOOD, BROKEN], state: 'healthy' },
    { name: 'unhealthy still after one good answer', answers: [BROKEN, BROKEN, GOOD], state: 'unhealthy' },
    {
      name: 'healthy again after as many good answers as the threshold',
      answers: [BROKEN, BROKEN, GOOD, GOOD],
      state: 'healthy',
    },
  ])('is $name', ({ answers, state }) => {
    const cloud = answers.reduce(answered, registered());
    expect(health(cloud)?.state).toBe(state);
  });

  test('has no reason when it is healthy', () => {
    expect(health(answered(registered(), GOOD))).toEqual({ ip: '10.0.9.9', port: 80, state: 'healthy' });
  });

  test('is checked once an interval, and not again while an answer is awaited', () => {
    const cloud = registered();
    for (const wait of [200, 5_000, 5_000]) {
      cloud.now += wait;
      cloud.send({ kind: 'tick' });
    }
    expect(cloud.effects.filter(({ kind }) => kind === 'check-health')).toHaveLength(1);
  });

  test('does not listen to an answer of an earlier check', () => {
    const cloud = answered(registered(), GOOD);
    const before = cloud.state;
    cloud.send({ kind: 'health-answer', targetGroupArn: GROUP, targetId: ID, check: 1, answer: BROKEN });
    expect(cloud.state).toBe(before);
  });

  test('drains for the deregistration delay, then is gone', () => {
    const cloud = answered(registered(), GOOD);
    cloud.send({ kind: 'targets-deregistered', targetGroupArn: GROUP, targets: [{ ip: '10.0.9.9' }] });
    expect(health(cloud)).toMatchObject({ state: 'draining', reason: 'Target.DeregistrationInProgress' });
    expect(targetsOf(cloud.state, GROUP)).toEqual([{ id: ID, state: 'draining', address: TARGET.address }]);
    cloud.pass(7_999);
    expect(targetsOf(cloud.state, GROUP)).toHaveLength(1);
    cloud.pass(1);
    expect(targetsOf(cloud.state, GROUP)).toEqual([]);
    expect(cloud.effects.at(-1)).toEqual({ kind: 'targets-changed', targetGroupArn: GROUP });
  });

  test('that drains comes back as a new one when it is registered again', () => {
    const cloud = answered(registered(), GOOD);
    cloud.send({ kind: 'targets-deregistered', targetGroupArn: GROUP, targets: [TARGET] });
    cloud.send({ kind: 'targets-registered', targetGroupArn: GROUP, targets: [TARGET] });
    expect(health(cloud)).toMatchObject({ state: 'initial', reason: 'Elb.RegistrationInProgress' });
  });

  test('is unused and unchecked while no load balancer names its group, and starts anew afterwards', () => {
    const cloud = answered(registered(), GOOD);
    cloud.send({ kind: 'load-balancer-changed', loadBalancerArn: BALANCER, targetGroupArns: [] });
    expect(health(cloud)).toMatchObject({
      state: 'unused',
      reason: 'Target.NotInUse',
      description: 'Target group is not configured to receive traffic from the load balancer',
    });
    const checks = cloud.effects.length;
    cloud.pass(60_000);
    expect(cloud.effects).toHaveLength(checks);
    cloud.send({ kind: 'load-balancer-changed', loadBalancerArn: BALANCER, targetGroupArns: [GROUP] });
    expect(health(cloud)?.state).toBe('initial');
  });

  test('at which nothing is times out, and the load balancer does not hear of it', () => {
    const cloud = new FakeCloud().furnish();
    cloud.send({ kind: 'targets-registered', targetGroupArn: GROUP, targets: [{ ip: '10.0.200.1' }] }).pass(6_000);
    expect(health(cloud)).toMatchObject({ state: 'unhealthy', reason: 'Target.Timeout' });
    expect(targetsOf(cloud.state, GROUP)).toEqual([]);
  });

  test('that was asked for and is not registered is unused', () => {
    expect(targetHealthOf(registered().state, GROUP, [{ ip: '10.0.0.1' }])).toEqual([
      {
        ip: '10.0.0.1',
        port: 80,
        state: 'unused',
        reason: 'Target.NotRegistered',
        description: 'Target is not registered to the target group',
      },
    ]);
  });
});

test('a deleted target group is told to the load balancers and has no targets', () => {
  const cloud = registered().send({ kind: 'target-group-deleted', targetGroupArn: GROUP });
  expect(targetsOf(cloud.state, GROUP)).toEqual([]);
  expect(cloud.effects.at(-1)).toEqual({ kind: 'targets-changed', targetGroupArn: GROUP });
});
