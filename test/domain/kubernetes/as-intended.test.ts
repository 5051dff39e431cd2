import { describe, expect, test } from '@jest/globals';
import { differenceFrom, hasOtherPods, standingOf } from '../../../src/domain/kubernetes/as-intended.ts';
import { type Fields, type KubeObject, withField } from '../../../src/domain/kubernetes/object.ts';
import { deployment, object } from './objects.ts';

const MANAGER = 'sluice-web';
const intent = withField(deployment('web', { app: 'a/b:1' }), ['metadata'], { name: 'web', namespace: 'shop' });
const CONTAINERS = {
  'k:{"name":"app"}': { '.': {}, 'f:name': {}, 'f:image': {} },
};
const owned = (containers: Fields = CONTAINERS) => ({
  manager: MANAGER,
  operation: 'Apply',
  fieldsV1: {
    'f:spec': {
      'f:replicas': {},
      'f:selector': {},
      'f:template': { 'f:metadata': { 'f:labels': { 'f:app': {} } }, 'f:spec': { 'f:containers': containers } },
    },
  },
});

/** As the server has it: with what it fills in. */
const live = (change: (object: KubeObject) => KubeObject = (same) => same, managedFields: object[] = [owned()]) =>
  change({
    ...intent,
    metadata: { ...intent.metadata, uid: 'u1', resourceVersion: '7', managedFields } as KubeObject['metadata'],
    status: { replicas: 3 },
  });
const POD = ['spec', 'template', 'spec'];

describe('a live object is', () => {
  test.each([
    ['as intended when it has the values, and the manager no others', live()],
    [
      'as intended with what the server fills in',
      live((each) => withField(each, [...POD, 'dnsPolicy'], 'ClusterFirst')),
    ],
    [
      'as intended with a sidecar of somebody else',
      live((each) =>
        withField(
          each,
          [...POD, 'containers'],
          [
            { name: 'proxy', image: 'c/d' },
            { name: 'app', image: 'a/b:1', tty: true },
          ],
        ),
      ),
    ],
  ])('%s', (_name, given) => {
    expect(standingOf(given, intent, MANAGER)).toBe('as-intended');
  });

  test.each([
    ['with another image', live((each) => withField(each, [...POD, 'containers', 0, 'image'], 'a/b:2'))],
    ['with another count', live((each) => withField(each, ['spec', 'replicas'], 4))],
    ['without a label', live((each) => withField(each, ['spec', 'selector'], {}))],
    [
      'with a field that the manager set and the intent lacks',
      live(undefined, [owned({ 'k:{"name":"app"}': { ...CONTAINERS['k:{"name":"app"}'], 'f:command': {} } })]),
    ],
    [
      'with a container that the manager put there',
      live(undefined, [owned({ ...CONTAINERS, 'k:{"name":"extra"}': { '.': {}, 'f:name': {} } })]),
    ],
  ])('different %s', (_name, given) => {
    expect(standingOf(given, intent, MANAGER)).toBe('different');
  });

  test.each([
    ['nobody of ours set it', live(undefined, [{ ...owned(), manager: 'argocd-controller' }])],
    ['we only wrote its status', live(undefined, [{ ...owned(), subresource: 'status' }])],
    [
      'fields of kubectl are not taken over yet',
      live(undefined, [owned(), { manager: 'kubectl-client-side-apply', operation: 'Update', fieldsV1: {} }]),
    ],
  ])('unowned, with the same values, when %s', (_name, given) => {
    expect(standingOf(given, intent, MANAGER)).toBe('unowned');
  });
});

