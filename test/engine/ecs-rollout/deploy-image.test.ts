import { describe, expect, test } from '@jest/globals';
import { after, minutes, seconds } from '../../../src/domain/duration.ts';
import { IMAGES, REF, revision, stage } from './stage.ts';

describe('a good image', () => {
  test('is registered, deployed and followed to its end, with the intent in the tags before the update', async () => {
    const { ecs, deploy, elapsed } = stage();
    const result = await deploy();
    expect(result).toMatchObject({
      outcome: 'succeeded',
      changed: true,
      reason: '3 of 3 tasks run web:2',
      diagnosis: [],
    });
    expect([revision(result.previousTaskDefinition), revision(result.taskDefinition)]).toEqual(['web:1', 'web:2']);
    expect(result.serviceDeploymentArn).toContain(':service-deployment/shop/web/');
    expect(ecs.writes()).toEqual([
      'registerTaskDefinition web',
      'tagService deploying',
      'updateService web:2',
      'tagService done',
    ]);
    expect(ecs.serviceOf(REF).tags).toMatchObject({
      'sluice:phase': 'done',
      'sluice:release': 'r-1',
      'sluice:run': '100/1',
      'sluice:previous-task-definition': result.previousTaskDefinition,
    });
    expect(elapsed()).toBeLessThan(seconds(16));
  });

  test('is seen through stale reads that show the old deployment complete', async () => {
    const { ecs, deploy, elapsed } = stage();
    ecs.staleReads = 3;
    expect(await deploy()).toMatchObject({ outcome: 'succeeded' });
    expect(elapsed()).toBeGreaterThanOrEqual(seconds(10));
  });

  test('that runs already is left alone', async () => {
    const { ecs, deploy } = stage();
    expect(await deploy({ images: { web: IMAGES.first } })).toMatchObject({
      outcome: 'unchanged',
      changed: false,
      reason: '3 of 3 tasks run web:1 already',
    });
    expect(ecs.writes()).toEqual([]);
  });

  test('named by a tag is deployed again, because the tag may point elsewhere, but once for a run', async () => {
    const { ecs, deploy } = stage({ image: 'r.example.com/web:stable' });
    const images = { web: 'r.example.com/web:stable' };
    expect(await deploy({ images })).toMatchObject({ outcome: 'succeeded' });
    expect(ecs.writes()).toEqual(['tagService deploying', 'updateService web:1 force', 'tagService done']);
    expect(await deploy({ images, writer: { release: 'r-1', run: '100/2' } })).toMatchObject({ outcome: 'unchanged' });
  });

  test('goes to the only container when none is named', async () => {
    expect(await stage().deploy({ images: IMAGES.good })).toMatchObject({ outcome: 'succeeded' });
  });

  test('comes with the desired count in the same update', async () => {
    const { ecs, deploy } = stage({ desired: 0 });
    expect(await deploy({ desired: 3 })).toMatchObject({ outcome: 'succeeded', reason: '3 of 3 tasks run web:2' });
    expect(ecs.writes()).toContain('updateService web:2 desired=3');
  });

  test('that runs already is scaled without a deployment', async () => {
    const { ecs, deploy } = stage({ desired: 0 });
    expect(await deploy({ images: { web: IMAGES.first }, desired: 2 })).toMatchObject({
      outcome: 'succeeded',
      changed: true,
      reason: '2 of 2 tasks run web:1',
    });
    expect(ecs.writes()).toEqual(['updateService desired=2']);
  });

  test('behind a Classic Load Balancer is judged by its counts', async () => {
    expect(await stage({ classic: true, breaker: { enable: false, rollback: false } }).deploy()).toMatchObject({
      outcome: 'succeeded',
    });
  });
});

