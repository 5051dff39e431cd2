import { describe, expect, test } from '@jest/globals';
import { Failure } from '../../../src/domain/failure.ts';
import { liveTagged } from '../../../src/domain/shift/live-color.ts';
import { SERVICES, type Stage, openStage } from './stage.ts';

const TAG = 'DeploymentColor';
const refOf = (color: 'blue' | 'green') => ({ cluster: 'shop', service: SERVICES[color] });
const { signal } = new AbortController();

/** Both services as they are, with these tags. */
async function tagged(tags: Partial<Record<'blue' | 'green', string>>): Promise<Stage> {
  const stage = openStage();
  for (const [color, text] of Object.entries(tags) as ['blue' | 'green', string][]) {
    const [service] = await stage.ecs.describeServices([refOf(color)], signal);
    await stage.ecs.tagService(service?.arn ?? '', { [TAG]: text }, signal);
  }
  return stage;
}

const tagsOf = async ({ ecs }: Stage): Promise<readonly (string | undefined)[]> => {
  const services = await ecs.describeServices([refOf('blue'), refOf('green')], signal);
  return services.map(({ tags }) => tags[TAG]);
};

describe('the tag that names the live color', () => {
  test.each([
    { name: 'is corrected on the one service that has it', tags: { blue: 'blue' }, after: ['green', undefined] },
    { name: 'is corrected on both', tags: { blue: 'blue', green: 'blue' }, after: ['green', 'green'] },
    { name: 'keeps its spelling', tags: { blue: 'Blue' }, after: ['Green', undefined] },
    { name: 'that names the color of each service stays', tags: { blue: 'blue', green: 'green' }, after: ['blue', 'green'] },
    { name: 'is given to no service that has none', tags: {}, after: [undefined, undefined] },
  ])('$name, when a release is promoted', async ({ tags, after }) => {
    const stage = await tagged(tags);
    const { outcome } = await stage.run();
    expect(outcome.kind).toBe('promoted');
    expect(await tagsOf(stage)).toEqual(after);
  }); // prettier-ignore

  test('names the color that users are back on after a rollback', async () => {
    const stage = await tagged({ green: 'green' });
    stage.answers = ({ metric }) => ({ kind: 'value', value: metric === 'health' ? 1 : 0.312, samples: 412 });
    const { outcome } = await stage.run();
    expect(outcome.kind).toBe('rolled-back');
    expect(await tagsOf(stage)).toEqual([undefined, 'blue']);
    expect(stage.log.lines).toContain(`The tag ${TAG} says blue now`);
  });

  test('that may not be written is told, and the release stays promoted', async () => {
    const stage = await tagged({ blue: 'blue' });
    const write = stage.ecs.tagService.bind(stage.ecs);
    const denied = new Failure({ what: 'Could not tag shop-blue', why: 'access denied for ecs:TagResource' });
    // The journal of the deployment itself is written by the same call.
    stage.ecs.tagService = (arn, tags, inner) => (TAG in tags ? Promise.reject(denied) : write(arn, tags, inner));
    const { outcome } = await stage.run();
    expect(outcome.kind).toBe('promoted');
    expect(stage.log.lines.join('\n')).toContain('Could not tag shop-blue: access denied for ecs:TagResource');
  });

  test.each([
    ['blue', 'green'],
    ['Blue', 'Green'],
    ['BLUE', 'GREEN'],
  ])('%s becomes %s', (before, after) => expect(liveTagged('green', before)).toBe(after));
});
