import { describe, expect, test } from '@jest/globals';
import { instant } from '../../../src/domain/duration.ts';
import { readinessOf } from '../../../src/domain/kubernetes/readiness.ts';
import { deployment, object } from './objects.ts';

const around = { generation: 2, now: instant(0) };
const condition = (type: string, status: string, reason = '', message = '') => ({ type, status, reason, message });

describe('a Deployment', () => {
  const done = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3 };
  test.each([
    ['is ready when all pods are new and available', done, { kind: 'ready' }],
    [
      'is not ready by the status of an older generation',
      { ...done, observedGeneration: 1 },
      { kind: 'waiting', for: 'its controller to see the change' },
    ],
    ['waits for new pods', { ...done, updatedReplicas: 1 }, { kind: 'waiting', for: 'new pods: 1 of 3 are made' }],
    ['waits for old pods to end', { ...done, replicas: 4 }, { kind: 'waiting', for: '1 old pods to end' }],
    [
      'waits for new pods to be available',
      { ...done, availableReplicas: 2 },
      { kind: 'waiting', for: '2 of 3 new pods available' },
    ],
    [
      'is bad when its progress deadline passed',
      {
        ...done,
        availableReplicas: 0,
        conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded', 'timed out')],
      },
      { kind: 'bad', why: 'ProgressDeadlineExceeded: timed out' },
    ],
    [
      'is bad when a quota refuses its pods',
      {
        ...done,
        updatedReplicas: 0,
        conditions: [condition('ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota')],
      },
      { kind: 'bad', why: 'FailedCreate: exceeded quota' },
    ],
  ])('%s', (_name, status, expected) => {
    expect(readinessOf({ ...deployment('web', { app: 'a/b:1' }), status }, around)).toEqual(expected);
  });

  test('that is paused is never ready', () => {
    expect(readinessOf({ ...deployment('web', {}, { paused: true }), status: done }, around).kind).toBe('bad');
  });
});

describe('a Deployment whose pods a quota refuses', () => {
  const judge = (revision: string, spec: object, status: object, progress: string) => {
    const web = deployment('web', { app: 'a/b:1' }, { replicas: 4, ...spec });
    const annotations = { 'deployment.kubernetes.io/revision': revision };
    const conditions = [
      condition('ReplicaFailure', 'True', 'FailedCreate', 'pods "web" is forbidden: exceeded quota: few'),
      condition('Progressing', 'True', progress),
    ];
    const seen = { observedGeneration: 2, availableReplicas: 3, conditions, ...status };
    return readinessOf({ ...web, metadata: { ...web.metadata, annotations }, status: seen }, around).kind;
  };
  const none = { strategy: { rollingUpdate: { maxUnavailable: 0 } } };
  const early = { replicas: 4, updatedReplicas: 0 };
  const late = { replicas: 3, updatedReplicas: 3 };
  const done = 'NewReplicaSetAvailable';
  test.each([
    ['waits while old pods make room', '2', {}, early, done, 'waiting'],
    ['waits for the last old one to end', '2', {}, late, 'ReplicaSetUpdated', 'waiting'],
    ['is bad where none may miss', '2', none, early, done, 'bad'],
    ['is bad at its first rollout', '1', {}, late, 'ReplicaSetUpdated', 'bad'],
    ['is bad where it was only scaled', '2', {}, late, done, 'bad'],
  ])('%s', (_name, revision, spec, status, progress, kind) => {
    expect(judge(revision, spec, status, progress)).toBe(kind);
  });
});

describe('a progress deadline that had passed before our write', () => {
  const passed = (lastUpdateTime: string, observedGeneration: number) => ({
    ...deployment('web', { app: 'a/b:1' }),
    status: {
      observedGeneration,
      replicas: 3,
      updatedReplicas: 3,
      availableReplicas: 2,
      conditions: [{ ...condition('Progressing', 'False', 'ProgressDeadlineExceeded'), lastUpdateTime }],
    },
  });
  test.each([
    ['says nothing of it', passed('10:00', 1), '10:00', 'waiting'],
    ['is told from one that passed since', passed('10:00', 1), '10:05', 'bad'],
    ['says what it says where our write changed nothing', passed('10:00', 2), '10:00', 'bad'],
  ])('%s', (_name, written, now, expected) => {
    expect(readinessOf(passed(now, 2), { ...around, written }).kind).toBe(expected);
  });
});

describe('pods that could not be made before our write', () => {
  const refused = (lastUpdateTime: string, observedGeneration: number, availableReplicas = 2) => ({
    ...deployment('web', { app: 'a/b:1' }),
    status: {
      observedGeneration,
      replicas: 3,
      updatedReplicas: 3,
      availableReplicas,
      conditions: [{ ...condition('ReplicaFailure', 'True', 'FailedCreate'), lastUpdateTime }],
    },
  });
  test.each([
    ['say nothing of it', refused('10:00', 2), refused('10:00', 1), 'waiting'],
    ['keep nothing from being ready', refused('10:00', 2, 3), refused('10:00', 1), 'ready'],
    [
      'are told from those that could not be made again, after they could',
      refused('10:05', 2),
      refused('10:00', 1),
      'bad',
    ],
    ['say what they say where our write changed nothing', refused('10:00', 2), refused('10:00', 2), 'bad'],
  ])('%s', (_name, now, written, expected) => {
    expect(readinessOf(now, { ...around, written }).kind).toBe(expected);
  });
});

