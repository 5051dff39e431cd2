import { expect, test } from '@jest/globals';
import type { RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2';
import { conditionsOf } from '../../../src/adapters/traffic/alb-rules.ts';

const HEADER = { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'x-color', Values: ['green'] } };
const COLOR = { kind: 'header', name: 'x-color', patterns: ['green'] };

test.each([
  { name: 'each path', given: { Field: 'path-pattern', PathPatternConfig: { Values: ['/*'] } }, gives: [] },
  { name: 'each path, as older answers say it', given: { Field: 'path-pattern', Values: ['/hub', '*'] }, gives: [] },
  { name: 'each source of one kind', given: { Field: 'source-ip', SourceIpConfig: { Values: ['0.0.0.0/0'] } }, gives: [{ kind: 'open', field: 'source-ip' }] },
  { name: 'some paths', given: { Field: 'path-pattern', PathPatternConfig: { Values: ['/hub/*'] } }, gives: [{ kind: 'open', field: 'path-pattern' }] },
  { name: 'a host without expressions', given: { Field: 'host-header', HostHeaderConfig: { Values: ['a.example.com'], RegexValues: [] } }, gives: [{ kind: 'host', patterns: ['a.example.com'] }] },
  { name: 'a host by expression', given: { Field: 'host-header', HostHeaderConfig: { RegexValues: ['^a'] } }, gives: [{ kind: 'open', field: 'host-header' }] },
  { name: 'a header by expression', given: { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'x', RegexValues: ['^a'] } }, gives: [{ kind: 'open', field: 'http-header' }] },
])('a condition on $name, beside a header', ({ given, gives }: { given: RuleCondition; gives: readonly unknown[] }) => {
  expect(conditionsOf([HEADER, given])).toEqual([COLOR, ...gives]);
}); // prettier-ignore
