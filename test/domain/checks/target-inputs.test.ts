import { describe, expect, test } from '@jest/globals';
import { readCheckSecrets, withCheckSecrets } from '../../../src/domain/checks/target-inputs.ts';

describe('check-secrets', () => {
  test('are lines of names and values; blank lines and blanks around a line do not count', () => {
    const read = readCheckSecrets('A=1\r\n\n  B_2=x=y z \n');
    expect(read.ok && [...read.value]).toEqual([
      ['A', '1'],
      ['B_2', 'x=y z'],
    ]);
  });

  test('may have several lines in double quotes, in which two quotes are one', () => {
    const closed = readCheckSecrets('KEY="begin\n  middle\nend"\nB=plain\nC="a ""b"" c"\nD={"x": "y"}');
    expect(closed.ok && [...closed.value]).toEqual([
      ['KEY', 'begin\n  middle\nend'],
      ['B', 'plain'],
      ['C', 'a "b" c'],
      ['D', '{"x": "y"}'],
    ]);
  });

  test.each([
    {
      name: 'a quote that nothing closes',
      text: 'A="hunter2\nB=1',
      problem: 'has a quote that is not closed, or text behind one that is',
    },
    {
      name: 'a value that only begins with a quote',
      text: 'A="hunter2"x',
      problem: 'has a quote that is not closed, or text behind one that is',
    },
    {
      name: 'two quoted texts',
      text: 'A="a","b"',
      problem: 'has a quote that is not closed, or text behind one that is',
    },
    { name: 'a line without a name', text: 'A=1\nhunter2', problem: 'has something else than NAME=value in line 2' },
    { name: 'a name that is none', text: '1A=hunter2', problem: 'has something else than NAME=value in line 1' },
    { name: 'a name twice', text: 'A=1\nA=hunter2', problem: 'has A a second time in line 2' },
  ])('with $name are refused without repeating it', ({ text, problem }) => {
    expect(readCheckSecrets(text)).toEqual({
      ok: false,
      problems: [
        {
          input: 'check-secrets',
          problem,
          accepted: 'NAME=value, one a line; a value of several lines in double quotes',
        },
      ],
    });
  });

  test.each([
    { name: 'its own value first', values: new Map([['A', 'own']]), found: 'own' },
    { name: 'the environment where it has none', values: new Map<string, string>(), found: 'of the step' },
    { name: 'the environment where its own is empty', values: new Map([['A', '']]), found: 'of the step' },
  ])('give $name', ({ values, found }) => {
    expect(withCheckSecrets((name) => ({ A: 'of the step' })[name], values)('A')).toBe(found);
  });
});
