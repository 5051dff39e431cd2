import { describe, expect, test } from '@jest/globals';
import { readArguments } from '../../../sandbox/rehearse/arguments.ts';

describe('the command line of npm start', () => {
  test('nothing given rehearses a good release of the example', () => {
    expect(readArguments([], 'example.yml')).toEqual({
      release: 'good',
      config: 'example.yml',
      report: 'out/rehearsal.md',
    });
  });

  test('a release and a configuration are taken over', () => {
    expect(readArguments(['--release', 'slow', '--config', 'mine.yml'], 'example.yml')).toMatchObject({
      release: 'slow',
      config: 'mine.yml',
    });
  });

  test.each([
    ['a misspelt release', ['--release', 'eror-rate'], 'did you mean error-rate?'],
    ['an unknown release', ['--release', 'x'], 'Accepted: good, error-rate'],
    ['a misspelt argument', ['--relase', 'slow'], 'did you mean --release?'],
    ['a missing value', ['--release'], '--release needs a value'],
    ['a value that is an argument', ['--release', '--config'], '--release needs a value'],
  ])('%s is answered in one line', (_name, argv, words) => {
    const answer = readArguments(argv, 'example.yml');
    expect(answer).toEqual(expect.stringContaining(words));
    expect(answer).not.toContain('\n');
  });
});
