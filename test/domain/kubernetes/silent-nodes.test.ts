import { describe, expect, test } from '@jest/globals';
import { instant, minutes } from '../../../src/domain/duration.ts';
import type { KubeObject } from '../../../src/domain/kubernetes/object.ts';
import { readinessOf } from '../../../src/domain/kubernetes/readiness.ts';
import { silentNodes } from '../../../src/domain/kubernetes/silent-nodes.ts';
import { object } from './objects.ts';

const since = instant(minutes(10));
const now = instant(minutes(11));
const at = (minute: number) => new Date(minutes(minute)).toISOString();

const pod = (node: string, ready: string, containers: string, minute: number, more: object = {}): KubeObject => {
  const conditions = [
    { type: 'Ready', status: ready, lastTransitionTime: at(minute) },
    { type: 'ContainersReady', status: containers, lastTransitionTime: at(0) },
  ];
  return object('v1', 'Pod', `agent-${node}`, { spec: { nodeName: node, ...more }, status: { conditions } });
};
const dead = pod('n3', 'False', 'True', 5);
const agent = (spec: object = {}) =>
  object('apps/v1', 'DaemonSet', 'agent', {
    spec,
    status: {
      observedGeneration: 2,
      desiredNumberScheduled: 3,
      currentNumberScheduled: 3,
      updatedNumberScheduled: 2,
      numberAvailable: 2,
    },
  });
const silentOf = (current: readonly KubeObject[], last: KubeObject = dead, spec: object = {}) =>
  silentNodes({ all: [...current, last], current }, agent(spec), now, since);
const two = [pod('n1', 'True', 'True', 10), pod('n2', 'True', 'True', 10)];

describe('a node does not answer', () => {
  test.each([
    ['whose pod was marked before', dead, ['n3']],
    ['but counts if that was after our write', pod('n3', 'False', 'True', 10.5), undefined],
    ['is not said where the containers are not ready', pod('n3', 'False', 'False', 5), undefined],
    [
      'is not said where a gate of the pod is not met',
      pod('n3', 'False', 'True', 5, { readinessGates: [{}] }),
      undefined,
    ],
    ['is not said where the pod is ready', pod('n3', 'True', 'True', 5), undefined],
  ])('%s', (_name, last, names) => {
    expect(silentOf(two, last)?.names).toEqual(names);
  });
});

describe('a DaemonSet with a node that does not answer', () => {
  const judge = (silent: ReturnType<typeof silentOf>) =>
    readinessOf(agent(), { generation: 2, now, ...(silent === undefined ? {} : { silent }) });
  test.each([
    ['is good where its pods on all others are available', two, {}, 'ready'],
    ['waits for a pod on another', two.slice(1), {}, 'waiting'],
    ['waits until they were ready for as long as is asked', two, { minReadySeconds: 90 }, 'waiting'],
    ['waits for one that is not ready', [two[0] as KubeObject, pod('n2', 'False', 'False', 10)], {}, 'waiting'],
  ])('%s', (_name, current, spec, kind) => {
    expect(judge(silentOf(current, dead, spec)).kind).toBe(kind);
  });

  test('names it, and proves nothing of it', () => {
    const note = 'its pods are available but for n3, a node that does not answer';
    expect(judge(silentOf(two))).toEqual({ kind: 'ready', note, unproven: 'yes' });
    expect(judge(silentOf(two.slice(1)))).toEqual({
      kind: 'waiting',
      for: '1 of 2 pods available (not counted: n3, a node that does not answer)',
    });
  });

  test('is not good where no other has a pod of it', () => {
    const names = ['n1', 'n2', 'n3'];
    expect(judge({ names, available: 0 })).toMatchObject({ kind: 'waiting' });
  });
});
