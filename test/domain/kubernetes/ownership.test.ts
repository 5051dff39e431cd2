import { describe, expect, test } from '@jest/globals';
import {
  conflictsOf,
  imagesAmong,
  afterTakeOver,
  imageGivenUp,
  judgeConflicts,
  restrictTo,
  stepsOf,
  takeOver,
  without,
  withoutRuledCount,
} from '../../../src/domain/kubernetes/ownership.ts';
import { BOUNDS_ANNOTATION } from '../../../src/domain/kubernetes/scaling.ts';
import { deployment, object } from './objects.ts';

const web = deployment('web', { app: 'a/b:1', proxy: 'c/d:1' });
const context = { policy: 'fail', scaled: 'by-hand', live: web } as const;
const heldByHand = { ...web, metadata: { ...web.metadata, annotations: { [BOUNDS_ANNOTATION]: '2..6' } } };
const owned = (...owners: readonly (readonly [manager: string, operation: string, fieldsV1: object])[]) => ({
  ...web,
  metadata: {
    ...web.metadata,
    managedFields: owners.map(([manager, operation, fieldsV1]) => ({ manager, operation, fieldsV1 })),
  },
});
const byKubectl = owned(
  ['kubectl-client-side-apply', 'Update', {}],
  ['sluice-restore', 'Apply', {}],
  ['kubectl-edit', 'Update', {}],
);

describe('a conflict', () => {
  test('is read by manager and field', () => {
    const cause = {
      reason: 'FieldManagerConflict',
      message: 'conflict with "kubectl-edit" using apps/v1',
      field: '.spec.replicas',
    };
    expect(conflictsOf([cause, { reason: 'Other', message: '', field: '' }])).toEqual([
      { manager: 'kubectl-edit', field: '.spec.replicas' },
    ]);
  });

  test('is read with the part that was written by', () => {
    const message = 'conflict with "kubectl" with subresource "scale" using apps/v1';
    const cause = { reason: 'FieldManagerConflict', message, field: '.spec.replicas' };
    expect(conflictsOf([cause])).toEqual([{ manager: 'kubectl', field: '.spec.replicas', subresource: 'scale' }]);
  });

  test.each([
    [
      'of the count of an autoscaler is given in to',
      { manager: 'kube-controller-manager', field: '.spec.replicas' },
      context,
      'yielded',
    ],
    [
      'of the count of a scaled workload is, whoever set it',
      { manager: 'someone', field: '.spec.replicas' },
      { ...context, scaled: 'by-autoscaler' as const },
      'yielded',
    ],
    [
      'of a count that was set by kubectl scale is given in to',
      { manager: 'kubectl', field: '.spec.replicas', subresource: 'scale' },
      context,
      'yielded',
    ],
    [
      'of a count that was set by kubectl patch stops',
      { manager: 'kubectl-patch', field: '.spec.replicas' },
      context,
      'left',
    ],
    [
      'with what kubectl apply wrote is none: it is taken over',
      { manager: 'kubectl-client-side-apply', field: '.data.a' },
      { ...context, live: byKubectl },
      'taken',
    ],
    [
      'with what a restore wrote is none, and is not given up',
      { manager: 'sluice-restore', field: '.data.a' },
      { ...context, policy: 'yield' as const, live: byKubectl },
      'taken',
    ],
    [
      'of the count of a scaled workload is given in to, though kubectl apply wrote it',
      { manager: 'kubectl-client-side-apply', field: '.spec.replicas' },
      { ...context, scaled: 'by-autoscaler' as const, live: byKubectl },
      'yielded',
    ],
    ...['set', 'patch', 'edit', 'label', 'annotate'].map(
      (verb) =>
        [
          `with what somebody changed by kubectl ${verb} stops, though kubectl apply wrote the rest`,
          { manager: `kubectl-${verb}`, field: '.data.a' },
          { ...context, live: byKubectl },
          'left',
        ] as const,
    ),
    ['of another field stops', { manager: 'argocd-controller', field: '.spec.template' }, context, 'left'],
    [
      'is given in to when asked',
      { manager: 'argocd-controller', field: '.spec.template' },
      { ...context, policy: 'yield' as const },
      'yielded',
    ],
    [
      'is taken when asked',
      { manager: 'argocd-controller', field: '.spec.template' },
      { ...context, policy: 'force' as const },
      'taken',
    ],
    [
      'with bounds that are held by hand is given in to',
      { manager: 'sluice-scale', field: '.spec.minReplicas' },
      { ...context, live: heldByHand },
      'yielded',
    ],
    [
      'with bounds that are in force again is taken',
      { manager: 'sluice-scale', field: '.spec.minReplicas' },
      context,
      'taken',
    ],
  ])('%s', (_name, conflict, given, where) => {
    const verdict = judgeConflicts([conflict], given);
    expect(verdict).toEqual({ yielded: [], taken: [], left: [], [where]: [conflict] });
  });
});

