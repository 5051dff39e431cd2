import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  mayWrite,
  openTags,
  outdatedBy,
  phaseTag,
  readJournal,
  sameRelease,
  settingsRelease,
  toTags,
} from '../../../src/domain/ecs/journal.ts';

describe('the journal in the tags of a service', () => {
  test('is read back as it was written', () => {
    const entry = {
      phase: 'deploying',
      release: 'v1.4.0',
      run: '100/2',
      previousTaskDefinition: 'arn:aws:ecs:r:1:task-definition/web:7',
      previousDesired: 0,
    } as const;
    expect(readJournal({ tags: { team: 'web', ...toTags(entry) } })).toEqual(entry);
  });

  test('of a first deployment forgets what the one before had written', () => {
    const before = toTags({
      phase: 'done',
      release: 'r-0',
      run: '1/1',
      previousTaskDefinition: 'arn:old',
      previousDesired: 3,
    });
    const tags = { ...before, ...toTags({ phase: 'deploying', release: 'r-1', run: '2/1' }) };
    expect(readJournal({ tags })).toEqual({ phase: 'deploying', release: 'r-1', run: '2/1' });
  });

  const nothing = [
    { name: 'there is none', tags: {} },
    { name: 'it has no run', tags: { 'sluice:schema': '1', 'sluice:phase': 'done' } },
    { name: 'its phase is unknown', tags: { 'sluice:schema': '1', 'sluice:run': '1/1', 'sluice:phase': 'dreaming' } },
    { name: 'it has another schema', tags: { 'sluice:schema': '2', 'sluice:run': '1/1', 'sluice:phase': 'done' } },
  ];
  test.each(nothing)('says nothing when $name', ({ tags }) => {
    expect(readJournal({ tags })).toBeUndefined();
  });

  test('knows two releases apart whose long names end differently, and fits a tag', () => {
    const images = 'r.example.com/team/web '.repeat(12);
    const written = toTags({ phase: 'done', release: `${images}aaaa`, run: '200/1' });
    expect(written['sluice:release']).toHaveLength(256);
    const journal = readJournal({ tags: written });
    expect(sameRelease(journal, `${images}aaaa`)).toBe(true);
    expect(sameRelease(journal, `${images}bbbb`)).toBe(false);
    expect(outdatedBy(journal, { release: `${images}bbbb`, run: '100/1', brings: 'software' })).toContain('200/1');
  });

  test('has only values that ECS takes, and knows its release again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (release) => {
        const tags = toTags({ phase: 'done', release, run: '1/1' });
        expect(tags['sluice:release']).toMatch(/^[\p{L}\p{N} +\-=._:/@]{0,256}$/u);
        expect(sameRelease(readJournal({ tags }), release)).toBe(true);
      }),
    );
  });
});

describe('the fence', () => {
  const rows = [
    { name: 'the run itself', owner: '100/1', may: true },
    { name: 'whom the tags named before', owner: '99/1', may: true },
    { name: 'another attempt', owner: '100/2', may: false },
    { name: 'another run', owner: '200/1', may: false },
  ];
  test.each(rows)('lets run 100/1 write over $name: $may', ({ owner, may }) => {
    expect(mayWrite({ tags: { ...phaseTag('deploying'), 'sluice:run': owner } }, '100/1', '99/1')).toBe(may);
  });

  test('is open where nobody wrote', () => {
    expect(mayWrite({ tags: {} }, '100/1')).toBe(true);
  });
});

describe('a release that is outdated', () => {
  const journal = { phase: 'done', release: 'v2', run: '200/1' } as const;
  const rows = [
    { name: 'an earlier run', run: '199/4', release: 'v1', journal, outdated: true },
    { name: 'a later run', run: '201/1', release: 'v3', journal, outdated: false },
    { name: 'the same run', run: '200/2', release: 'v2', journal, outdated: false },
    { name: 'an earlier run of the same release', run: '199/1', release: 'v2', journal, outdated: false },
    { name: 'an earlier run with fewer digits', run: '9/1', release: 'v1', journal, outdated: true },
    {
      name: 'an earlier run after a release that failed',
      run: '199/1',
      release: 'v1',
      journal: { ...journal, phase: 'failed' as const },
      outdated: false,
    },
    { name: 'a run outside of GitHub', run: 'local/1', release: 'v1', journal, outdated: false },
    { name: 'the first release', run: '1/1', release: 'v1', journal: undefined, outdated: false },
  ];
  test.each(rows)('is that of $name: $outdated', ({ run, release, journal: found, outdated }) => {
    expect(outdatedBy(found, { run, release, brings: 'software' }) !== undefined).toBe(outdated);
  });

  const SETTINGS = settingsRelease({ settings: { propagateTags: 'SERVICE' } });
  type Entry = Parameters<typeof openTags>[1];
  /** As the releases wrote it, one after the other. */
  const written = (...entries: readonly Entry[]) => {
    let tags: Readonly<Record<string, string>> = {};
    for (const entry of entries) tags = { ...tags, ...openTags({ tags }, entry), ...phaseTag(entry.phase) };
    return readJournal({ tags });
  };
  const settings = (run: string, phase: Entry['phase'] = 'done'): Entry => ({ phase, release: SETTINGS, run });
  const image: Entry = { phase: 'done', release: 'v2', run: '200/1' };
  const SOFTWARE = 'the software of the later run 200/1';
  const partial = [
    { name: 'an image, after settings', found: written(settings('300/1')), run: '250/1', by: undefined },
    { name: 'an image, between both', found: written(image, settings('300/1')), run: '250/1', by: undefined },
    { name: 'an older image', found: written(image, settings('300/1')), run: '199/1', by: SOFTWARE },
    {
      name: 'an older image, after settings twice',
      found: written(image, settings('300/1'), { ...settings('310/1'), release: settingsRelease('other') }),
      run: '199/1',
      by: SOFTWARE,
    },
    {
      name: 'an older image, after settings that failed',
      found: written(image, settings('300/1', 'failed')),
      run: '199/1',
      by: SOFTWARE,
    },
    {
      name: 'an image, after one that failed and settings',
      found: written({ ...image, phase: 'failed' }, settings('300/1')),
      run: '199/1',
      // Whose software lies under both is not known any more.
      by: `release ${SETTINGS} of the later run 300/1`,
    },
    {
      name: 'a whole definition, between both',
      found: written(image, settings('300/1')),
      run: '250/1',
      brings: 'more' as const,
      by: `release ${SETTINGS} of the later run 300/1`,
    },
    {
      name: 'an image, after settings that another version of Sluice noted without the software',
      found: { phase: 'done', release: SETTINGS, run: '300/1' } as const,
      run: '250/1',
      by: `release ${SETTINGS} of the later run 300/1`,
    },
    {
      name: 'an image, after a later one',
      found: written(settings('150/1'), image),
      run: '199/1',
      by: `release v2 of the later run 200/1`,
    },
  ];
  test.each(partial)('is that of $name: $by', ({ found, run, by, ...given }) => {
    const brings = given.brings ?? 'software';
    expect(outdatedBy(found, { run, release: 'v1', brings })).toBe(by);
  });
});
