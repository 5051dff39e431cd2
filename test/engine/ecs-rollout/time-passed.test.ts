import { describe, expect, test } from '@jest/globals';
import { after, minutes } from '../../../src/domain/duration.ts';
import { IMAGES, REF, stage } from './stage.ts';

describe('what comes before the deployment takes its time', () => {
  test('and a newer release that came meanwhile is not overrun', async () => {
    const { clock, ecs, deploy } = stage();
    const before = async () => {
      const arn = ecs.serviceOf(REF).arn;
      ecs.elsewhere(REF, IMAGES.other);
      await ecs.tagService(
        arn,
        { 'sluice:schema': '1', 'sluice:phase': 'done', 'sluice:release': 'r-2', 'sluice:run': '101/1' },
        new AbortController().signal,
      );
      clock.advance(minutes(12));
      return { kind: 'good' } as const;
    };
    await expect(deploy({ before, onOutdated: 'fail' })).rejects.toThrow(
      /release r-2 of the later run 101\/1 serves there.*The service was not touched; what comes before the deployment was done/,
    );
    expect(ecs.writes().filter((call) => call.startsWith('updateService'))).toEqual([]);
  });

  test('and a deployment that began meanwhile is a conflict as it would have been before', async () => {
    const { ecs, deploy } = stage();
    const before = () => {
      ecs.elsewhere(REF, IMAGES.stuck);
      return Promise.resolve({ kind: 'good' } as const);
    };
    await expect(deploy({ before })).rejects.toThrow(/is in flight \(since .*\)\. The service was not touched/);
  });

  test('and is made once, its revision registered once, and none of it taken from the time the tasks have', async () => {
    const { clock, ecs, deploy } = stage();
    let times = 0;
    const before = () => {
      times++;
      clock.advance(minutes(19));
      return Promise.resolve({ kind: 'good' } as const);
    };
    const deadline = after(clock.now(), minutes(1));
    expect(await deploy({ before, deadline, timeout: minutes(20) })).toMatchObject({ outcome: 'succeeded' });
    expect(times).toBe(1);
    expect(ecs.writes()).toEqual([
      'registerTaskDefinition web',
      'tagService deploying',
      'updateService web:2',
      'tagService done',
    ]);
  });
});

test('a repeated run that finds its release good writes the verdict that the first did not live to write', async () => {
  const { ecs, deploy } = stage();
  await deploy();
  await ecs.tagService(ecs.serviceOf(REF).arn, { 'sluice:phase': 'deploying' }, new AbortController().signal);
  expect(await deploy({ writer: { release: 'r-1', run: '100/2' } })).toMatchObject({ outcome: 'unchanged' });
  expect(ecs.serviceOf(REF).tags).toMatchObject({ 'sluice:phase': 'done' });
  await expect(
    deploy({ images: { web: IMAGES.other }, writer: { release: 'r-0', run: '99/1' }, onOutdated: 'fail' }),
  ).rejects.toThrow('release r-1 of the later run');
});
