import { describe, expect, test } from '@jest/globals';
import { instant } from '../../../src/domain/duration.ts';
import { newPodsOf } from '../../../src/domain/kubernetes/pods.ts';
import { makesPods, readinessOf } from '../../../src/domain/kubernetes/readiness.ts';
import { object } from './objects.ts';

/** Its controller writes the generation as text. */
const rollout = (status: object, spec: object = {}) => ({
  ...object('argoproj.io/v1alpha1', 'Rollout', 'web', {
    spec: { replicas: 4, ...spec },
    status: {
      observedGeneration: '13',
      // Of the old pods: they serve all the time.
      conditions: [{ type: 'Available', status: 'True', reason: 'AvailableReason' }],
      ...status,
    },
  }),
  metadata: { name: 'web', namespace: 'shop', generation: 13, uid: 'uid-web' },
});
const pausedBy = (reason: string, more: object = {}) => ({
  phase: 'Paused',
  controllerPause: true,
  pauseConditions: [{ reason, startTime: '2026-01-01T00:00:00Z' }],
  ...more,
});
const steps = { strategy: { canary: { steps: [{ setWeight: 20 }, { pause: { duration: '10m' } }, { pause: {} }] } } };
const preview = (seconds?: number) => ({ strategy: { blueGreen: { autoPromotionSeconds: seconds } } });

describe('a Rollout of Argo', () => {
  test.each([
    ['is ready when it is healthy', rollout({ phase: 'Healthy' }), { kind: 'ready' }],
    [
      'is not ready by the phase of an older generation',
      rollout({ phase: 'Healthy', observedGeneration: '12' }),
      { kind: 'waiting', for: 'its controller to see the change' },
    ],
    [
      'waits while it is rolled out, though the old pods are available',
      rollout({ phase: 'Progressing', message: 'more replicas need to be updated', updatedReplicas: 0 }),
      { kind: 'waiting', for: 'its rollout (more replicas need to be updated)' },
    ],
    [
      'is bad when its analysis aborted it, though the old pods are available',
      rollout({ phase: 'Degraded', message: 'RolloutAborted: metric "errors" assessed Failed' }),
      { kind: 'bad', why: 'it is degraded (RolloutAborted: metric "errors" assessed Failed)' },
    ],
    [
      'waits for a pause that ends by itself',
      rollout(pausedBy('CanaryPauseStep', { currentStepIndex: 1 }), steps),
      { kind: 'waiting', for: 'the end of its pause of 10m (CanaryPauseStep)' },
    ],
    [
      'is where the release leads at a pause that somebody ends',
      rollout(pausedBy('CanaryPauseStep', { currentStepIndex: 2 }), steps),
      { kind: 'ready', note: 'it is paused until somebody promotes it (CanaryPauseStep)', unproven: 'yes' },
    ],
    [
      'waits for a preview that is promoted by itself',
      rollout(pausedBy('BlueGreenPause'), preview(30)),
      { kind: 'waiting', for: 'the end of its pause of 30s (BlueGreenPause)' },
    ],
    [
      'is where the release leads with a preview that somebody promotes',
      rollout(pausedBy('BlueGreenPause'), preview()),
      { kind: 'ready', note: 'it is paused until somebody promotes it (BlueGreenPause)', unproven: 'yes' },
    ],
    [
      'is bad when its analysis is inconclusive',
      rollout(pausedBy('InconclusiveAnalysisRun')),
      { kind: 'bad', why: 'its analysis is inconclusive, and it waits for somebody' },
    ],
    [
      'waits when somebody ended its pause a moment ago',
      rollout({ ...pausedBy(''), pauseConditions: [] }),
      { kind: 'waiting', for: 'its pause to end' },
    ],
    [
      'is bad when it is paused by its own spec',
      rollout({ phase: 'Paused' }, { paused: true }),
      { kind: 'bad', why: 'it is paused, so nothing is rolled out' },
    ],
    [
      'that nobody has looked at waits',
      { ...rollout({}), status: undefined },
      { kind: 'waiting', for: 'its controller to see the change' },
    ],
  ])('%s', (_name, given, expected) => {
    expect(readinessOf(given, { generation: 13, now: instant(0) })).toEqual(expected);
  });

  const family = (kind: string, name: string, owner: string, hash: string) => ({
    ...object('v1', kind, name),
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      ownerReferences: [{ uid: owner, kind: 'x', name: 'x' }],
      labels: { 'rollouts-pod-template-hash': hash },
    },
  });
  const replicaSets = [
    family('ReplicaSet', 'old', 'uid-web', 'a'),
    family('ReplicaSet', 'new', 'uid-web', 'b'),
    family('ReplicaSet', 'strange', 'uid-other', 'b'),
  ];
  const pods = ['old', 'new', 'strange'].map((name) => family('Pod', `${name}-1`, `uid-${name}`, 'b'));
  test.each([
    ['are those of the hash that it wants', { currentPodHash: 'b' }, ['new-1']],
    ['are none before its controller looked', { currentPodHash: 'a', observedGeneration: '12' }, []],
    ['are none before it has a hash', {}, []],
  ])('has new pods that %s', (_name, status, expected) => {
    const found = newPodsOf(rollout(status), { replicaSets, pods });
    expect(found.map(({ metadata }) => metadata.name)).toEqual(expected);
  });

  test('makes pods, so they are watched beside it', () => {
    expect(makesPods(rollout({}))).toBe(true);
  });
});
