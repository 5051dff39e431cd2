import { describe, expect, test } from '@jest/globals';
import { calls, expectedTexts } from './expected-texts.ts';
import { expects, processExpectations, troublesOf } from './troubleshooting.ts';

const ACTIONS = [
  { action: 'blue-green', folders: ['actions/blue-green'], runs: ['runBundle', 'mainThenPost'], rows: 15 },
  { action: 'deploy-ecs', folders: ['actions/deploy-ecs'], runs: ['runBundle', 'mainThenPost'], rows: 30 },
  { action: 'deploy-k8s', folders: ['actions/deploy-k8s', 'examples'], runs: ['openScene', 'openPlace'], rows: 20 },
];

describe.each(ACTIONS)('the troubleshooting table of $action', ({ action, folders, runs, rows }) => {
  const messages = troublesOf(action);
  const expected = processExpectations(folders, runs);

  test('has rows', () => {
    expect(messages.length).toBeGreaterThanOrEqual(rows);
  });

  test.each(messages)('"%s" is expected of a process', (message) => {
    expect(expected.filter((text) => expects(text, message))).not.toEqual([]);
  });

  test('a row that nobody provokes is found', () => {
    expect(expected.some((text) => expects(text, 'no such ... message'))).toBe(false);
  });
});

describe('a text that a test expects', () => {
  const yes: readonly (readonly [string, string])[] = [
    ['stands in a matcher', `expect(said).toContain('it is so')`],
    ['stands in one of a promise', `await expect(run()).rejects.toThrow('it is so')`],
    ['is a pattern', String.raw`expect(said).toMatch(/it is so\./)`],
    ['stands within a matcher of a matcher', `expect(run).toEqual({ a: expect.stringContaining('it is so') })`],
    ['is a constant', `const told = 'it is so'; expect(said).toContain(told)`],
    ['is a part of a text', 'const so = `it is so`; expect(said).toBe(`${so}, ${why}`)'],
    ['is of a row', `test.each([{ told: 'it is so' }])('x', ({ told }) => { expect(said).toContain(told) })`],
    ['is of a table', `const rows = [{ told: 'it is so' }]; test.each(rows)('x', ({ told: t }) => expect(s).toBe(t))`],
    ['is of a list', `for (const word of ['it is so']) expect(said).toContain(word)`],
    ['is of a mapping', `for (const [key, { told }] of Object.entries({ a: { told: 'it is so' } })) expect(s).toBe(told)`],
    ['is a key', `const all = { 'it is so': 1 }; for (const told of Object.keys(all)) expect(said).toContain(told)`],
    ['is given to a function', `const says = (run, told) => { expect(run).toContain(told) }; says(run, 'it is so')`],
  ]; // prettier-ignore
  test.each(yes)('%s', (_, text) => {
    expect(expectedTexts('a.test.ts', text).some((each) => each.includes('it is so'))).toBe(true);
  });

  const no: readonly (readonly [string, string])[] = [
    ['a comment', `/* it is so */ expect(said).toContain('something') // it is so`],
    ['the name of a test', `test('it is so', () => { expect(said).toContain('something') })`],
    ['an input', `const run = go({ told: 'it is so' }); expect(run.code).toBe(1)`],
    ['a text that is looked for in vain', `expect(said).not.toContain('it is so')`],
    ['a text within a matcher that says no', `expect(run).toEqual(expect.not.stringContaining('it is so'))`],
    ['another column of the table', `test.each([{ in: 'it is so', told: 'x' }])('x', ({ told }) => expect(s).toBe(told))`],
  ]; // prettier-ignore
  test.each(no)('is not %s', (_, text) => {
    expect(expectedTexts('a.test.ts', text).filter((each) => each.includes('it is so'))).toEqual([]);
  });

  test('is of a process where the process is run, not where it is spoken of', () => {
    expect(calls('a.ts', 'const run = await runBundle(step)', ['runBundle'])).toBe(true);
    expect(calls('a.ts', '// runBundle(step)', ['runBundle'])).toBe(false);
  });
});