describe('a field of a conflict', () => {
  test('is found in a list by its keys', () => {
    expect(stepsOf('.spec.template.spec.containers[name="proxy"].image', web)).toEqual([
      'spec',
      'template',
      'spec',
      'containers',
      1,
      'image',
    ]);
    expect(stepsOf('.spec.nothing', web)).toBeUndefined();
  });

  const odd = object('v1', 'ConfigMap', 'odd', {
    data: { application: '1', 'application.yml': '2', 'a[0].b': '3' },
    ports: [
      { port: 80, targetPort: 8080 },
      { port: 80, protocol: 'UDP' },
    ],
    finalizers: ['a/b', 'c.d/e'],
  });
  test.each([
    ['whose name has dots', '.data.application.yml', ['data', 'application.yml']],
    ['whose name is the beginning of another', '.data.application', ['data', 'application']],
    ['whose name has brackets', '.data.a[0].b', ['data', 'a[0].b']],
    ['by a key that the server filled in', '.ports[port=80,protocol="TCP"].targetPort', ['ports', 0, 'targetPort']],
    ['by keys that are all there', '.ports[port=80,protocol="UDP"].port', ['ports', 1, 'port']],
    ['that is a value', '.finalizers[="c.d/e"]', ['finalizers', 1]],
    ['by its place', '.finalizers[0]', ['finalizers', 0]],
    ['that is not there', '.ports[port=81].targetPort', undefined],
    ['beyond the list', '.finalizers[2]', undefined],
  ])('is found %s', (_name, field, steps) => {
    expect(stepsOf(field, odd)).toEqual(steps);
  });

  test('that is not there leaves the very same object, so that nobody asks for ever', () => {
    expect(without(odd, [{ manager: 'x', field: '.data.nothing' }])).toBe(odd);
  });

  test('that is an entry of a list goes with its place', () => {
    const left = without(odd, [{ manager: 'x', field: '.finalizers[="a/b"]' }]);
    expect(left['finalizers']).toEqual(['c.d/e']);
  });

  test('goes from the intent, and nothing else does', () => {
    const left = without(web, [{ manager: 'x', field: '.spec.template.spec.containers[name="proxy"].image' }]);
    expect(left).toEqual(
      deployment(
        'web',
        { app: 'a/b:1' },
        {
          template: {
            ...(web['spec'] as { template: object }).template,
            spec: { containers: [{ name: 'app', image: 'a/b:1' }, { name: 'proxy' }] },
          },
        },
      ),
    );
  });
});

describe('ownership of client-side apply', () => {
  const live = {
    ...web,
    metadata: {
      ...web.metadata,
      resourceVersion: '7',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
      managedFields: [
        {
          manager: 'kubectl-client-side-apply',
          operation: 'Update',
          apiVersion: 'apps/v1',
          fieldsV1: { 'f:spec': { 'f:replicas': {} } },
        },
        {
          manager: 'kube-controller-manager',
          operation: 'Update',
          subresource: 'status',
          fieldsV1: { 'f:status': {} },
        },
      ],
    },
  };

  test('becomes ours, guarded by the version that was read', () => {
    expect(takeOver(live, 'sluice-web')).toEqual([
      { op: 'test', path: '/metadata/resourceVersion', value: '7' },
      {
        op: 'replace',
        path: '/metadata/managedFields',
        value: [
          live.metadata.managedFields[1],
          {
            manager: 'sluice-web',
            operation: 'Apply',
            apiVersion: 'apps/v1',
            fieldsV1: { 'f:spec': { 'f:replicas': {} } },
          },
        ],
      },
      { op: 'remove', path: '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration' },
    ]);
  });

  test('is left alone where there is none', () => {
    expect(takeOver(web, 'sluice-web')).toBeUndefined();
  });
});

