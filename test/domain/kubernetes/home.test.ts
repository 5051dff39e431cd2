import { expect, test } from '@jest/globals';
import { isOwnedBy, otherHomeOf } from '../../../src/domain/kubernetes/home.ts';
import { completeObject } from '../../../src/domain/kubernetes/intent.ts';
import type { KubeObject } from '../../../src/domain/kubernetes/object.ts';

const shop = { app: 'shop', namespace: 'staging' };
const role = (metadata: object = {}): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: {
    name: 'shop',
    labels: { 'sluice.dev/app': 'shop' },
    managedFields: [{ manager: 'sluice-shop', operation: 'Apply' }],
    ...metadata,
  },
});
const of = (home: string, more: object = {}) => role({ annotations: { 'sluice.dev/home': home }, ...more });

test.each([
  ['of this namespace, by what it says', of('staging'), 'no', true],
  ['of this namespace, where it lies', role({ namespace: 'staging' }), 'no', true],
  ['of the app of that name in another namespace, though a record has it', of('production'), 'yes', false],
  ['laid here by the app of that name in another', of('production', { namespace: 'staging' }), 'yes', false],
  ['of before homes were written down, and in a record', role({ namespace: 'monitoring' }), 'yes', true],
  ['of before homes were written down, and in none', role(), 'no', false],
  ['of another app', of('staging', { labels: { 'sluice.dev/app': 'web' } }), 'yes', false],
  ['given up by our manager', of('staging', { managedFields: [] }), 'yes', false],
] as const)('an object %s', (_name, live, recorded, owned) => {
  expect(isOwnedBy(live, shop, () => recorded === 'yes')).toBe(owned);
});

test('the home of another namespace is known, and nobody else is one', () => {
  expect(
    [of('production'), of('staging'), role(), of('production', { labels: {} })].map((each) => otherHomeOf(each, shop)),
  ).toEqual(['production', undefined, undefined, undefined]);
});

test.each([
  ['of the cluster', 'ClusterRole', undefined, { namespaced: false }, 'staging'],
  ['of another namespace', 'ServiceMonitor', 'monitoring', { namespaced: true }, 'staging'],
  ['of its own', 'ConfigMap', undefined, { namespaced: true }, undefined],
  ['that is never deleted', 'CustomResourceDefinition', undefined, { namespaced: false }, undefined],
] as const)('an object %s says its home where nothing else does', (_name, kind, namespace, resource, home) => {
  const metadata = { name: 'x', ...(namespace === undefined ? {} : { namespace }) };
  const completion = { ...shop, restartOnConfig: 'no', sha256: (text: string) => text } as const;
  const made = completeObject({ apiVersion: 'example.com/v1', kind, metadata }, resource, completion);
  expect(made.metadata.annotations?.['sluice.dev/home']).toBe(home);
});

test.each([
  ['Namespace', undefined],
  ['CustomResourceDefinition', undefined],
  ['PersistentVolumeClaim', undefined],
  ['ConfigMap', 'shop'],
])('a %s bears the label of its app where it may be deleted: %s', (kind, app) => {
  const completion = { ...shop, restartOnConfig: 'no', sha256: (text: string) => text } as const;
  const made = completeObject({ apiVersion: 'v1', kind, metadata: { name: 'x' } }, { namespaced: true }, completion);
  expect(made.metadata.labels?.['sluice.dev/app']).toBe(app);
});
