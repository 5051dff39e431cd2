import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isOutdated, mayWrite, phaseTag, readJournal, sameRelease, toTags } from '../../../src/domain/ecs/journal.ts';

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
    expect(isOutdated(journal, { release: `${images}bbbb`, run: '100/1' })).toBe(true);
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
    expect(isOutdated(found, { run, release })).toBe(outdated);
  });
});
