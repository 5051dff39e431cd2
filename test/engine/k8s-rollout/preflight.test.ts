import { expect, test } from '@jest/globals';
import { countsAtRisk } from '../../../src/engine/k8s-rollout/preflight.ts';
import { deployment } from '../../domain/kubernetes/objects.ts';

const web = deployment('web', {});
const { replicas: _count, ...spec } = web['spec'] as Record<string, unknown>;
const uncounted = { ...web, spec };
const owner = { manager: 'sluice-web', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:replicas': {} } } };
const live = { ...web, metadata: { ...web.metadata, managedFields: [owner] } };
const unseen = { unseen: new Set(['shop']), ref: { app: 'web', namespace: 'shop' } };

test('a count that would fall to one is told where autoscalers may not be listed', () => {
  expect(countsAtRisk([{ object: uncounted, live }], unseen)).toEqual([
    'Deployment shop/web falls from 3 pods to 1: its manifest has no replicas any more, and whether an autoscaler rules them is not known (list horizontalpodautoscalers.autoscaling is missing in namespace shop). Grant the right, which mode: rbac prints, or write replicas',
  ]);
});

test.each([
  ['where they may be', { object: uncounted, live }, { ...unseen, unseen: new Set<string>() }],
  ['of one that an autoscaler of the set rules', { object: uncounted, live, scaled: 'by-autoscaler' as const }, unseen],
  ['where the manifest has a count', { object: web, live }, unseen],
  ['of a new one', { object: uncounted, live: undefined }, unseen],
])('nothing is told of a count %s', (_name, prepared, context) => {
  expect(countsAtRisk([prepared], context)).toEqual([]);
});
