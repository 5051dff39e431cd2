import { describe, expect, test } from '@jest/globals';
import { instant, minutes } from '../../../src/domain/duration.ts';
import {
  blockedBy,
  distinct,
  leftToItsJob,
  newPodsOf,
  troublesOf,
  warningsAbout,
} from '../../../src/domain/kubernetes/pods.ts';
import type { KubeObject } from '../../../src/domain/kubernetes/object.ts';
import { deployment, object } from './objects.ts';

const pod = (container: object, more: object = {}) =>
  object('v1', 'Pod', 'web-1', {
    status: { containerStatuses: [{ name: 'app', restartCount: 0, ...container }], ...more },
  });
const waiting = (reason: string, message = '') => ({ state: { waiting: { reason, message } } });
const now = instant(minutes(10));

describe('a pod that does not come up', () => {
  test.each([
    [
      'an image that is not there',
      pod(waiting('ImagePullBackOff', 'manifest unknown: not found')),
      'ImagePullBackOff',
      true,
    ],
    ['an image that may not be pulled', pod(waiting('ErrImagePull', '401 Unauthorized')), 'ErrImagePull', true],
    ['a registry that is away', pod(waiting('ErrImagePull', 'i/o timeout')), 'ErrImagePull', false],
    ['a name that is none', pod(waiting('InvalidImageName')), 'InvalidImageName', true],
    [
      'a first crash',
      pod({
        ...waiting('CrashLoopBackOff'),
        restartCount: 1,
        lastState: { terminated: { exitCode: 1, reason: 'Error' } },
      }),
      'CrashLoopBackOff',
      false,
    ],
    [
      'a third crash',
      pod({
        ...waiting('CrashLoopBackOff'),
        restartCount: 3,
        lastState: { terminated: { exitCode: 1, reason: 'Error' } },
      }),
      'CrashLoopBackOff',
      true,
    ],
    [
      'memory that ran out once',
      pod({ restartCount: 1, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }),
      'OOMKilled',
      false,
    ],
    [
      'memory that ran out twice',
      pod({ restartCount: 2, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }),
      'OOMKilled',
      true,
    ],
  ])('%s', (_name, given, reason, fatal) => {
    expect(troublesOf(given, now)).toEqual([expect.objectContaining({ reason, fatal })]);
  });

  const KEY = "couldn't find key K in Secret shop/x";
  const ROOT = 'container has runAsNonRoot and image will run as root';
  test.each([
    ['a Secret that is not there since a moment', 'ConfigError', 'secret "x" not found', 119, false],
    ['one that is not there for two minutes', 'ConfigError', 'secret "x" not found', 121, true],
    ['a key that it does not have since a moment', 'ConfigError', KEY, 59, false],
    ['a key that it does not have for a minute', 'ConfigError', KEY, 61, true],
    ['a cache that is not read yet', 'ConfigError', 'failed to sync secret cache: timed out waiting', 300, false],
    ['a user that it may not be', 'ConfigError', ROOT, 0, true],
    ['a program that is not in the image', 'Error', 'exec: "run": executable file not found in $PATH', 0, true],
    ['a busy node', 'Error', 'context deadline exceeded', 300, false],
    ['a name that the attempt before holds', 'Error', 'failed to reserve container name "a"', 300, false],
    ['what nobody knows, since a moment', 'Error', 'odd', 119, false],
    ['what nobody knows, for two minutes', 'Error', 'odd', 121, true],
  ])('cannot be made by %s', (_name, kind, message, waits, fatal) => {
    const since = new Date(now - waits * 1_000).toISOString();
    const conditions = [
      { type: 'PodScheduled', status: 'True', lastTransitionTime: '1970-01-01T00:00:00Z' },
      { type: 'Initialized', status: 'True', lastTransitionTime: since },
    ];
    const reason = `CreateContainer${kind}`;
    expect(troublesOf(pod(waiting(reason, message), { conditions }), now)).toEqual([
      expect.objectContaining({ reason, fatal }),
    ]);
  });

  const FULL = '0/3 nodes are available: 3 Insufficient cpu.';
  const TAINTED = '0/3 nodes are available: 3 node(s) had untolerated taint {gpu: yes}.';
  test.each([
    ['no room, since a minute', FULL, 'silent', 61, false],
    ['no room, for five minutes, and nobody makes any', FULL, 'silent', 301, true],
    ['no room, and a node is coming', FULL, 'coming', 599, false],
    ['no room, and none will come', FULL, 'none', 61, true],
    ['no node that fits, since a moment', TAINTED, 'silent', 59, false],
    ['no node that fits, and nobody makes one', TAINTED, 'silent', 61, true],
    ['no node that fits, of a group that has none yet', TAINTED, 'coming', 599, false],
    ['no node that fits, where nobody may read whether one comes', TAINTED, 'unknown', 299, false],
    ['no node that fits, and none in five minutes', TAINTED, 'unknown', 301, true],
    ['a node that has joined just now', 'untolerated taint {node.kubernetes.io/not-ready: }', 'silent', 61, false],
  ] as const)('finds %s', (_name, message, scaling, waits, fatal) => {
    const lastTransitionTime = new Date(now - waits * 1_000).toISOString();
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime },
    ];
    expect(troublesOf(pod({ ready: true }, { conditions }), now, scaling)).toEqual([
      expect.objectContaining({ reason: 'Unschedulable', fatal }),
    ]);
  });

  test('its exit code and its message stand in the text', () => {
    const crashed = {
      ...waiting('CrashLoopBackOff'),
      restartCount: 4,
      lastState: { terminated: { exitCode: 3, signal: 9, reason: 'Error', message: 'no database' } },
    };
    expect(troublesOf(pod(crashed), now)[0]?.text).toBe(
      'CrashLoopBackOff: exit code 3, signal 9 (no database), 4 restarts',
    );
  });
});