describe('a quota that was full before our write', () => {
  const failure = { ...condition('ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota'), lastUpdateTime: '10:00' };
  const web = (observedGeneration: number) => ({
    ...deployment('web', { app: 'a/b:1' }),
    // The controller leaves it alone while its reason is the same.
    status: { observedGeneration, replicas: 2, updatedReplicas: 0, availableReplicas: 2, conditions: [failure] },
  });
  const replicaSet = (desired: string, observedGeneration: number, conditions: readonly object[]) => ({
    ...object('apps/v1', 'ReplicaSet', 'web-2', { status: { observedGeneration, conditions } }),
    metadata: {
      name: 'web-2',
      generation: 2,
      annotations: { 'deployment.kubernetes.io/desired-replicas': desired },
    },
  });
  test.each([
    ['refuses our pods too, as their ReplicaSet says', replicaSet('3', 2, [failure]), 'bad'],
    ['has room for our pods', replicaSet('3', 2, []), 'waiting'],
    ['is not known to refuse before their ReplicaSet was looked at', replicaSet('3', 1, [failure]), 'waiting'],
    ['is not known to refuse before their ReplicaSet has its count', replicaSet('2', 2, [failure]), 'waiting'],
    ['says nothing of a way back', undefined, 'waiting'],
  ])('%s', (_name, current, expected) => {
    const seen = current === undefined ? {} : { current };
    expect(readinessOf(web(2), { ...around, written: web(1), ...seen }).kind).toBe(expected);
  });
});

