import { CreateServiceCommand, DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import {
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { liveTasksFault, pairingFault, strangerFault } from '../../../actions/blue-green/src/decide/pairing.ts';
import { faultOfPair } from '../../../actions/blue-green/src/execute/scale.ts';
import { groupsOfTasks } from '../../../src/adapters/traffic/route53-targets.ts';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { type Scene, scene } from './scene.ts';
import { openStage } from './stage.ts';

const arnOf = (name: string): string => `arn:aws:elasticloadbalancing:us-west-2:111122223333:targetgroup/${name}/1`;
const serviceOf = (service: string, ...groups: readonly string[]) => ({
  ref: { cluster: 'shop', service },
  loadBalancers: groups.map((name) => ({ targetGroupArn: arnOf(name) })),
});
const groupsOf = (color: string): readonly string[] => [arnOf(`tg-${color}`)];

describe('each color has its own service and its own target group', () => {
  test.each([
    { name: 'each in its own', blue: serviceOf('one', 'tg-blue'), green: serviceOf('two', 'tg-green') },
    { name: 'in neither, because something else registers them', blue: serviceOf('one'), green: serviceOf('two', 'other') },
    { name: 'in its own and in another one', blue: serviceOf('one', 'tg-green', 'tg-blue'), green: serviceOf('two', 'tg-green') },
    { name: 'one of which is not known', blue: undefined, green: serviceOf('two', 'tg-green') },
  ])('$name', ({ blue, green }) => {
    expect(pairingFault({ blue, green }, groupsOf)).toBeUndefined();
  }); // prettier-ignore

  test('or both that are crossed are named, with what they register in', () => {
    const crossed = { blue: serviceOf('one', 'tg-green'), green: serviceOf('two', 'tg-blue') };
    expect(pairingFault(crossed, groupsOf)?.message).toMatch(
      /one is the service of blue, and registers its tasks in tg-green, the target group of green; two is the service of green/,
    );
  });
});

describe('a service that is to be scaled down', () => {
  const asked = { service: 'shop-blue', live: 'green', group: arnOf('tg-green') } as const;

  test('keeps its tasks as long as one of them stands where users are', () => {
    expect(liveTasksFault({ ...asked, tasks: 1 })?.message).toBe(
      'Could not scale shop-blue down: 1 of its tasks stands in tg-green, the target group of green, which has the traffic. It keeps its tasks, and users are on green. Give each color its own target group, see that users are served, and scale the service by hand.',
    );
    expect(liveTasksFault({ ...asked, tasks: 0 })).toBeUndefined();
  });

  test('is scaled after a good release only when its tasks are known, and none of them serves', async () => {
    const stage = openStage();
    const { health } = stage.router.targets;
    const [first] = stage.ecs.serviceOf({ cluster: 'shop', service: 'shop-blue' }).deployments;
    stage.router.targets.health = async (color, signal, own) =>
      color === 'green' && own?.some((place) => 'address' in place && place.address.startsWith(`${first?.id}-`))
        ? { healthy: 1, total: 1, reasons: [] }
        : health(color, signal, own);
    await expect(stage.run()).rejects.toThrow('Could not scale shop-blue down');
    expect(stage.router.weights.green).toBe(100);
    expect([stage.desired('blue'), stage.desired('green')]).toEqual([3, 3]);
  });
});

describe('a service that registers in neither target group', () => {
  const asked = { service: serviceOf('hub', 'tg-hub'), color: 'blue', group: arnOf('tg-blue') } as const;

  test.each([
    { name: 'and whose tasks something else put there serves its color', running: 2, standing: 2 },
    { name: 'and that runs nothing yet is not known to be another', running: 0, standing: 0 },
  ])('$name', (tasks) => {
    expect(strangerFault({ ...asked, ...tasks })).toBeUndefined();
  });

  test('and whose tasks stand elsewhere is the service of something else', () => {
    expect(strangerFault({ ...asked, running: 2, standing: 0 })?.message).toMatch(
      /hub cannot be the service of blue: it registers its tasks in tg-hub, and none of its 2 running tasks stands in tg-blue/,
    );
  });
});

describe('target groups that hold load balancers', () => {
  test('are no groups of tasks', () => {
    const groups = (['ip', 'alb', 'instance', 'lambda'] as const).map((TargetType) => ({ TargetGroupArn: TargetType, TargetType }));
    expect(groupsOfTasks(groups)).toEqual(['ip', 'instance']);
  }); // prettier-ignore

  test('prove nothing of the tasks of a service', async () => {
    const { ecs, router } = openStage();
    const [blue] = await ecs.describeServices(
      [{ cluster: 'shop', service: 'shop-blue' }],
      new AbortController().signal,
    );
    const targets = {
      ...router.targets,
      groupsOf: () => [arnOf('nlb')],
      health: async () => ({ healthy: 0, total: 0, reasons: [] }),
      standing: async () => [],
    };
    const fault = await faultOfPair({ blue, green: undefined }, { ecs, targets }, new AbortController().signal);
    expect(fault).toBeUndefined();
  });
});

describe('crossed names of services and router', () => {
  let cloud: Cloud;
  let stage: Scene;
  beforeAll(async () => {
    cloud = await startCloud({ clock: 'lock-step' });
    stage = await scene(cloud);
  }, 60_000);
  afterAll(() => cloud?.stop());

  test.each([{ mode: 'run' }, { mode: 'finish', image: '' }, { mode: 'prepare' }, { mode: 'run', 'dry-run': 'true' }])(
    'are refused before anything is written: $mode',
    async (inputs) => {
      const before = await stage.truth();
      const { blue, green } = stage.stacked.services;
      const services = JSON.stringify({ blue: green?.name, green: blue?.name });
      const result = await runBundle(stage.step({ ...inputs, services }));
      expect(result.exitCode).toBe(1);
      expect(result.outputs).toMatchObject({ outcome: 'failed', changed: 'false' });
      expect(JSON.stringify(result.annotations)).toContain('The colors of services and router are crossed');
      expect(stage.writes('action')).toEqual([]);
      expect(await stage.truth()).toEqual(before);
    },
    60_000,
  );

  test('are shown by status with everything else that is true, as a warning', async () => {
    const { blue, green } = stage.stacked.services;
    const services = JSON.stringify({ blue: green?.name, green: blue?.name });
    const result = await runBundle(stage.step({ mode: 'status', image: '', services }));
    expect([result.exitCode, result.outputs['outcome']]).toEqual([0, 'status']);
    expect(result.annotations).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        message: expect.stringContaining('The colors of services and router are crossed'),
      }),
    );
    expect(result.stdout).toMatch(/Traffic: blue 100.*Fault: The colors of services and router are crossed/s);
  }, 60_000);

  test.each([{ color: 'blue' }, { color: 'green' }])('or a service of another system in the place of $color: nothing of it is touched', async ({ color }) => {
    const name = `hub-${color}-service`;
    const { cluster, services } = stage.stacked;
    const ecs = new ECSClient(stage.world.client());
    const found = await ecs.send(new DescribeServicesCommand({ cluster, services: [services['blue']?.name ?? ''] }));
    const { taskDefinition, launchType, networkConfiguration } = found.services?.[0] ?? {};
    await ecs.send(new CreateServiceCommand({ cluster, serviceName: name, taskDefinition, launchType, networkConfiguration, desiredCount: 2 }));
    await stage.world.advance(30_000);
    const named = { blue: services['blue']?.name, green: services['green']?.name, [color]: name };
    const result = await runBundle(stage.step({ services: JSON.stringify(named) }));
    expect(JSON.stringify(result.annotations)).toContain(`${name} cannot be the service of ${color}: it registers its tasks nowhere`);
    expect(stage.writes('action')).toEqual([]);
    const after = await ecs.send(new DescribeServicesCommand({ cluster, services: [name] }));
    expect(after.services?.[0]).toMatchObject({ desiredCount: 2, runningCount: 2, taskDefinition });
    ecs.destroy();
  }, 60_000); // prettier-ignore

  test('or whose tasks somebody registered with the live color: the way back leaves that service its size', async () => {
    const step = stage.step();
    await runBundle({ ...step, signalAt: { output: /green serves 10 % since now/, signal: 'SIGKILL' } });
    const elb = new ElasticLoadBalancingV2Client(stage.world.client());
    const { blue, green } = stage.stacked.services;
    // Both maps exchanged: the names fit each other, and another color is meant.
    const exchanged = Object.entries(step.inputs ?? {})
      .filter(([name]) => ['services', 'router'].includes(name))
      .map(([name, text]) => [
        name,
        text.replaceAll(/-(blue|green)/g, (_, color: string) => (color === 'blue' ? '-green' : '-blue')),
      ]);
    const other = stage.step(
      { ...Object.fromEntries(exchanged), mode: 'rollback', image: '' },
      { env: { GITHUB_RUN_ID: '4712' } },
    );
    expect(JSON.stringify((await runBundle(other)).annotations)).toMatch(
      /Shift 4711-1 \(judging\) was begun with other target groups behind the colors/,
    );
    const found = await elb.send(new DescribeTargetHealthCommand({ TargetGroupArn: green?.targetGroupArn }));
    const Targets = (found.TargetHealthDescriptions ?? []).map(({ Target }) => Target ?? { Id: undefined });
    await elb.send(new RegisterTargetsCommand({ TargetGroupArn: blue?.targetGroupArn, Targets }));
    elb.destroy();
    const back = await runBundle(stage.step({ mode: 'rollback', image: '' }, { env: { GITHUB_RUN_ID: '4712' } }));
    expect(back.outputs).toMatchObject({ outcome: 'rolled-back' });
    expect(back.stdout).toContain(
      'Left to do: Could not scale production-shop-green-service down: 2 of its tasks stand in production-shop-blue',
    );
    expect(await stage.truth()).toMatchObject({ weights: { blue: 100, green: 0 }, desired: { blue: 2, green: 2 } });
  }, 60_000);
});