const owned = (kind: string, name: string, owner: string, more: object = {}): KubeObject => {
  const { metadata = {}, ...rest } = more as { metadata?: object };
  const ownerReferences = [{ uid: owner, kind: '', name: '' }];
  return { apiVersion: 'v1', kind, metadata: { name, uid: name, ownerReferences, ...metadata }, ...rest };
};
const names = (found: readonly KubeObject[]): readonly string[] => found.map(({ metadata }) => metadata.name);

describe('a container that crashed before', () => {
  const past = (state: object, ready: boolean) => ({
    ...object('v1', 'Pod', 'web-1', {}),
    status: {
      containerStatuses: [
        {
          name: 'app',
          ready,
          restartCount: 9,
          state,
          lastState: { terminated: { exitCode: 1, reason: 'Error' } },
        },
      ],
    },
  });
  const now = instant(0);
  test.each([
    ['and is well now is no trouble', { running: {} }, true, []],
    ['and runs again is not given up', { running: {} }, false, [false]],
    ['and has crashed now is', { waiting: { reason: 'CrashLoopBackOff' } }, false, [true]],
  ])('%s', (_name, state, ready, fatal) => {
    expect(troublesOf(past(state, ready), now).map((each) => each.fatal)).toEqual(fatal);
  });

  const retried = (reason: string, state: object, ready: boolean) =>
    object('v1', 'Pod', 'web-1', {
      status: {
        initContainerStatuses: [
          { name: 'wait', ready, restartCount: 3, state, lastState: { terminated: { exitCode: 1, reason } } },
        ],
        containerStatuses: [{ name: 'app', ready: false, restartCount: 0, state: { waiting: {} } }],
      },
    });
  const over = (exitCode: number) => ({ terminated: { exitCode } });
  test.each([
    ['that ended well at its fourth try is no trouble', retried('Error', over(0), true), []],
    ['that ran out of memory before it ended well is none', retried('OOMKilled', over(0), true), []],
    ['that ended badly each time is', retried('Error', over(1), false), [true]],
  ])('an init container %s', (_name, given, fatal) => {
    expect(troublesOf(given, now).map((each) => each.fatal)).toEqual(fatal);
  });

  test('is left to the Job that tries it again', () => {
    const [crash] = troublesOf(past({ waiting: { reason: 'CrashLoopBackOff' } }, false), now).map(leftToItsJob);
    expect(crash).toMatchObject({ fatal: false });
    const [name] = troublesOf(past({ waiting: { reason: 'InvalidImageName' } }, false), now).map(leftToItsJob);
    expect(name).toMatchObject({ fatal: true });
  });
});

describe('pods of a Deployment', () => {
  const replicaSet = (name: string, image: string, made: string, revision: number): KubeObject => {
    const { spec } = deployment('web', { app: image }) as unknown as { spec: { template: Template } };
    const { template } = spec;
    const labels = { ...template.metadata.labels, 'pod-template-hash': name };
    return owned('ReplicaSet', name, 'uid-web', {
      metadata: {
        creationTimestamp: made,
        annotations: { 'deployment.kubernetes.io/revision': String(revision) },
      },
      spec: { template: { ...template, metadata: { labels } } },
    });
  };
  const replicaSets = [
    replicaSet('bad', 'web:2', '2026-01-02', 2),
    replicaSet('again', 'web:1', '2026-01-03', 3),
    replicaSet('good', 'web:1', '2026-01-01', 1),
  ];
  const pods = ['bad', 'good', 'again'].map((name) => owned('Pod', `${name}-1`, name));
  const podsOf = (image: string) => names(newPodsOf(deployment('web', { app: image }), { replicaSets, pods }));

  test.each([
    ['are those of its template', 'web:2', ['bad-1']],
    // The ReplicaSet that is gone back to has the lower number until the controller has seen the change.
    ['are those of its template, whatever number that has yet, and of equal ones the oldest', 'web:1', ['good-1']],
    ['are none before the controller has made a ReplicaSet for it', 'web:3', []],
  ])('%s', (_name, image, expected) => {
    expect(podsOf(image)).toEqual(expected);
  });
});

interface Template {
  readonly metadata: { readonly labels: object };
}

