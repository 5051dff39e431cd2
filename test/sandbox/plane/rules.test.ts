import { describe, expect, test } from '@jest/globals';
import { seededChance } from '../../../sandbox/plane/chance.ts';
import {
  type RoutedRequest,
  drawTargetGroup,
  inOrder,
  matchesWildcard,
  ruleFor,
} from '../../../sandbox/plane/rules.ts';
import type { Condition, Rule } from '../../../sandbox/plane/types.ts';

describe('wildcards', () => {
  test.each([
    { pattern: '/api/*', text: '/api/users', matches: true },
    { pattern: '/api/*', text: '/api/', matches: true },
    { pattern: '/api/*', text: '/api', matches: false },
    { pattern: '*', text: '', matches: true },
    { pattern: '', text: '', matches: true },
    { pattern: '', text: 'a', matches: false },
    { pattern: '/?', text: '/a', matches: true },
    { pattern: '/?', text: '/', matches: false },
    { pattern: '/?', text: '/ab', matches: false },
    { pattern: '*.example.com', text: 'a.b.example.com', matches: true },
    { pattern: '*.example.com', text: 'example.com', matches: false },
    { pattern: '/a*b*c', text: '/a--b--b--c', matches: true },
    { pattern: '/a*b*c', text: '/a--b--b--', matches: false },
    { pattern: '/a.c', text: '/abc', matches: false },
    { pattern: '/Img', text: '/img', matches: false },
  ])('"$pattern" and "$text": $matches', ({ pattern, text, matches }) => {
    expect(matchesWildcard(pattern, text)).toBe(matches);
  });

  test('many stars against a long text take no time', () => {
    const before = performance.now();
    expect(matchesWildcard('*a'.repeat(50), 'a'.repeat(20_000) + 'b')).toBe(false);
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});

const request = (target: string, host: string, headers: Record<string, readonly string[]> = {}): RoutedRequest => ({
  target,
  host,
  header: (name) => headers[name] ?? [],
});

const ruleOf = (priority: Rule['priority'], ...conditions: Condition[]): Rule => ({
  arn: `rule-${priority}`,
  priority,
  conditions,
  action: { kind: 'fixed-response', status: 200, body: '' },
});

describe('rules', () => {
  const path: Condition = { field: 'path-pattern', values: ['/api/*', '/v2/*'] };
  const host: Condition = { field: 'host-header', values: ['*.Example.com'] };
  const header: Condition = { field: 'http-header', name: 'X-Candidate', values: ['green*'] };
  const rules = inOrder([ruleOf('default'), ruleOf(30, path, host), ruleOf(9, header), ruleOf(200, path)]);

  test.each([
    { name: 'the default rule', asked: request('/', 'a'), rule: 'rule-default' },
    { name: 'any value of a condition', asked: request('/v2/x', 'a'), rule: 'rule-200' },
    { name: 'only if all conditions hold', asked: request('/api/x', 'www.example.com'), rule: 'rule-30' },
    { name: 'a host whatever its case and port', asked: request('/api/x', 'WWW.example.COM:8080'), rule: 'rule-30' },
    { name: 'a path without its query', asked: request('/?x=/api/y', 'a'), rule: 'rule-default' },
    {
      name: 'the lower priority first, by number',
      asked: request('/api/x', 'www.example.com', { 'x-candidate': ['green-2'] }),
      rule: 'rule-9',
    },
    {
      name: 'any of several values of a header, whatever its case',
      asked: request('/', 'a', { 'x-candidate': ['blue', 'GREEN'] }),
      rule: 'rule-9',
    },
    { name: 'no header where none is', asked: request('/', 'a', { 'x-other': ['green'] }), rule: 'rule-default' },
  ])('match $name', ({ asked, rule }) => {
    expect(ruleFor(rules, asked)?.arn).toBe(rule);
  });
});

describe('draws', () => {
  const forward = (...weights: number[]) => ({
    kind: 'forward' as const,
    targetGroups: weights.map((weight, index) => ({ arn: `group-${index}`, weight })),
  });
  const draws = (weights: number[], count: number): (string | undefined)[] => {
    const chance = seededChance('draws');
    return Array.from({ length: count }, () => drawTargetGroup(forward(...weights), chance));
  };

  test('follow the weights, which need not add up to 100', () => {
    const first = draws([1, 3], 10_000).filter((arn) => arn === 'group-0').length;
    expect(Math.abs(first - 2_500)).toBeLessThan(4 * Math.sqrt(10_000 * 0.25 * 0.75));
  });

  test('never give a group of weight 0, wherever it stands', () => {
    expect(new Set(draws([0, 5, 0], 5_000))).toEqual(new Set(['group-1']));
  });

  test('give nothing when no group has a weight', () => {
    expect(draws([0, 0], 2)).toEqual([undefined, undefined]);
  });

  test('are the same for the same seed', () => {
    expect(draws([1, 1], 50)).toEqual(draws([1, 1], 50));
    expect(new Set(draws([1, 1], 50)).size).toBe(2);
  });
});
