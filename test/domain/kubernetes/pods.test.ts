import { describe, expect, test } from '@jest/globals';
import { instant, minutes } from '../../../src/domain/duration.ts';
import { distinct, newPodsOf, troublesOf, warningsAbout } from '../../../src/domain/kubernetes/pods.ts';
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
      'a missing key of a Secret',
      pod(waiting('CreateContainerConfigError', 'secret "x" not found')),
      'CreateContainerConfigError',
      true,
    ],
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

  test.each([
    ['since a moment', '1970-01-01T00:09:30Z', false],
    ['since two minutes', '1970-01-01T00:08:00Z', true],
  ])('no node takes it %s', (_name, lastTransitionTime, fatal) => {
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes', lastTransitionTime },
    ];
    expect(troublesOf(pod({ ready: true }, { conditions }), now)).toEqual([
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

test('pods of an older revision do not count', () => {
  const web = deployment('web', {});
  const owned = (kind: string, name: string, owner: string, revision: string) => ({
    apiVersion: 'v1',
    kind,
    metadata: {
      name,
      uid: name,
      ownerReferences: [{ uid: owner, kind: '', name: '' }],
      annotations: { 'deployment.kubernetes.io/revision': revision },
    },
  });
  const replicaSets = [owned('ReplicaSet', 'old', 'uid-web', '9'), owned('ReplicaSet', 'new', 'uid-web', '10')];
  const pods = [owned('Pod', 'old-1', 'old', ''), owned('Pod', 'new-1', 'new', '')];
  expect(newPodsOf(web, { replicaSets, pods }).map(({ metadata }) => metadata.name)).toEqual(['new-1']);
});

test('equal reasons are told once, fatal ones first', () => {
  const trouble = (reason: string, fatal: boolean) => ({ pod: 'p', container: 'app', reason, text: '', fatal });
  const all = [trouble('NotReady', false), trouble('NotReady', false), trouble('OOMKilled', true)];
  expect(distinct(all, 3).map(({ reason }) => reason)).toEqual(['OOMKilled', 'NotReady']);
});

test('warning events are counted, and others left out', () => {
  const event = (type: string, name: string) =>
    object('v1', 'Event', 'e', { type, reason: 'BackOff', message: 'again', count: 3, involvedObject: { name } });
  expect(
    warningsAbout(
      new Set(['web-1']),
      [event('Warning', 'web-1'), event('Normal', 'web-1'), event('Warning', 'other')],
      5,
    ),
  ).toEqual(['BackOff x3 (web-1): again']);
});