test('what was there before is put back in the fields that were touched, and in no other', () => {
  const before = { ...web, spec: { ...(web['spec'] as object), replicas: 9, paused: false }, status: { x: 1 } };
  const intent = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', labels: { a: 'b' } },
    spec: { replicas: 3, minReadySeconds: 5 },
  };
  expect(restrictTo(intent, before, 'sluice-web')).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { replicas: 9 },
  });
});

describe('what is taken over', () => {
  const fields = {
    'f:data': { 'f:a': {}, 'f:gone': {}, 'f:shared': {} },
    'f:selector': {},
    'f:ports': {
      '.': {},
      'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} },
      'k:{"port":81}': { '.': {}, 'f:port': {} },
    },
    'f:rules': { 'f:first': {} },
  };
  const others = { 'f:data': { 'f:shared': {}, 'f:theirs': {} }, 'f:selector': {} };
  const managedFields = [
    { manager: 'kubectl-client-side-apply', operation: 'Update', fieldsV1: fields },
    { manager: 'somebody', operation: 'Update', fieldsV1: others },
  ];
  const plain = object('v1', 'Odd', 'odd', {
    data: { a: '1', gone: 'yes', shared: 'yes', theirs: 'yes' },
    selector: { app: 'a', tier: 'b' },
    ports: [{ port: 80, protocol: 'TCP', targetPort: 8080 }, { port: 81 }],
    rules: { first: 1, filledIn: 2 },
  });
  const live = { ...plain, metadata: { ...plain.metadata, managedFields } };
  const intent = object('v1', 'Odd', 'odd', { data: { a: '2' }, selector: { app: 'a' }, ports: [{ port: 80 }] });

  test('and let go comes back with the rest, and nothing else does', () => {
    const { theirs: _theirs, ...data } = plain['data'] as Record<string, string>;
    const { filledIn: _filledIn, ...rules } = plain['rules'] as Record<string, number>;
    expect(restrictTo(intent, live, 'sluice-web')).toEqual({
      ...plain,
      metadata: { name: 'odd', namespace: plain.metadata.namespace },
      data,
      rules,
    });
  });

  test('was ours before, or is now: both come back', () => {
    const ours = {
      ...live,
      metadata: {
        ...live.metadata,
        managedFields: [{ ...managedFields[0], manager: 'sluice-web', operation: 'Apply' }],
      },
    };
    expect(restrictTo(intent, ours, 'sluice-web')['data']).toEqual({ a: '1', gone: 'yes', shared: 'yes' });
    expect(restrictTo(intent, ours, 'sluice-other')['data']).toEqual({ a: '1' });
  });

  test('goes where neither the intent nor anybody else has it', () => {
    expect(afterTakeOver(live, { live, intent, manager: 'sluice-web' })).toEqual({
      ...live,
      data: { a: '1', shared: 'yes', theirs: 'yes' },
      ports: [{ port: 80, protocol: 'TCP', targetPort: 8080 }],
      rules: undefined,
    });
  });
});

test.each([
  ['goes where an autoscaler runs another one', 3, 7, undefined],
  ['stays where it is the one that runs', 3, 3, 3],
  ['stays where the autoscaler is off, with none', 3, 0, 3],
])('the count of an intent %s', (_name, wanted, now, left) => {
  const [intent, live] = [wanted, now].map((replicas) => ({ ...web, spec: { replicas } }));
  expect(withoutRuledCount(intent ?? web, live ?? web)['spec']).toEqual(left === undefined ? {} : { replicas: left });
});

test('an image that would be left to others is found among the fields, whatever stands around it', () => {
  const image = { manager: 'somebody', field: '.spec.template.spec.containers[name="web"].image' };
  const init = { manager: 'somebody', field: '.spec.template.spec.initContainers[name="a.b"].image' };
  const others = [
    { manager: 'somebody', field: '.spec.replicas' },
    { manager: 'somebody', field: '.data.image' },
    { manager: 'somebody', field: '.spec.template.spec.containers[name="web"].imagePullPolicy' },
  ];
  expect(imagesAmong([...others, image, init])).toEqual([image, init]);
  expect(imageGivenUp(others)).toBeUndefined();
  expect(imageGivenUp([...others, init])).toContain(`would leave its image to somebody (${init.field})`);
});
