import { describe, expect, test } from '@jest/globals';
import { EVENTS, hash, tagsOf } from './events.ts';

const FEATURE = `feature-a-${hash('feature/a')}`;

describe('a tag is always one that registries take', () => {
  const raw = (value: string): string => `type=raw,"value=${value.replaceAll('"', '""')}"`;
  const long = 'x'.repeat(140);
  test.each([
    ['a leading dash', '-x', `x-${hash('-x')}`],
    ['a leading dot', '.hidden', `hidden-${hash('.hidden')}`],
    ['only a dot', '.', hash('.')],
    ['blanks and slashes', 'a b/c', `a-b-c-${hash('a b/c')}`],
    ['140 characters', long, `${'x'.repeat(121)}-${hash(long)}`],
    ['letters of other alphabets', 'größe', `gr-e-${hash('größe')}`],
    ['a build of semver', '1.2.3+5', `1.2.3-5-${hash('1.2.3+5')}`],
    ['a leading underscore is fine', '_x', '_x'],
    ['128 characters are fine', 'y'.repeat(128), 'y'.repeat(128)],
  ])('%s', (_name, value, expected) => {
    expect(tagsOf(raw(value), EVENTS.main)).toEqual([expected]);
    expect(expected).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/);
  });

  const branch = (name: string): readonly string[] | string =>
    tagsOf('type=ref,event=branch', { ...EVENTS.main, ref: `refs/heads/${name}` });
  test.each([
    ['a slash and a dash', 'feature/a', 'feature-a'],
    ['a slash and an underscore', 'feature/a', 'feature_a'],
    ['two slashes and one', 'a//b', 'a/b'],
    ['a blank and a dash', 'a b', 'a-b'],
    ['two letters of other alphabets', 'ü', 'ö'],
    ['a leading dot', '.a', 'a'],
    ['a leading dash', '-a', 'a'],
    ['large and small letters', 'feature/A', 'feature/a'],
    ['what differs behind the longest tag', 'x'.repeat(140), 'x'.repeat(141)],
  ])('and two branches never share one: %s', (_name, one, other) => {
    expect(branch(one)).toHaveLength(1);
    expect(branch(other)).toHaveLength(1);
    expect(branch(one)).not.toEqual(branch(other));
  });

  test('what needs no change keeps its name', () => {
    expect(branch('feature-a')).toEqual(['feature-a']);
    expect(branch('feature/a')).toEqual([FEATURE]);
  });

  test('without the hash where the flavor says so', () => {
    expect(tagsOf('type=ref,event=branch', EVENTS.feature, 'changed=keep')).toEqual(['feature-a']);
  });
});