describe('values are the same', () => {
  const standing = (wanted: object, there: object): string =>
    standingOf(object('v1', 'Thing', 'x', there), object('v1', 'Thing', 'x', wanted), MANAGER);

  test.each([
    [
      'a quantity in another form',
      { limits: { cpu: '0.5', memory: '1024Mi' } },
      { limits: { cpu: '500m', memory: '1Gi' } },
    ],
    ['a quantity as a number', { hard: { pods: 4 } }, { hard: { pods: '4' } }],
    ['a volume of the same size', { sizeLimit: '1000M' }, { sizeLimit: '1G' }],
    ['what is empty and left out', { env: [{ name: 'A', value: '' }], args: [] }, { env: [{ name: 'A' }] }],
    ['what is false or 0 and left out', { readOnly: false, minReadySeconds: 0 }, {}],
    [
      'entries in another order, by what they are',
      { ports: [{ port: 1 }, { port: 2 }] },
      { ports: [{ port: 2, protocol: 'TCP' }, { port: 1 }] },
    ],
  ])('of %s', (_name, wanted, there) => {
    expect(standing(wanted, there)).toBe('unowned');
  });

  test.each([
    ['data that only looks like a quantity', { data: { A: '1000m' } }, { data: { A: '1' } }],
    ['a smaller quantity', { limits: { cpu: '1' } }, { limits: { cpu: '100m' } }],
    ['a command in another order', { command: ['a', 'b'] }, { command: ['b', 'a'] }],
    ['a shorter list', { args: ['a'] }, { args: ['a', 'b'] }],
    ['a number and its text', { port: 80 }, { port: '80' }],
    ['false and true', { readOnly: false }, { readOnly: true }],
  ])('not of %s', (_name, wanted, there) => {
    expect(standing(wanted, there)).toBe('different');
  });
});

describe('what differs from a release is', () => {
  test.each([
    ['nothing, where it has its values', live(), undefined],
    [
      'nothing, where only the count is another one',
      live((each) => withField(each, ['spec', 'replicas'], 7)),
      undefined,
    ],
    [
      'the image, by name of its container',
      live((each) => withField(each, [...POD, 'containers', 0, 'image'], 'a/b:hotfix')),
      'image of app is a/b:hotfix, not a/b:1',
    ],
    ['the field', live((each) => withField(each, ['spec', 'selector'], {})), '.spec was changed'],
    [
      'what was added in its name',
      live((each) => each, [owned({ ...CONTAINERS, 'k:{"name":"more"}': { 'f:image': {} } })]),
      'labels, annotations or further fields of it were changed',
    ],
  ])('%s', (_name, given, expected) => {
    expect(differenceFrom(intent, given, MANAGER)).toBe(expected);
  });
});

describe('a workload that was changed after our write', () => {
  const PODS = ['spec', 'template', 'spec'];
  const env = (value: string) => [{ name: 'A', value }];
  const HASH = { name: 'STAKATER_C_CONFIGMAP', value: 'f00' };
  const pods = (container: object, more: readonly object[] = [], generation = 2): KubeObject => {
    const set = deployment('web', {});
    const changed = { ...set, metadata: { ...set.metadata, generation } };
    return withField(changed, PODS, { containers: [{ name: 'app', image: 'a/b:1', ...container }, ...more] });
  };
  const sent = pods({ env: env('1') });
  const written = pods({ env: env('1'), imagePullPolicy: 'Always' });

  test.each([
    ['by Reloader, which added a hash, is ours', pods({ env: [...env('1'), HASH] }, [], 3), sent, false],
    ['by an agent, which added a sidecar, is ours', pods({ env: env('1') }, [{ name: 'agent' }], 3), sent, false],
    ['by hand to another image is not', pods({ env: env('1'), image: 'a/b:hotfix' }, [], 3), sent, true],
    ['by hand to another value is not', pods({ env: env('2') }, [], 3), sent, true],
    ['by hand, which took a value away, is not', pods({}, [], 3), sent, true],
    ['in its count alone is ours', { ...written, metadata: { ...written.metadata, generation: 3 } }, sent, false],
    ['in any way is not, where our intent is not known', pods({ env: [...env('1'), HASH] }, [], 3), undefined, true],
  ])('%s', (_name, now, intent, other) => {
    expect(hasOtherPods(now, { written, intent })).toBe(other);
  });
});
