import { describe, expect, test } from '@jest/globals';
import { Linter } from 'eslint';
import { ownLines } from '../../tools/lint/own-lines.mjs';

const plugins = { sluice: { rules: { 'own-lines': ownLines } } };
const verify = (source: string): string[] =>
  new Linter()
    .verify(source, { plugins, rules: { 'sluice/own-lines': ['error', { max: 4 }] } })
    .map(({ line, message }) => `${line}: ${message.slice(0, 32)}`);

describe('lines of a function of its own', () => {
  test.each([
    ['up to the limit', ['function a() {', 'b();', 'b();', '}'], []],
    ['above the limit', ['function a() {', 'b();', 'b();', 'b();', '}'], ['1: This function has 5 lines of its']],
    [
      'blank lines and comments are free',
      ['function a() {', '', '// why', '/* and', 'why */', 'b();', 'b();', '}'],
      [],
    ],
    ['a list of functions is short', ['function a() {', 'return { c() {', 'b();', 'b();', '} };', '}'], []],
    [
      'a long function inside a short one',
      ['function a() {', 'return () => {', 'b();', 'b();', 'b();', '};', '}'],
      ['2: This function has 5 lines of its'],
    ],
  ])('%s', (_, source, problems) => {
    expect(verify(source.join('\n'))).toEqual(problems);
  });
});