describe('a bad image', () => {
  test('that the circuit breaker rolls back is rolled-back, with the reason and what to do', async () => {
    const { ecs, deploy } = stage();
    const result = await deploy({ images: { web: IMAGES.crash } });
    expect(result).toMatchObject({ outcome: 'rolled-back', changed: true });
    expect(result.reason).toContain('circuit breaker');
    expect(result.diagnosis[0]).toBe("Likely cause: the application ended with an error. See the container's log.");
    expect(ecs.serviceOf(REF)).toMatchObject({
      taskDefinition: result.previousTaskDefinition,
      running: 3,
      tags: { 'sluice:phase': 'rolled-back' },
    });
    expect(ecs.writes()).not.toContain('updateService web:1');
  });

  test('of a breaker without rollback is taken back by an update', async () => {
    const { ecs, deploy } = stage({ breaker: { enable: true, rollback: false } });
    expect(await deploy({ images: { web: IMAGES.crash } })).toMatchObject({ outcome: 'rolled-back' });
    expect(ecs.writes()).toEqual([
      'registerTaskDefinition web',
      'tagService deploying',
      'updateService web:2',
      'tagService rolling-back',
      'updateService web:1',
      'tagService rolled-back',
    ]);
  });

  test('of a service without a breaker is stopped by the same limit', async () => {
    const { ecs, deploy, elapsed, log } = stage({ breaker: { enable: false, rollback: false } });
    const result = await deploy({ images: { web: IMAGES.crash } });
    expect(result).toMatchObject({ outcome: 'rolled-back' });
    expect(result.reason).toContain('3 tasks failed in a row (limit 3; the service has no circuit breaker of its own)');
    expect(ecs.writes().some((call) => call.startsWith('stopServiceDeployment'))).toBe(true);
    expect(elapsed()).toBeLessThan(minutes(1));
    expect(log.warnings[0]).toContain('has no deployment circuit breaker with rollback');
  });

  test('that never becomes steady is rolled back at the deadline', async () => {
    const { ecs, deploy, elapsed } = stage();
    const result = await deploy({ images: { web: IMAGES.stuck } });
    expect(result).toMatchObject({ outcome: 'rolled-back' });
    expect(result.reason).toMatch(
      /^not steady after 20m: 0 of 3 running, 3 pending, 0 failed; ECS went back to web:1$/,
    );
    expect(elapsed()).toBeLessThan(minutes(21));
    expect(ecs.serviceOf(REF).running).toBe(3);
  });

  test('is left as it is when asked', async () => {
    const { ecs, deploy } = stage();
    expect(await deploy({ images: { web: IMAGES.stuck }, onFailure: 'leave' })).toMatchObject({ outcome: 'timed-out' });
    expect(ecs.serviceOf(REF).tags).toMatchObject({ 'sluice:phase': 'failed' });
    expect(ecs.writes().filter((call) => call.startsWith('stop'))).toEqual([]);
  });

  test('on a service that never had a good one fails, and says that there is nothing to go back to', async () => {
    const { ecs, deploy, log } = stage({
      fresh: true,
      image: IMAGES.stuck.replace('stuck', 'crash'),
      breaker: { enable: true, rollback: false },
    });
    const result = await deploy({ images: { web: IMAGES.crash } });
    expect(result).toMatchObject({ outcome: 'failed' });
    expect(result.previousTaskDefinition).toBeUndefined();
    expect(result.reason).toContain(
      '; there is nothing to go back to: no earlier deployment of this service was successful',
    );
    expect(log.warnings[0]).toContain('web never had a successful deployment');
    expect(ecs.writes().at(-1)).toBe('tagService failed');
  });

  test('under the tag of the running one goes back by ECS alone, which knows the bytes of before', async () => {
    const { ecs, deploy } = stage({ image: 'r.example.com/web:stuck', breaker: { enable: false, rollback: false } });
    const result = await deploy({ images: { web: 'r.example.com/web:stuck' } });
    expect(ecs.writes()).toContain('updateService web:1 force');
    expect(ecs.writes().filter((call) => call.startsWith('stopServiceDeployment'))).toHaveLength(1);
    expect(result.outcome).toBe('timed-out');
  });

  test('takes the desired count back with it', async () => {
    const { ecs, deploy } = stage();
    expect(await deploy({ images: { web: IMAGES.crash }, desired: 5 })).toMatchObject({ outcome: 'rolled-back' });
    expect(ecs.serviceOf(REF)).toMatchObject({ desired: 3 });
    expect(ecs.writes()).toContain('updateService desired=3');
  });

  test('goes back by an update where the role may not stop a deployment', async () => {
    const { ecs, deploy, log } = stage({ breaker: { enable: false, rollback: false } });
    ecs.fail('stopServiceDeployment', 'access-denied');
    expect(await deploy({ images: { web: IMAGES.crash } })).toMatchObject({ outcome: 'rolled-back' });
    expect(ecs.writes()).toContain('updateService web:1');
    expect(log.warnings.join()).toContain('Going back by an update instead');
  });

  test('goes back even when the calls of the way back are throttled for a while', async () => {
    const { ecs, deploy } = stage({ breaker: { enable: false, rollback: false } });
    ecs.fail('stopServiceDeployment', 'throttled', 4);
    expect(await deploy({ images: { web: IMAGES.crash } })).toMatchObject({ outcome: 'rolled-back' });
  });
});

