import { describe, test } from '@jest/globals';
import fc from 'fast-check';
import { nextDue } from '../../../sandbox/core/core.ts';
import { bounds } from '../../../sandbox/core/pacing.ts';
import type { State } from '../../../sandbox/core/types.ts';
import { BALANCER, FakeCloud, GROUP, percent, type Seen, SERVICE, spec } from './fake-cloud.ts';

type Command =
  | { readonly kind: 'deploy'; readonly image: string }
  | { readonly kind: 'scale'; readonly to: number }
  | { readonly kind: 'pass'; readonly milliseconds: number }
  | { readonly kind: 'stop-deployment' | 'attach' | 'detach' }
  | { readonly kind: 'stop-task' | 'kill-task' | 'deregister'; readonly pick: number };

const images = ['good', 'crash', 'no-image', 'unhealthy', 'unhealthy-later', 'crash-later'] as const;
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('deploy' as const), image: fc.constantFrom(...images) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('scale' as const), to: fc.integer({ min: 0, max: 6 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), milliseconds: fc.integer({ min: 1, max: 15_000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('stop-deployment', 'attach', 'detach') }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('stop-task', 'kill-task', 'deregister'), pick: fc.nat(20) }),
  },
);

const CONFIGURATIONS = [
  percent(100, 200, { enable: true, rollback: true }),
  percent(50, 150, { enable: true, rollback: false }),
  percent(0, 100),
] as const;

/** Plays commands on a service; the latest image and count are kept for the next update. */
function play(cloud: FakeCloud, commands: readonly Command[], configuration: (typeof CONFIGURATIONS)[number]): void {
  let wish = { image: 'good', desiredCount: 3, revision: 1 };
  const update = () => spec(wish.image, { ...wish, configuration });
  const pick = (index: number) => cloud.tasks[index % Math.max(1, cloud.tasks.length)];
  for (const one of commands) {
    switch (one.kind) {
      case 'deploy':
        wish = { ...wish, image: one.image, revision: wish.revision + 1 };
        cloud.deploy(update());
        break;
      case 'scale':
        wish = { ...wish, desiredCount: one.to };
        cloud.scale(update());
        break;
      case 'pass':
        cloud.pass(one.milliseconds);
        break;
      case 'stop-deployment': {
        const serviceDeploymentArn = cloud.service.currentServiceDeployment ?? '';
        cloud.send({ kind: 'service-deployment-stop-requested', serviceDeploymentArn });
        break;
      }
      case 'attach':
      case 'detach': {
        const targetGroupArns = one.kind === 'attach' ? [GROUP] : [];
        cloud.send({ kind: 'load-balancer-changed', loadBalancerArn: BALANCER, targetGroupArns });
        break;
      }
      case 'stop-task':
        cloud.send({ kind: 'task-stop-requested', id: pick(one.pick)?.id ?? '', reason: 'Task stopped by user' });
        break;
      case 'kill-task':
        cloud.send({ kind: 'task-exited', id: pick(one.pick)?.id ?? '', code: null, signal: 'SIGKILL' });
        break;
      case 'deregister': {
        const targets = [{ ip: pick(one.pick)?.ip ?? '', port: 80 }];
        cloud.send({ kind: 'targets-deregistered', targetGroupArn: GROUP, targets });
        break;
      }
    }
  }
}

const live = (state: State) => Object.values(state.tasks).filter(({ desiredStatus }) => desiredStatus === 'RUNNING');
const targets = (state: State) => Object.values(state.targetGroups[GROUP]?.targets ?? {});
const healthy = (state: State) => targets(state).filter(({ state: shown }) => shown === 'healthy').length;

function expectThat(holds: boolean, what: string, seen: Seen): void {
  if (!holds) throw new Error(`${what} after ${seen.event.kind} at ${seen.now}`);
}

const startedIds = (cloud: FakeCloud): readonly string[] =>
  cloud.effects.filter((effect) => effect.kind === 'start-task').map(({ id }) => id);

/** What holds after every step, whatever came before. */
function check(seen: Seen): void {
  const { before, after, event, now } = seen;
  const service = after.services[SERVICE];
  if (service === undefined) return;
  const { minimum, maximum } = bounds(service.desiredCount, service.configuration);
  // After scaling in there may be more than the maximum; then none may be added.
  const most = Math.max(maximum, live(before).length);
  expectThat(live(after).length <= most, `${live(after).length} tasks run, ${maximum} may`, seen);
  const floor = Math.min(minimum, healthy(before));
  const byItself = event.kind === 'tick';
  expectThat(!byItself || healthy(after) >= floor, `${healthy(after)} healthy, ${minimum} must stay`, seen);
  const ips = new Set(
    live(after)
      .filter((task) => task.registered)
      .map(({ ip }) => ip),
  );
  const strays = targets(after).filter(({ state, ip }) => state !== 'draining' && !ips.has(ip));
  expectThat(strays.length === 0, `targets without a running task: ${strays.map(({ id }) => id).join()}`, seen);
  expectThat((nextDue(after) ?? Infinity) > now, 'something due was not done', seen);
  expectThat(service.deployments.filter(({ status }) => status === 'PRIMARY').length === 1, 'one PRIMARY', seen);
}

describe('whatever happens to a service', () => {
  test.each([
    { name: '100/200 with rollback', configuration: CONFIGURATIONS[0] },
    { name: '50/150 with a breaker that only stops', configuration: CONFIGURATIONS[1] },
    { name: '0/100 without a breaker', configuration: CONFIGURATIONS[2] },
  ])('the percentages hold and every target is a running task ($name)', ({ configuration }) => {
    const property = fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
      const cloud = new FakeCloud().furnish();
      cloud.create(spec('good', { desiredCount: 3, configuration })).settle();
      play(cloud.watch(check), commands, configuration);
    });
    fc.assert(property, { numRuns: 60 });
  });

  test('a good deployment ends in exactly the tasks that were asked for, and no process is left behind', () => {
    const property = fc.property(fc.array(command, { maxLength: 20 }), (commands) => {
      const cloud = new FakeCloud()
        .furnish()
        .create(spec('good', { desiredCount: 3 }))
        .settle();
      play(cloud, commands, CONFIGURATIONS[0]);
      cloud.send({ kind: 'load-balancer-changed', loadBalancerArn: BALANCER, targetGroupArns: [GROUP] });
      cloud.deploy(spec('good', { desiredCount: 3, revision: 99, configuration: CONFIGURATIONS[0] })).pass(120_000);
      const seen: Seen = { before: cloud.state, after: cloud.state, event: { kind: 'tick' }, now: cloud.now };
      const wanted = live(cloud.state).map((task) => `${task.status} ${task.template.taskDefinitionArn.slice(-3)}`);
      expectThat(wanted.join() === 'RUNNING :99,RUNNING :99,RUNNING :99', `left with ${wanted.join()}`, seen);
      expectThat(healthy(cloud.state) === 3 && targets(cloud.state).length === 3, 'three healthy targets', seen);
      expectThat(cloud.service.deployments.length === 1 && cloud.service.steady, 'steady', seen);
      const stopping = cloud.tasks.filter(({ status }) => status !== 'STOPPED' && status !== 'RUNNING');
      expectThat(stopping.length === 0, `${stopping.length} tasks never stopped`, seen);
      const started = startedIds(cloud);
      expectThat(new Set(started).size === started.length, 'a task was started twice', seen);
    });
    fc.assert(property, { numRuns: 60 });
  });
});
