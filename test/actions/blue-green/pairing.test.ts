import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pairingFault } from '../../../actions/blue-green/src/decide/pairing.ts';
import { type Cloud, startCloud } from '../../../sandbox/cloud.ts';
import { runBundle } from '../../harness/run-bundle.ts';
import { type Scene, scene } from './scene.ts';

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

describe('crossed names of services and router', () => {
  let cloud: Cloud;
  let stage: Scene;
  beforeAll(async () => {
    cloud = await startCloud({ clock: 'lock-step' });
    stage = await scene(cloud);
  }, 60_000);
  afterAll(() => cloud?.stop());

  test.each([{ mode: 'run' }, { mode: 'rollback', image: '' }, { mode: 'run', 'dry-run': 'true' }])(
    'are refused before anything is written: $mode',
    async (inputs) => {
      const before = await stage.truth();
      const { blue, green } = stage.stacked.services;
      const services = JSON.stringify({ blue: green?.name, green: blue?.name });
      const result = await runBundle(stage.step({ ...inputs, services }));
      expect(result.exitCode).toBe(1);
      expect(JSON.stringify(result.annotations)).toContain('The colors of services and router are crossed');
      expect(stage.writes('action')).toEqual([]);
      expect(await stage.truth()).toEqual(before);
    },
    60_000,
  );
});
