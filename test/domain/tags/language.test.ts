import { describe, expect, test } from '@jest/globals';
import { DEFAULT_TAGS } from '../../../src/domain/tags/parse.ts';
import { EVENTS, type EventName, SHA, hash, tagsOf } from './events.ts';

const ORDER: readonly EventName[] = [
  'main',
  'feature',
  'release',
  'candidate',
  'otherTag',
  'pull',
  'schedule',
  'published',
  'dispatch',
];
const FEATURE = `feature-a-${hash('feature/a')}`;

/** One line of `tags`, and what it gives on each event in ORDER; text is a problem. */
const LINES: readonly (readonly [line: string, ...expected: (readonly string[] | string)[]])[] = [
  ['type=ref,event=branch', ['main'], [FEATURE], [], [], [], [], ['main'], [], ['main']],
  [
    'type=ref,event=tag',
    [],
    [],
    ['v1.2.3', 'latest'],
    ['v2.0.0-rc.1', 'latest'],
    ['nightly-7', 'latest'],
    [],
    [],
    ['v1.2.3', 'latest'],
    [],
  ],
  ['type=ref,event=pr', [], [], [], [], [], ['pr-7'], [], [], []],
  [
    'type=sha',
    ['sha-860c190'],
    ['sha-860c190'],
    ['sha-860c190'],
    ['sha-860c190'],
    ['sha-860c190'],
    ['sha-860c190'],
    ['sha-860c190'],
    ['sha-860c190'],
    ['sha-860c190'],
  ],
  ['type=sha,format=long,prefix=', [SHA], [SHA], [SHA], [SHA], [SHA], [SHA], [SHA], [SHA], [SHA]],
  [
    'type=semver,pattern={{version}}',
    [],
    [],
    ['1.2.3', 'latest'],
    ['2.0.0-rc.1'],
    'nightly-7 is not a version of semver (https://semver.org)',
    [],
    [],
    ['1.2.3', 'latest'],
    [],
  ],
  [
    'type=semver,pattern={{major}}.{{minor}}',
    [],
    [],
    ['1.2', 'latest'],
    ['2.0.0-rc.1'],
    'nightly-7 is not a version of semver (https://semver.org)',
    [],
    [],
    ['1.2', 'latest'],
    [],
  ],
  [
    'type=semver,pattern={{raw}}',
    [],
    [],
    ['v1.2.3', 'latest'],
    ['v2.0.0-rc.1'],
    'nightly-7 is not a version of semver (https://semver.org)',
    [],
    [],
    ['v1.2.3', 'latest'],
    [],
  ],
  [
    'type=pep440,pattern={{version}}',
    [],
    [],
    ['1.2.3', 'latest'],
    ['2.0.0rc1'],
    'nightly-7 is not a version of PEP 440',
    [],
    [],
    ['1.2.3', 'latest'],
    [],
  ],
  ['type=schedule', [], [], [], [], [], [], ['nightly'], [], []],
  ["type=schedule,pattern={{date 'YYYYMMDD'}}", [], [], [], [], [], [], ['20260308'], [], []],
  ['type=edge', ['edge'], [], [], [], [], [], ['edge'], [], ['edge']],
  ['type=edge,branch=feature/a', [], ['edge'], [], [], [], [], [], [], []],
  [
    'type=match,pattern=v(\\d.*),group=1',
    [],
    [],
    ['1.2.3', 'latest'],
    ['2.0.0-rc.1', 'latest'],
    'v(\\d.*) does not match nightly-7',
    [],
    [],
    ['1.2.3', 'latest'],
    [],
  ],
  [
    'type=raw,value=build',
    ['build'],
    ['build'],
    ['build'],
    ['build'],
    ['build'],
    ['build'],
    ['build'],
    ['build'],
    ['build'],
  ],
  ['type=raw,value=latest,enable={{is_default_branch}}', ['latest'], [], [], [], [], [], ['latest'], [], ['latest']],
];

describe.each(LINES)('%s', (line, ...expected) => {
  test.each(ORDER.map((event, index) => ({ event, tags: expected[index] })))('on $event: $tags', ({ event, tags }) => {
    expect(tagsOf(line, EVENTS[event])).toEqual(tags);
  });
});

