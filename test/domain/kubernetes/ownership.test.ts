import { describe, expect, test } from '@jest/globals';
import {
  conflictsOf,
  judgeConflicts,
  restrictTo,
  stepsOf,
  takeOver,
  without,
} from '../../../src/domain/kubernetes/ownership.ts';
import { deployment } from './objects.ts';

const web = deployment('web', { app: 'a/b:1', proxy: 'c/d:1' });
const context = { policy: 'fail', scaled: 'by-hand', held: 'no' } as const;

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
      { ...context, held: 'yes' as const },
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
  expect(restrictTo(intent, before)).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { replicas: 9 },
  });
});