describe('somebody else', () => {
  test('who deploys over ours supersedes it, and nothing of theirs is touched', async () => {
    const { clock, ecs, start, deploy } = stage();
    clock.at(after(start, seconds(5)), () => ecs.elsewhere(REF, IMAGES.other));
    expect(await deploy({ images: { web: IMAGES.stuck } })).toMatchObject({ outcome: 'superseded' });
    expect(ecs.writes().slice(-1)).toEqual(['updateService web:2']);
  });

  test('whose deployment is in flight is not disturbed', async () => {
    const { ecs, deploy } = stage();
    ecs.elsewhere(REF, IMAGES.stuck);
    await expect(deploy()).rejects.toThrow(
      'Could not deploy to ECS service web in cluster shop: the deployment of web:2 is in flight (since 2026-11-20T12:01:00Z, the tags of the service name no release of this action). Nothing was changed. Wait for its end and re-run, or set on-conflict to wait or stop.',
    );
    expect(ecs.writes()).toEqual([]);
  });

  test('whose tasks fail again and again is told as one that may have no end', async () => {
    const { clock, ecs, deploy } = stage({ breaker: { enable: false, rollback: false } });
    ecs.elsewhere(REF, IMAGES.crash);
    clock.advance(minutes(2));
    await expect(deploy()).rejects.toThrow(/tasks failed, .*may have no end: take it back by mode: rollback/);
    expect(ecs.writes()).toEqual([]);
  });

  test('finds what a failed run left in flight, and replaces it', async () => {
    const { ecs, log, deploy } = stage({ breaker: { enable: false, rollback: false } });
    const writer = { release: 'r-0', run: '99/1' };
    const images = { web: IMAGES.crash };
    expect(await deploy({ images, writer, onFailure: 'leave' })).toMatchObject({ outcome: 'failed' });
    expect(await deploy()).toMatchObject({
      outcome: 'succeeded',
      reason: '3 of 3 tasks run web:3',
      previousTaskDefinition: expect.stringMatching(/web:1$/),
    });
    expect(log.warnings.join('\n')).toMatch(/Replacing the deployment of web:2, .* release r-0 of run 99\/1, failed\)/);
    expect(ecs.writes()).not.toContain('stopServiceDeployment');
  });

  test('is waited for when asked', async () => {
    const { ecs, deploy } = stage();
    ecs.elsewhere(REF, IMAGES.other);
    expect(await deploy({ onConflict: 'wait' })).toMatchObject({
      outcome: 'succeeded',
      reason: '3 of 3 tasks run web:3',
    });
  });

  test('who took the service over stops this run from writing any more', async () => {
    const { clock, ecs, start, deploy } = stage({ breaker: { enable: false, rollback: false } });
    clock.at(
      after(start, seconds(8)),
      () => void ecs.tagService(ecs.serviceOf(REF).arn, { 'sluice:run': '200/1' }, new AbortController().signal),
    );
    expect(await deploy({ images: { web: IMAGES.crash } })).toMatchObject({
      outcome: 'superseded',
      reason: 'another run has taken the service over',
    });
    expect(ecs.writes()).toEqual([
      'registerTaskDefinition web',
      'tagService deploying',
      'updateService web:2',
      'tagService sluice:run',
    ]);
  });
});

test('a run that succeeds late does not write its end over the tags of the run after it', async () => {
  const { clock, ecs, start, deploy } = stage();
  const arn = ecs.serviceOf(REF).arn;
  clock.at(
    after(start, seconds(9)),
    () =>
      void ecs.tagService(arn, { 'sluice:run': '200/1', 'sluice:phase': 'deploying' }, new AbortController().signal),
  );
  expect(await deploy()).toMatchObject({ outcome: 'succeeded' });
  expect(ecs.serviceOf(REF).tags).toMatchObject({ 'sluice:run': '200/1', 'sluice:phase': 'deploying' });
});