describe('several lines', () => {
  const RELEASE =
    'type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=semver,pattern={{major}}\ntype=ref,event=branch\ntype=ref,event=pr\ntype=sha';
  test.each<[name: string, tags: string, event: EventName, flavor: string, expected: readonly string[] | string]>([
    ['the default on main', DEFAULT_TAGS, 'main', '', ['main']],
    ['the default on a tag', DEFAULT_TAGS, 'release', '', ['v1.2.3', 'latest']],
    ['the default on a pull request', DEFAULT_TAGS, 'pull', '', ['pr-7']],
    ['the default on a schedule', DEFAULT_TAGS, 'schedule', '', ['nightly', 'main']],
    ['a release', RELEASE, 'release', '', ['1.2.3', '1.2', '1', 'sha-860c190', 'latest']],
    ['a candidate moves nothing', RELEASE, 'candidate', '', ['2.0.0-rc.1', 'sha-860c190']],
    ['a tag that is no version keeps what else there is', RELEASE, 'otherTag', '', ['sha-860c190']],
    ['a pull request', RELEASE, 'pull', '', ['pr-7', 'sha-860c190']],
    [
      'priority decides, not the line',
      'type=sha\ntype=raw,value=one\ntype=ref,event=branch',
      'main',
      '',
      ['main', 'one', 'sha-860c190'],
    ],
    ['a priority of its own', 'type=ref,event=branch\ntype=sha,priority=650', 'main', '', ['sha-860c190', 'main']],
    [
      'latest follows the first tag',
      'type=ref,event=tag\ntype=raw,value=x,priority=5000',
      'release',
      '',
      ['x', 'v1.2.3'],
    ],
    ['latest=true on a branch', 'type=ref,event=branch', 'main', 'latest=true', ['main', 'latest']],
    ['latest=true without a tag', 'type=ref,event=tag', 'main', 'latest=true', []],
    ['latest=true on a pull request is not kept', 'type=ref,event=pr', 'pull', 'latest=true', ['pr-7']],
    ['latest=false on a release', 'type=semver,pattern={{version}}', 'release', 'latest=false', ['1.2.3']],
    ['a prefix for all', 'type=ref,event=branch', 'main', 'latest=true\nprefix=web-', ['web-main', 'latest']],
    [
      'a prefix for latest too',
      'type=ref,event=branch',
      'main',
      'latest=true\nprefix=web-,onlatest=true',
      ['web-main', 'web-latest'],
    ],
    [
      'a suffix',
      'type=semver,pattern={{version}}',
      'release',
      'suffix=-alpine,onlatest=true',
      ['1.2.3-alpine', 'latest-alpine'],
    ],
    ['a prefix of its own wins', 'type=ref,event=branch,prefix=b-', 'main', 'prefix=web-', ['b-main']],
    ['an empty prefix wins too', 'type=sha,prefix=', 'main', 'prefix=web-', ['860c190']],
    ['a prefix with an expression', 'type=sha,prefix={{branch}}-', 'main', '', ['main-860c190']],
    ['the same tag twice is one', 'type=raw,value=main\ntype=ref,event=branch', 'main', '', ['main']],
    ['enable=false', 'type=sha,enable=false', 'main', '', []],
    ['enable by an expression', 'type=raw,value=x,enable={{is_not_default_branch}}', 'feature', '', ['x']],
    ['a bare value is raw', 'stable', 'main', '', ['stable']],
    ['a comment and blank lines', '# all\n\n  type=sha  \n', 'main', '', ['sha-860c190']],
    ['a comma in quotes', 'type=match,"pattern=v(\\d{1,2})\\.",group=1', 'release', '', ['1', 'latest']],
    ['flags of a pattern', 'type=match,pattern=/V(.*)/i,group=1', 'release', '', ['1.2.3', 'latest']],
    ['base_ref of a pull request', 'type=raw,value={{base_ref}}', 'pull', '', ['main']],
    ['a value for semver on a branch', 'type=semver,pattern={{version}},value=v3.4.5', 'main', '', ['3.4.5', 'latest']],
    [
      'a value for semver by an expression',
      'type=semver,pattern={{major}},value={{tag}}',
      'release',
      '',
      ['1', 'latest'],
    ],
    [
      'match before semver',
      'type=semver,pattern={{version}},value=api-v1.2.3,match=v(.*)',
      'main',
      '',
      ['1.2.3', 'latest'],
    ],
    ['pep440 in its normal form', 'type=pep440,pattern={{version}},value=1.0.0-Alpha.1', 'main', '', ['1.0.0a1']],
    ['pep440 of a release', 'type=pep440,pattern={{major}}.{{minor}},value=1!2.3.4', 'main', '', ['2.3', 'latest']],
    [
      'pep440 of a post release moves nothing',
      'type=pep440,pattern={{major}},value=1.2.post1',
      'main',
      '',
      ['1.2.post1'],
    ],
    ['the date in a zone', "type=raw,value={{date 'YYYYMMDD-HHmm' tz='Asia/Tokyo'}}", 'main', '', ['20260308-1530']],
    [
      'the date before the clock goes forward',
      "type=raw,value={{date 'HH-mm' tz='America/New_York'}}",
      'main',
      '',
      ['01-30'],
    ],
    ['the date of the commit', "type=raw,value={{commit_date 'YYYY-MM-DD'}}", 'main', '', ['2026-03-01']],
    ['the date of the commit in a zone', "type=raw,value={{commit_date 'DD' tz='Europe/Berlin'}}", 'main', '', ['02']],
    ['week, quarter and text', "type=raw,value={{date 'GGGG-[W]WW-[Q]Q'}}", 'main', '', ['2026-W10-Q1']],
    [
      'names of days and months',
      "type=raw,value={{date 'ddd-MMM-Do-hhA-X'}}",
      'main',
      '',
      ['Sun-Mar-8th-06AM-1772951405'],
    ],
  ])('%s', (_name, tags, event, flavor, expected) => {
    expect(tagsOf(tags, EVENTS[event], flavor)).toEqual(expected);
  });
});

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

  test('and two branches never share one', () => {
    const dashed = { ...EVENTS.main, ref: 'refs/heads/feature-a' };
    expect(tagsOf('type=ref,event=branch', dashed)).toEqual(['feature-a']);
    expect(tagsOf('type=ref,event=branch', EVENTS.feature)).toEqual([FEATURE]);
  });

  test('without the hash where the flavor says so', () => {
    expect(tagsOf('type=ref,event=branch', EVENTS.feature, 'changed=keep')).toEqual(['feature-a']);
  });
});

