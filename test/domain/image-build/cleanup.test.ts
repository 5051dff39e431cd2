import { describe, expect, test } from '@jest/globals';
import { days, instant } from '../../../src/domain/duration.ts';
import { type CleanupPolicy, type ListedImage, planCleanup } from '../../../src/domain/image-build/cleanup.ts';

const NOW = instant(Date.UTC(2026, 10, 25));
const image = (
  digest: string,
  age: number,
  tags: readonly string[] = [],
  parts: readonly string[] = [],
): ListedImage => ({
  digest,
  tags,
  parts,
  pushedAt: instant(NOW - days(age)),
});
const HEX = (letter: string): string => `sha256:${letter.repeat(64)}`;
const POLICY: CleanupPolicy = { keep: 1, olderThan: days(30), keepTags: [], protected: [], now: NOW };

describe('what a cleanup removes', () => {
  test.each<[name: string, images: readonly ListedImage[], policy: Partial<CleanupPolicy>, removed: readonly string[]]>(
    [
      ['nothing of nothing', [], {}, []],
      ['what is old and not among the newest', [image('a', 90), image('b', 60), image('c', 40)], {}, ['b', 'a']],
      ['nothing that is young', [image('a', 20), image('b', 10), image('c', 5)], {}, []],
      ['nothing among the newest, however old', [image('a', 90), image('b', 60)], { keep: 2 }, []],
      [
        'nothing with a tag that is kept',
        [image('a', 90, ['v1.0']), image('b', 80, ['main']), image('c', 1)],
        { keepTags: ['v*'] },
        ['b'],
      ],
      ['a pattern is no regular expression', [image('a', 90, ['v1x0']), image('c', 1)], { keepTags: ['v1.0'] }, ['a']],
      ['nothing that is protected', [image('a', 90), image('b', 80), image('c', 1)], { protected: ['a'] }, ['b']],
      [
        'an index before its parts',
        [image('x', 90, ['old'], ['p', 'q']), image('p', 90), image('q', 90), image('c', 1)],
        {},
        ['x', 'p', 'q'],
      ],
      [
        'no part of an index that stays',
        [image('x', 90, ['old'], ['p', 'q']), image('y', 1, ['new'], ['p']), image('p', 90), image('q', 90)],
        {},
        ['x', 'q'],
      ],
      [
        'no part that is protected, nor its index',
        [image('x', 90, ['old'], ['p']), image('p', 90), image('c', 1)],
        { protected: ['p'] },
        [],
      ],
      [
        'a signature with the image that it hangs on, and not before',
        [
          image(HEX('a'), 90),
          image('sig-a', 90, [`sha256-${'a'.repeat(64)}.sig`]),
          image(HEX('b'), 1),
          image('sig-b', 90, [`sha256-${'b'.repeat(64)}`], ['att-b']),
          image('att-b', 90),
        ],
        {},
        [HEX('a'), 'sig-a'],
      ],
      [
        'no signature of what is protected, nor of a part of what stays',
        [
          image(HEX('a'), 90),
          image('sig-a', 90, [`sha256-${'a'.repeat(64)}.sig`]),
          image('x', 1, ['new'], [HEX('b')]),
          image(HEX('b'), 90),
          image('sig-b', 90, [`sha256-${'b'.repeat(64)}.sig`]),
        ],
        { protected: [HEX('a')] },
        [],
      ],
      [
        'a signature of what is there no more as any image',
        [image('sig-a', 90, [`sha256-${'a'.repeat(64)}.sig`]), image('c', 1)],
        {},
        ['sig-a'],
      ],
      [
        'no attestation of what stays, found by its subject; nor one of the attestation',
        [
          image(HEX('a'), 90, ['v1.0']),
          { ...image('att', 90), subject: HEX('a') },
          { ...image('of-att', 90), subject: 'att' },
          image('of-att-part', 90),
          { ...image('index-of-att', 90, [], ['of-att-part']), subject: 'of-att' },
        ],
        {},
        [],
      ],
      [
        'an attestation with its image, and what hangs on it',
        [
          image('c', 1),
          image(HEX('a'), 90),
          { ...image('att', 90), subject: HEX('a') },
          { ...image('of-att', 90), subject: 'att' },
        ],
        {},
        [HEX('a'), 'att', 'of-att'],
      ],
      [
        'no part of a part of what stays, though an index that goes names it',
        [
          image('x', 1, ['new'], ['y']),
          image('y', 90, [], ['p']),
          image('p', 90),
          image('z', 90, ['old'], ['p', 'q']),
          image('q', 90),
        ],
        {},
        ['z', 'q'],
      ],
      [
        'an index in an index before its parts',
        [image('p', 90), image('y', 90, [], ['p']), image('x', 90, ['old'], ['y']), image('c', 1)],
        {},
        ['x', 'y', 'p'],
      ],
      [
        'no part that came a moment ago: an index that names it may be on its way',
        [image('x', 90, ['old'], ['p', 'q']), image('p', 0), image('q', 90), image('c', 1)],
        {},
        ['x', 'q'],
      ],
      [
        'what has no tag by a limit of its own, which does not count among the newest',
        [image('a', 90, ['v1']), image('b', 60, ['v2']), image('l', 8), image('m', 6)],
        { keep: 2, untaggedOlderThan: days(7) },
        ['l'],
      ],
      [
        'nothing without a tag that an index with one names, nor what hangs on it',
        [
          image('x', 90, ['v1'], [HEX('a'), 'att']),
          image(HEX('a'), 90),
          image('att', 90),
          { ...image('sig', 90), subject: HEX('a') },
          image('l', 8),
        ],
        { untaggedOlderThan: days(7) },
        ['l'],
      ],
      [
        'nothing without a tag that is protected',
        [image('l', 90), image('c', 1, ['v1'])],
        { untaggedOlderThan: days(7), protected: ['l'] },
        [],
      ],
      [
        'two that name each other by their tags are no reason to forget their age',
        [
          image(HEX('a'), 1, [`sha256-${'b'.repeat(64)}`]),
          image(HEX('b'), 1, [`sha256-${'a'.repeat(64)}`]),
          image('c', 1),
        ],
        {},
        [],
      ],
      [
        'parts do not count as images',
        [image('x', 40, ['a'], ['p', 'q']), image('p', 40), image('q', 40), image('z', 50, ['b'])],
        { keep: 2 },
        [],
      ],
    ],
  )('%s', (_name, images, policy, removed) => {
    const plan = planCleanup(images, { ...POLICY, ...policy });
    expect(plan.remove.map(({ digest }) => digest)).toEqual(removed);
    expect(plan.kept).toBe(images.length - removed.length);
  });
});
