import { describe, expect, test } from '@jest/globals';
import { after, instant, seconds } from '../../../src/domain/duration.ts';
import { phaseOf } from '../../../src/domain/kubernetes/phases.ts';
import { readinessOf } from '../../../src/domain/kubernetes/readiness.ts';
import { object } from './objects.ts';

const WRITTEN = instant(Date.parse('2026-01-01T10:00:00Z'));
const at = (count: number) => ({
  generation: 2,
  waitsSince: WRITTEN,
  now: after(WRITTEN, seconds(count)),
});
const condition = (type: string, status: string, time?: string) => ({
  type,
  status,
  reason: 'Told',
  message: 'why',
  observedGeneration: 2,
  ...(time === undefined ? {} : { lastTransitionTime: `2026-01-01T${time}Z` }),
});
const shop = (conditions: readonly object[]) => ({
  ...object('example.com/v1', 'Shop', 'x', { status: { conditions } }),
  metadata: { name: 'x', generation: 2 },
});
const route = (conditions: readonly object[], kind = 'HTTPRoute') => ({
  ...object('gateway.networking.k8s.io/v1', kind, 'x', { status: { parents: [{ conditions }] } }),
  metadata: { name: 'x', generation: 2 },
});
const accepted = condition('Accepted', 'True', '10:00:01');
const degraded = (time?: string) => shop([condition('Degraded', 'True', time), condition('Available', 'False', time)]);

describe('what a controller complains of', () => {
  test.each([
    ['of a route is waited over at first', route([accepted, condition('ResolvedRefs', 'False', '10:00:01')]), 5],
    ['of an operator is waited over at first', degraded('10:00:01'), 5],
    ['from before our write is waited over too', degraded('09:00:00'), 5],
    ['without a time is waited over from our write on', degraded(), 29],
    ['since a moment ago is waited over, however long the wait', degraded('10:05:00'), 310],
  ])('%s', (_name, given, after) => {
    expect(readinessOf(given, at(after)).kind).toBe('waiting');
  });

  test.each([
    ['of a route', route([accepted, condition('ResolvedRefs', 'False', '10:00:01')])],
    ['of a route of TCP', route([condition('Accepted', 'False', '10:00:01')], 'TCPRoute')],
    ['of an operator', degraded('10:00:01')],
    ['from before our write', degraded('09:00:00')],
    ['without a time', degraded()],
    ['by a clock that is ahead', degraded('23:00:00')],
  ])('%s counts when it has stood for half a minute', (_name, given) => {
    expect(readinessOf(given, at(31))).toEqual({ kind: 'bad', why: 'Told: why' });
  });

  test('is taken as it is by who does not wait', () => {
    expect(readinessOf(degraded('10:00:01'), { generation: 2, now: WRITTEN }).kind).toBe('bad');
  });

  test('of one gateway counts though another has not looked yet', () => {
    const wrong = { conditions: [condition('Accepted', 'False', '10:00:01')] };
    const given = { ...route([]), status: { parents: [{ conditions: [] }, wrong] } };
    expect(readinessOf(given, at(31)).kind).toBe('bad');
  });
});

test.each([
  ['GatewayClass', 'config'],
  ['ReferenceGrant', 'config'],
  ['Gateway', 'services'],
  ['TLSRoute', 'routes'],
])('a %s is applied in the phase %s, before what needs it', (kind, phase) => {
  expect(phaseOf(object('gateway.networking.k8s.io/v1', kind, 'x'))).toBe(phase);
});
