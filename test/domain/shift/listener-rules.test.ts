import { describe, expect, test } from '@jest/globals';
import { type ListenerRule, matchesWildcards, reachOf } from '../../../src/domain/shift/listener-rules.ts';

const header = (name: string, ...patterns: readonly string[]) => ({ kind: 'header', name, patterns }) as const;
const rule = (name: string, conditions: ListenerRule['conditions'], ...groups: readonly string[]): ListenerRule => ({
  name,
  conditions,
  groups,
  isShifted: false,
});
const USERS: ListenerRule = { ...rule('50', [], 'blue', 'green'), isShifted: true };
const OURS = rule('10', [header('X-Color', 'green')], 'green');
const asked = (headers: Readonly<Record<string, string>>, host = 'shop.example.com') => ({ host, headers });

describe('a request that shall reach green alone', () => {
  test.each([
    { name: 'meets its rule', rules: [OURS, USERS], headers: { 'x-color': 'green' }, kind: 'alone' },
    { name: 'in any case of letters', rules: [OURS, USERS], headers: { 'x-color': 'GREEN' }, kind: 'alone' },
    { name: 'meets the users rule by a name that is misspelt', rules: [OURS, USERS], headers: { 'x-colour': 'green' }, kind: 'elsewhere' },
    { name: 'meets the users rule, which stands before its own', rules: [USERS, OURS], headers: { 'x-color': 'green' }, kind: 'elsewhere' },
    { name: 'meets the rule of the other color', rules: [rule('10', [header('x-color', 'green')], 'blue'), USERS], headers: { 'x-color': 'green' }, kind: 'elsewhere' },
    { name: 'meets the users rule, though it leads to green alone today', rules: [{ ...USERS, groups: ['green'] }], headers: {}, kind: 'elsewhere' },
    { name: 'meets a rule that answers by itself', rules: [rule('5', [])], headers: {}, kind: 'elsewhere' },
    { name: 'meets no rule at all', rules: [], headers: {}, kind: 'elsewhere' },
    { name: 'meets a rule of several headers by all of them', rules: [rule('1', [header('x-color', 'green'), header('x-key', 'a*')], 'green')], headers: { 'x-color': 'green', 'x-key': 'abc' }, kind: 'alone' },
    { name: 'does not meet it by one of them', rules: [rule('1', [header('x-color', 'green'), header('x-key', 'a*')], 'green'), USERS], headers: { 'x-color': 'green' }, kind: 'elsewhere' },
    { name: 'is asked for by its host, too', rules: [rule('1', [{ kind: 'host', patterns: ['*.example.com'] }, header('x-color', 'green')], 'green'), USERS], headers: { 'x-color': 'green' }, kind: 'alone' },
    { name: 'has another host', rules: [rule('1', [{ kind: 'host', patterns: ['hub.example.com'] }, header('x-color', 'green')], 'green'), USERS], headers: { 'x-color': 'green' }, kind: 'elsewhere' },
    { name: 'may meet a rule of paths before its own', rules: [rule('5', [{ kind: 'open', field: 'path-pattern' }], 'api'), OURS, USERS], headers: { 'x-color': 'green' }, kind: 'unsure' },
    { name: 'may meet a rule of paths and headers that leads there, too', rules: [rule('5', [header('x-color', '*'), { kind: 'open', field: 'path-pattern' }], 'green'), OURS], headers: { 'x-color': 'green' }, kind: 'alone' },
  ] as const)('$name', ({ rules, headers, kind }) => {
    expect(reachOf(rules, asked(headers), ['green']).kind).toBe(kind);
  }); // prettier-ignore

  test('is told with every rule that it may meet', () => {
    const open = rule('5', [{ kind: 'open', field: 'source-ip' }], 'api');
    expect(reachOf([open, OURS, USERS], asked({ 'x-color': 'green' }), ['green'])).toEqual({ kind: 'unsure', meets: [open, OURS] });
  }); // prettier-ignore
});

test.each([
  ['*', '', true],
  ['a*c', 'abbc', true],
  ['a*c', 'abb', false],
  ['?', '', false],
  ['?b', 'ab', true],
  ['*.example.com', 'shop.example.com', true],
  ['*.example.com', 'example.com', false],
  ['a*b*', 'axxbyy', true],
  ['(a+)+', 'aaaa', false],
  [`${'*a'.repeat(40)}b`, 'a'.repeat(2_000), false],
])('a pattern %s and the text %s', (pattern, text, fits) => {
  expect(matchesWildcards(pattern, text)).toBe(fits);
});