describe('a service that cannot be deployed to', () => {
  const rows = [
    { name: 'is not active', extra: { status: 'DRAINING' }, why: 'the service is DRAINING, not ACTIVE' },
    {
      name: 'belongs to CodeDeploy',
      extra: { controller: 'CODE_DEPLOY' },
      why: 'its deployment controller CODE_DEPLOY is not supported',
    },
    {
      name: 'is an Express service',
      extra: { managedBy: 'ECS' },
      why: 'Express services are not supported: they are updated by other calls',
    },
    {
      name: 'has no count of its own',
      extra: { schedulingStrategy: 'DAEMON' },
      asked: { desired: 3 },
      why: 'a DAEMON service has a task on every instance and no count of its own, and desired-count is set',
    },
  ];
  test.each(rows)('because it $name is refused before anything is written', async ({ extra, why, asked = {} }) => {
    const { ecs, deploy } = stage({ extra });
    const refused = await deploy(asked).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ facts: { why, now: 'Nothing was changed', next: expect.stringMatching(/./) } });
    expect(ecs.writes()).toEqual([]);
  });

  test('because it does not exist is named', async () => {
    await expect(stage().deploy({ ref: { ...REF, service: 'wbe' } })).rejects.toThrow(
      'Could not find ECS service wbe in cluster shop',
    );
  });

  test('because ECS refuses the update is told, and its tags do not say that it is being deployed', async () => {
    const { ecs, deploy, followings } = stage();
    ecs.fail('updateService', 'invalid');
    await expect(deploy()).rejects.toMatchObject({ kind: 'invalid' });
    expect(ecs.serviceOf(REF).tags).toMatchObject({ 'sluice:phase': 'failed' });
    expect(followings.at(-1)).toBeUndefined();
  });
});

describe('an error of AWS', () => {
  test('that is an access denied ends the wait at once', async () => {
    const { clock, ecs, start, deploy, elapsed } = stage();
    clock.at(after(start, seconds(1)), () => ecs.fail('describeServices', 'access-denied'));
    await expect(deploy()).rejects.toMatchObject({
      kind: 'access-denied',
      message: expect.stringContaining(
        'ECS goes on with the deployment of web:2 to web; this run does not follow it any more.',
      ),
    });
    expect(elapsed()).toBeLessThan(seconds(6));
  });

  test('that is a throttle widens the polling and goes on', async () => {
    const { clock, ecs, start, deploy } = stage();
    clock.at(after(start, seconds(1)), () => ecs.fail('describeServices', 'throttled', 3));
    expect(await deploy()).toMatchObject({ outcome: 'succeeded' });
    const [first = 0, second = 0, third = 0] = clock.sleeps;
    expect([second / first, third / second].map(Math.round)).toEqual([2, 2]);
  });

  test('that hides the service to the deadline is a timeout and goes the way back when it can be read again', async () => {
    const { clock, ecs, start, deploy } = stage();
    clock.at(after(start, seconds(3)), () => ecs.fail('describeServices', 'transient', 10_000));
    clock.at(after(start, minutes(25)), () => ecs.fail('describeServices', 'transient', 0));
    const result = await deploy({ images: { web: IMAGES.stuck } });
    expect(result.outcome).toBe('rolled-back');
    expect(result.reason).toContain('the service could not be read at the deadline');
  });

  test('that loses the answer of the registration does not register twice', async () => {
    const { ecs, deploy } = stage();
    ecs.loseAnswer('registerTaskDefinition');
    expect(await deploy()).toMatchObject({ outcome: 'succeeded', reason: '3 of 3 tasks run web:2' });
    expect(ecs.revisions('web')).toHaveLength(2);
  });

  test('that refuses the registration for a while is waited out', async () => {
    const { ecs, deploy } = stage();
    ecs.fail('registerTaskDefinition', 'throttled', 3);
    expect(await deploy()).toMatchObject({ outcome: 'succeeded' });
    expect(ecs.revisions('web')).toHaveLength(2);
  });

  test('that loses the answer of the update does not deploy twice', async () => {
    const { ecs, deploy } = stage();
    ecs.loseAnswer('updateService');
    expect(await deploy()).toMatchObject({ outcome: 'succeeded' });
    expect(ecs.writes().filter((call) => call.startsWith('update'))).toEqual(['updateService web:2']);
  });

  test('that hides the update to the end says that nobody knows, and the next run finds out', async () => {
    const { ecs, deploy } = stage();
    ecs.fail('updateService', 'transient', 4);
    await expect(deploy()).rejects.toThrow('It is not known whether ECS took the update of web to web:2.');
    expect(await deploy({ writer: { release: 'r-1', run: '100/2' } })).toMatchObject({ outcome: 'succeeded' });
    expect(ecs.revisions('web')).toHaveLength(2);
  });

  test('on the stopped tasks costs the diagnosis alone', async () => {
    const { ecs, deploy, log } = stage();
    ecs.fail('stoppedTasks', 'access-denied', 1_000);
    expect(await deploy({ images: { web: IMAGES.crash } })).toMatchObject({ outcome: 'rolled-back' });
    expect(log.warnings.filter((line) => line.includes('stopped tasks'))).toHaveLength(1);
  });
});