describe('pods of a StatefulSet or DaemonSet', () => {
  const revised = (name: string, hash: string, template: string): KubeObject =>
    owned('Pod', name, 'uid-db', {
      metadata: { labels: { 'controller-revision-hash': hash, 'pod-template-generation': template } },
    });
  const pods = [revised('db-0', 'one', '1'), revised('db-1', 'two', '2'), revised('db-2', 'two', '1')];
  const set = (kind: string, observedGeneration: number, template: string): KubeObject => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: {
      name: 'db',
      uid: 'uid-db',
      generation: 2,
      annotations: { 'deprecated.daemonset.template.generation': template },
    },
    status: { observedGeneration, updateRevision: 'one' },
  });
  test.each([
    ['are those of its update revision', set('StatefulSet', 2, '1'), ['db-0']],
    ['are none while that is of the release before', set('StatefulSet', 1, '1'), []],
    ['are those of the revision that its template was made into', set('DaemonSet', 2, '2'), ['db-1', 'db-2']],
    ['are none while its template has no pod yet', set('DaemonSet', 2, '3'), []],
    ['are none while the controller has not seen the change', set('DaemonSet', 1, '2'), []],
  ])('%s', (_name, workload, expected) => {
    expect(names(newPodsOf(workload, { replicaSets: [], pods }))).toEqual(expected);
  });
});

describe('what keeps a StatefulSet from going back', () => {
  const pod = (name: string, revision: string, ready: string, more: object = {}): KubeObject =>
    owned('Pod', name, 'uid-db', {
      metadata: { labels: { 'controller-revision-hash': revision }, ...more },
      status: { conditions: [{ type: 'Ready', status: ready }] },
    });
  const pods = [
    pod('db-4', 'bad', 'False', { deletionTimestamp: 'now' }),
    pod('db-3', 'bad', 'False'),
    pod('db-2', 'bad', 'True'),
    pod('db-1', 'good', 'False'),
    pod('db-0', 'bad', 'False'),
  ];
  const set = (spec: object): KubeObject => ({
    ...object('apps/v1', 'StatefulSet', 'db', { spec, status: { updateRevision: 'good' } }),
    metadata: { name: 'db', uid: 'uid-db' },
  });
  test.each([
    ['are its pods of another revision that are not ready', {}, ['db-3', 'db-0']],
    ['are none below its partition', { updateStrategy: { rollingUpdate: { partition: 1 } } }, ['db-3']],
    ['are none where it keeps no order', { podManagementPolicy: 'Parallel' }, []],
    ['are none where somebody else replaces its pods', { updateStrategy: { type: 'OnDelete' } }, []],
  ])('%s', (_name, spec, expected) => {
    expect(names(blockedBy(set(spec), pods))).toEqual(expected);
  });
});

test('equal reasons are told once, fatal ones first', () => {
  const trouble = (reason: string, fatal: boolean) => ({ pod: 'p', container: 'app', reason, text: '', fatal });
  const all = [trouble('NotReady', false), trouble('NotReady', false), trouble('OOMKilled', true)];
  expect(distinct(all, 3).map(({ reason }) => reason)).toEqual(['OOMKilled', 'NotReady']);
});

describe('warning events', () => {
  const event = (type: string, kind: string, name: string, more: object = {}) =>
    object('v1', 'Event', 'e', { type, reason: 'BackOff', message: 'again', involvedObject: { kind, name }, ...more });
  const pod = { kind: 'Pod', name: 'web-1', uid: 'new' };

  test('are counted, and others left out', () => {
    const count = { count: 3 };
    const events = [
      event('Warning', 'Pod', 'web-1', count),
      event('Normal', 'Pod', 'web-1'),
      event('Warning', 'Pod', 'x'),
    ];
    expect(warningsAbout([pod], events, 5)).toEqual(['BackOff x3 (web-1): again']);
  });

  test('of another kind, or of a pod that had the name before, are of others', () => {
    const before = { involvedObject: { kind: 'Pod', name: 'web-1', uid: 'old' } };
    const events = [event('Warning', 'HorizontalPodAutoscaler', 'web'), event('Warning', 'Pod', 'web-1', before)];
    expect(warningsAbout([{ kind: 'Deployment', name: 'web' }, pod], events, 5)).toEqual([]);
  });

  test('are told by time, and those of pods last, whatever their order in the list', () => {
    const at = (second: number) => `2026-11-26T00:00:0${second}Z`;
    const events = [
      event('Warning', 'Pod', 'web-1', { reason: 'Unhealthy', lastTimestamp: at(5) }),
      event('Warning', 'Pod', 'web-1', {
        reason: 'FailedMount',
        eventTime: at(1),
        series: { lastObservedTime: at(3) },
      }),
      event('Warning', 'Pod', 'web-1', { reason: 'FailedScheduling', eventTime: at(2) }),
      event('Warning', 'Deployment', 'web', { reason: 'Odd', lastTimestamp: at(9) }),
    ];
    const told = warningsAbout([{ kind: 'Deployment', name: 'web' }, pod], events, 3);
    expect(told.map((line) => line.split(' ')[0])).toEqual(['FailedScheduling', 'FailedMount', 'Unhealthy']);
  });
});
