import { describe, expect, test } from '@jest/globals';
import { settingsRelease } from '../../../src/domain/ecs/journal.ts';
import { IMAGES, stage } from './stage.ts';

describe('a definition that is given', () => {
  const written = (image: string) =>
    ({
      kind: 'written',
      body: { cpu: '256', containerDefinitions: [{ name: 'web', image }] },
      tags: { team: 'web' },
    }) as const;

  test('from a file is registered in the family of the service, with its tags', async () => {
    const { deploy, ecs } = stage();
    expect(await deploy({ definition: written('r.example.com/any:1'), images: IMAGES.good })).toMatchObject({
      outcome: 'succeeded',
    });
    expect(ecs.revisions('web')[1]).toMatchObject({ tags: { team: 'web' }, body: { family: 'web', cpu: '256' } });
  });

  test('from a file that says what runs already registers nothing', async () => {
    const { deploy, ecs } = stage();
    expect(await deploy({ definition: written('r.example.com/any:1'), images: IMAGES.first })).toMatchObject({
      outcome: 'unchanged',
    });
    expect(ecs.writes()).toEqual([]);
  });

  test('by its name is deployed as it is, without a new revision', async () => {
    const { deploy, ecs } = stage();
    await deploy();
    await deploy({ images: { web: IMAGES.other }, writer: { release: 'r-2', run: '101/1' } });
    const before = ecs.writes().length;
    const definition = { kind: 'registered', name: 'web:1' } as const;
    const writer = { release: 'r-3', run: '102/1' };
    expect(await deploy({ definition, images: {}, writer })).toMatchObject({ outcome: 'succeeded' });
    expect(ecs.writes().slice(before)).toEqual(['tagService deploying', 'updateService web:1', 'tagService done']);
  });

  test('with changes by container is a new revision', async () => {
    const { deploy, ecs } = stage();
    expect(await deploy({ edits: { web: { environment: { A: '1' } } } })).toMatchObject({ outcome: 'succeeded' });
    expect(ecs.revisions('web')[1]?.body['containerDefinitions']).toEqual([
      { name: 'web', image: IMAGES.good, environment: [{ name: 'A', value: '1' }] },
    ]);
  });
});

describe('an earlier run', () => {
  const later = { release: 'v2', run: '200/1' };
  const earlier = { images: { web: IMAGES.other }, writer: { release: 'v1', run: '199/3' } };

  test('is refused before anything is written, or goes on as asked', async () => {
    const { deploy, ecs } = stage();
    await deploy({ writer: later });
    const before = ecs.writes().length;
    await expect(deploy({ ...earlier, onOutdated: 'fail' })).rejects.toThrow(
      'release v2 of the later run 200/1 serves there, and this run would put an older one over it',
    );
    expect(ecs.writes()).toHaveLength(before);
    expect(await deploy({ ...earlier, onOutdated: 'continue' })).toMatchObject({ outcome: 'succeeded' });
  });

  test('may bring its images where settings alone were released meanwhile, and not where software was before them', async () => {
    const settings = { images: {}, settings: { propagateTags: 'SERVICE' } } as const;
    const release = settingsRelease(settings);
    const { deploy } = stage();
    await deploy({ ...settings, writer: { release, run: '200/1' } });
    expect(await deploy({ ...earlier, onOutdated: 'fail' })).toMatchObject({ outcome: 'succeeded' });
    const other = stage();
    await other.deploy({ writer: later });
    await other.deploy({ ...settings, writer: { release, run: '300/1' } });
    await expect(other.deploy({ ...earlier, onOutdated: 'fail' })).rejects.toThrow(
      'the software of the later run 200/1 serves there, and this run would put an older one over it',
    );
    const roles = { task: 'arn:aws:iam::111122223333:role/task' };
    const beside = { ...earlier, writer: { ...earlier.writer, run: '250/1' }, onOutdated: 'fail' } as const;
    await expect(other.deploy({ ...beside, roles })).rejects.toThrow(`release ${release} of the later run 300/1`);
    expect(await other.deploy(beside)).toMatchObject({ outcome: 'succeeded' });
  });

  test('that finds its own images serving has nothing to refuse', async () => {
    const { deploy } = stage();
    await deploy({ writer: later });
    expect(await deploy({ writer: earlier.writer, onOutdated: 'fail' })).toMatchObject({ outcome: 'unchanged' });
  });
});

test('a way back that was deregistered is said before the deployment begins', async () => {
  const { deploy, ecs, log } = stage();
  await ecs.deregisterTaskDefinition(ecs.revisions('web')[0]?.arn ?? '', new AbortController().signal);
  expect(await deploy()).toMatchObject({ outcome: 'succeeded' });
  expect(log.warnings).toEqual([expect.stringContaining('web:1, which web would go back to, was deregistered')]);
});
