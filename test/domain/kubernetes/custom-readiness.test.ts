import { describe, expect, test } from '@jest/globals';
import { after, instant, seconds } from '../../../src/domain/duration.ts';
import { phaseOf } from '../../../src/domain/kubernetes/phases.ts';
import { readinessOf } from '../../../src/domain/kubernetes/readiness.ts';
import { readAggregated, readResourceList } from '../../../src/domain/kubernetes/resource.ts';
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

const fresh = (status?: object, creationTimestamp = '2026-01-01T09:59:59Z') => ({
  ...object('example.com/v1', 'Shop', 'x', { status }),
  metadata: { name: 'x', generation: 2, creationTimestamp },
});
const served = { status: 'served' } as const;
const UNPROVEN = { kind: 'ready', note: 'nobody set a status within 30s', unproven: 'yes' };
const UNSET = { kind: 'ready', note: 'nobody has set a status' };

describe('a custom resource without a status', () => {
  test.each([
    ['waits for its controller at first', fresh(), { ...at(5), ...served }, 'waiting'],
    ['waits for it with an empty one too', fresh({}), { ...at(5), ...served }, 'waiting'],
    ['is ready after half a minute, and unproven', fresh(), { ...at(31), ...served }, UNPROVEN],
    [
      'that stood so before the release is ready',
      fresh(undefined, '2026-01-01T09:00:00Z'),
      { ...at(5), ...served },
      UNSET,
    ],
    ['of a kind that has none is ready', fresh(), at(5), UNSET],
    ['is ready for who does not wait', fresh(), { generation: 2, now: WRITTEN, ...served }, UNSET],
  ])('%s', (_name, given, around, expected) => {
    const kind = expected === 'waiting' ? { kind: 'waiting', for: 'its controller to set a status' } : expected;
    expect(readinessOf(given, around)).toEqual(kind);
  });
});

describe('a custom resource whose status has no condition Ready or Available', () => {
  test.each([
    ['waits while it is not synced', { conditions: [condition('Synced', 'False')] }, 'waiting'],
    ['is ready when it is synced', { conditions: [condition('Synced', 'True')] }, 'ready'],
    [
      'waits while it is not synced, ready as it is',
      { conditions: [condition('Ready', 'True'), condition('Synced', 'False')] },
      'waiting',
    ],
    [
      'waits while it is reconciled',
      { conditions: [condition('Reconciling', 'True'), condition('Ready', 'True')] },
      'waiting',
    ],
    ['is bad by its health', { health: { status: 'Degraded' } }, 'bad'],
    ['waits for what is not there yet', { health: { status: 'Missing' } }, 'waiting'],
    ['waits while it is synced', { health: { status: 'Degraded' }, operationState: { phase: 'Running' } }, 'waiting'],
    ['waits for its health', { health: { status: 'Progressing' } }, 'waiting'],
    ['is ready by its health', { health: { status: 'Healthy' }, sync: { status: 'OutOfSync' } }, 'ready'],
    ['is bad by its phase', { phase: 'Failed', message: 'why' }, 'bad'],
    ['is ready with a phase of its own', { phase: 'Cluster in healthy state' }, 'ready'],
    [
      'waits for the generation that its controller writes as text',
      { observedGeneration: '1', phase: 'Done' },
      'waiting',
    ],
  ])('%s', (_name, status, expected) => {
    expect(readinessOf(fresh(status), at(31)).kind).toBe(expected);
  });
});

test.each([
  [
    'discovery of one document',
    readAggregated({
      kind: 'APIGroupDiscoveryList',
      items: [
        {
          metadata: { name: 'example.com' },
          versions: [
            {
              version: 'v1',
              resources: [
                { resource: 'shops', responseKind: { kind: 'Shop' }, subresources: [{ subresource: 'status' }] },
                { resource: 'carts', responseKind: { kind: 'Cart' }, subresources: [{ subresource: 'scale' }] },
              ],
            },
          ],
        },
      ],
    }) ?? [],
  ],
  [
    'discovery of one version',
    readResourceList({
      groupVersion: 'example.com/v1',
      resources: [
        { name: 'shops', kind: 'Shop' },
        { name: 'shops/status', kind: 'Shop' },
        { name: 'carts', kind: 'Cart' },
        { name: 'carts/scale', kind: 'Cart' },
      ],
    }),
  ],
])('%s says which kinds have a status', (_name, resources) => {
  expect(resources.map(({ kind, status }) => [kind, status])).toEqual([
    ['Shop', 'served'],
    ['Cart', undefined],
  ]);
});

test.each([
  ['GatewayClass', 'config'],
  ['ReferenceGrant', 'config'],
  ['Gateway', 'services'],
  ['TLSRoute', 'routes'],
])('a %s is applied in the phase %s, before what needs it', (kind, phase) => {
  expect(phaseOf(object('gateway.networking.k8s.io/v1', kind, 'x'))).toBe(phase);
});