describe('other kinds', () => {
  test.each([
    ['a running Job is not ready', object('batch/v1', 'Job', 'x', { status: { active: 1 } }), 'waiting'],
    [
      'a complete Job is',
      object('batch/v1', 'Job', 'x', { status: { conditions: [condition('Complete', 'True')] } }),
      'ready',
    ],
    [
      'a failed Job is bad',
      object('batch/v1', 'Job', 'x', { status: { conditions: [condition('Failed', 'True', 'BackoffLimitExceeded')] } }),
      'bad',
    ],
    [
      'a claim that waits for its first pod is fine',
      object('v1', 'PersistentVolumeClaim', 'x', { status: { phase: 'Pending' } }),
      'ready',
    ],
    ['a lost claim is bad', object('v1', 'PersistentVolumeClaim', 'x', { status: { phase: 'Lost' } }), 'bad'],
    [
      'a load balancer without an address waits',
      object('v1', 'Service', 'x', { spec: { type: 'LoadBalancer' } }),
      'waiting',
    ],
    [
      'a load balancer with a host name is ready',
      object('v1', 'Service', 'x', {
        spec: { type: 'LoadBalancer' },
        status: { loadBalancer: { ingress: [{ hostname: 'lb.example.com' }] } },
      }),
      'ready',
    ],
    ['a failed Pod is bad', object('v1', 'Pod', 'x', { status: { phase: 'Failed' } }), 'bad'],
    ['a Pod without its condition waits', object('v1', 'Pod', 'x', { status: { phase: 'Running' } }), 'waiting'],
    [
      'a definition whose names are taken is bad',
      object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'x', {
        status: { conditions: [condition('NamesAccepted', 'False', 'ListKindConflict')] },
      }),
      'bad',
    ],
    [
      'a budget reports and never blocks',
      object('policy/v1', 'PodDisruptionBudget', 'x', { status: { currentHealthy: 0, desiredHealthy: 2 } }),
      'ready',
    ],
    [
      'an autoscaler without metrics never blocks',
      object('autoscaling/v2', 'HorizontalPodAutoscaler', 'x', {
        status: { conditions: [condition('ScalingActive', 'False', 'FailedGetResourceMetric')] },
      }),
      'ready',
    ],
    ['a route that nobody took waits', object('gateway.networking.k8s.io/v1', 'HTTPRoute', 'x'), 'waiting'],
    [
      'a stalled custom resource is bad',
      object('example.com/v1', 'Shop', 'x', { status: { conditions: [condition('Stalled', 'True', 'Broken')] } }),
      'bad',
    ],
    [
      'a custom resource that is not ready waits',
      object('example.com/v1', 'Shop', 'x', { status: { conditions: [condition('Ready', 'False', 'Making')] } }),
      'waiting',
    ],
    ['a ConfigMap is ready', object('v1', 'ConfigMap', 'x'), 'ready'],
    [
      'a custom resource whose condition is of an older generation waits',
      object('cert-manager.io/v1', 'Certificate', 'x', {
        metadata: { name: 'x', generation: 2 },
        status: { conditions: [{ ...condition('Ready', 'True'), observedGeneration: 1 }] },
      }),
      'waiting',
    ],
    [
      'a custom resource whose trouble is of an older generation waits',
      object('example.com/v1', 'Shop', 'x', {
        metadata: { name: 'x', generation: 2 },
        status: {
          conditions: [
            { ...condition('Stalled', 'True'), observedGeneration: 1 },
            { ...condition('Ready', 'False'), observedGeneration: 2 },
          ],
        },
      }),
      'waiting',
    ],
    [
      'a ReplicaSet by itself waits for its pods',
      object('apps/v1', 'ReplicaSet', 'x', {
        spec: { replicas: 2 },
        status: { observedGeneration: 2, availableReplicas: 1 },
      }),
      'waiting',
    ],
    [
      'an API service that answers is ready',
      object('apiregistration.k8s.io/v1', 'APIService', 'x', {
        status: { conditions: [condition('Available', 'True', 'Passed')] },
      }),
      'ready',
    ],
    [
      'an API service that does not waits',
      object('apiregistration.k8s.io/v1', 'APIService', 'x', {
        status: { conditions: [condition('Available', 'False', 'MissingEndpoints')] },
      }),
      'waiting',
    ],
    [
      'a snapshot that is being made waits',
      object('snapshot.storage.k8s.io/v1', 'VolumeSnapshot', 'x', { status: { readyToUse: false } }),
      'waiting',
    ],
    [
      'a snapshot that is made is ready',
      object('snapshot.storage.k8s.io/v1', 'VolumeSnapshot', 'x', { status: { readyToUse: true } }),
      'ready',
    ],
  ])('%s', (_name, given, expected) => {
    expect(readinessOf(given, around).kind).toBe(expected);
  });

  const onDelete = { updateStrategy: { type: 'OnDelete' } };
  const partition = (count: number) => ({ updateStrategy: { rollingUpdate: { partition: count } } });
  const seen = { observedGeneration: 2, replicas: 2, readyReplicas: 2 };
  const two = { ...seen, updatedReplicas: 2 };
  const [same, other] = ['a', 'b'].map((updateRevision) => ({ currentRevision: 'a', updateRevision }));
  const nodes = { observedGeneration: 2, desiredNumberScheduled: 2, currentNumberScheduled: 2, numberAvailable: 2 };
  const older = 'of an older version until somebody deletes them: OnDelete';
  test.each([
    ['StatefulSet', onDelete, { ...seen, ...other, observedGeneration: 1 }, 'waiting', undefined],
    ['StatefulSet', onDelete, { ...seen, ...other, updatedReplicas: 1 }, 'ready', `1 of 2 pods are ${older}`],
    ['StatefulSet', onDelete, { ...two, ...other }, 'ready', undefined],
    ['StatefulSet', onDelete, { ...two, ...same, readyReplicas: 1 }, 'waiting', undefined],
    [
      'StatefulSet',
      partition(2),
      { ...seen, ...other },
      'ready',
      'none of its 2 pods is of the new version: partition 2',
    ],
    ['StatefulSet', partition(2), { ...two, ...same }, 'ready', undefined],
    ['StatefulSet', partition(1), { ...seen, ...other, updatedReplicas: 1 }, 'ready', undefined],
    ['DaemonSet', onDelete, nodes, 'ready', `2 of 2 pods are ${older}`],
    ['DaemonSet', onDelete, { ...nodes, updatedNumberScheduled: 2 }, 'ready', undefined],
    ['DaemonSet', onDelete, { ...nodes, updatedNumberScheduled: 2, numberAvailable: 1 }, 'waiting', undefined],
  ])('a %s with %j and %j is %s, and not proven where it is said: %s', (kind, spec, status, expected, note) => {
    const given = object('apps/v1', kind, 'x', { spec: { replicas: 2, ...spec }, status });
    const told = note === undefined ? { kind: expected } : { kind: expected, note, unproven: 'yes' };
    expect(readinessOf(given, around)).toEqual(expected === 'waiting' ? expect.objectContaining(told) : told);
  });

  test('a Job that is suspended is not proven', () => {
    const job = object('batch/v1', 'Job', 'x', { spec: { suspend: true } });
    expect(readinessOf(job, around)).toMatchObject({ kind: 'ready', unproven: 'yes' });
  });

  test('a StatefulSet waits for its revision', () => {
    const status = {
      observedGeneration: 2,
      updatedReplicas: 1,
      readyReplicas: 1,
      replicas: 1,
      currentRevision: 'a',
      updateRevision: 'b',
    };
    expect(readinessOf(object('apps/v1', 'StatefulSet', 'x', { spec: { replicas: 1 }, status }), around).kind).toBe(
      'waiting',
    );
    expect(
      readinessOf(
        object('apps/v1', 'StatefulSet', 'x', { spec: { replicas: 1 }, status: { ...status, currentRevision: 'b' } }),
        around,
      ).kind,
    ).toBe('ready');
  });
});
