import { describe, expect, test } from '@jest/globals';
import { EVENTS, tagsOf } from './events.ts';

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