describe('what cannot be meant', () => {
  test.each<[name: string, tags: string, flavor: string, problem: RegExp]>([
    ['an unknown type', 'type=semvar,pattern={{version}}', '', /has the type semvar, which is none/],
    ['an unknown attribute', 'type=sha,patern=x', '', /has patern, which type=sha does not take/],
    ['an attribute of another type', 'type=ref,event=branch,group=1', '', /has group, which type=ref does not take/],
    ['an attribute twice', 'type=sha,format=long,format=short', '', /says format twice/],
    ['semver without pattern', 'type=semver', '', /has no pattern/],
    ['ref without event', 'type=ref', '', /has no event of branch, tag and pr/],
    ['raw without value', 'type=raw', '', /has no value/],
    [
      'a raw value that comes to nothing',
      'type=raw,value={{tag}}',
      '',
      /comes to nothing on push of refs\/heads\/main/,
    ],
    [
      'a demanded version that is none',
      'type=semver,pattern={{version}},value=banana',
      '',
      /is not a version of semver/,
    ],
    ['a pattern that is none', 'type=match,pattern=v(', '', /not a regular expression/],
    ['a group that is none', 'type=match,pattern=v,group=x', '', /group that is not a number/],
    ['an unknown format', 'type=sha,format=medium', '', /neither short nor long/],
    ['an unknown expression', 'type=raw,value={{brnch}}', '', /is not a known expression/],
    ['a block of Handlebars', 'type=raw,value={{#if x}}a{{/if}}', '', /is not an expression/],
    ['braces that do not close', 'type=raw,value={{branch', '', /braces that do not close/],
    ['a time zone that is none', "type=raw,value={{date 'YYYY' tz='Mars/Base'}}", '', /names the time zone Mars\/Base/],
    ['enable that is neither true nor false', 'type=sha,enable=yes', '', /is what enable comes to/],
    ['a priority that is none', 'type=sha,priority=high', '', /priority that is not a whole number/],
    ['a quote that does not close', 'type=raw,"value=x', '', /quote that is not closed/],
    ['a flavor that is none', 'type=sha', 'latest=yes', /is not understood/],
    ['onlatest without a prefix', 'type=sha', 'latest=true,onlatest=true', /is not understood/],
  ])('%s', (_name, tags, flavor, problem) => {
    expect(tagsOf(tags, EVENTS.main, flavor)).toMatch(problem);
  });
});
