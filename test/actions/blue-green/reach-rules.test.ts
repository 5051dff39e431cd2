import { describe, expect, test } from '@jest/globals';
import { reachOfColors } from '../../../actions/blue-green/src/decide/reach.ts';
import type { ListenerRule, RuleCondition } from '../../../src/domain/shift/listener-rules.ts';
import type { Color } from '../../../src/domain/traffic-split.ts';

const header = (name: string, value: string): RuleCondition => ({ kind: 'header', name, patterns: [value] });
const SECRET = header('X-Origin-Verify', 's3cret');
const ORIGIN: RuleCondition = { kind: 'host', patterns: ['origin.example.com'] };

/** A rule for each color by `X-Color`, one for users behind them, and a default that answers by itself; each asks for more. */
const rulesWith = (more: readonly RuleCondition[], name = 'X-Color'): readonly ListenerRule[] => [
  { name: '1', conditions: [...more, header(name, 'blue')], groups: ['B'], isShifted: false },
  { name: '2', conditions: [...more, header(name, 'green')], groups: ['G'], isShifted: false },
  { name: '10', conditions: more, groups: ['B', 'G'], isShifted: true },
  { name: 'default', conditions: [], groups: [], isShifted: false },
];
const place = (rules: readonly ListenerRule[], name = 'web') => ({
  name,
  rules,
  groupsOf: (color: Color) => [color === 'blue' ? 'B' : 'G'],
});
const reached = (...rules: readonly (readonly ListenerRule[])[]) =>
  reachOfColors(
    rules.map((each, index) => place(each, `web-${index}`)),
    (color) => ({ url: 'https://shop.example.com', host: undefined, headers: { 'x-color': color } }),
  );

describe('what headers reach, told from the rules', () => {
  test('each color alone, by a rule of its own before the one of the users', () => {
    expect(reached(rulesWith([]))).toEqual({ kind: 'alone' });
  });

  test('the users by a header that no rule reads: refused', () => {
    expect(reached(rulesWith([], 'X-Colour'))).toMatchObject({ kind: 'elsewhere' });
  });

  test('the other color: refused', () => {
    const crossed = rulesWith([]).map((rule) => (rule.isShifted ? rule : { ...rule, groups: rule.groups.map((arn) => (arn === 'B' ? 'G' : 'B')) }));
    expect(reached(crossed)).toMatchObject({ kind: 'elsewhere', says: expect.stringMatching(/which leads to green/) });
    expect(reached(crossed)).not.toMatchObject({ says: expect.stringMatching(/Nothing was touched/) });
  }); // prettier-ignore

  test.each([
    { name: 'a secret that a distribution in front adds', more: [SECRET] },
    { name: 'the host that a distribution in front asks for', more: [ORIGIN] },
  ])('is not known where users do not come by these rules either: $name', ({ more }) => {
    expect(reached(rulesWith(more))).toMatchObject({
      kind: 'unsure',
      says: expect.stringMatching(/a request for blue \(x-color\) meets rule default, which leads to neither color, and nobody comes/),
    });
  }); // prettier-ignore

  test('is not known where it leads to a group of neither color', () => {
    const third = rulesWith([]).map((rule) => (rule.name === '2' ? { ...rule, groups: ['internal'] } : rule));
    expect(reached(third)).toMatchObject({ kind: 'unsure', says: expect.stringMatching(/leads to neither color/) });
  });

  test('is refused by the place that users come by, whatever another one asks for', () => {
    expect(reached(rulesWith([ORIGIN], 'X-Colour'), rulesWith([], 'X-Colour'))).toMatchObject({ kind: 'elsewhere' });
  });
});
