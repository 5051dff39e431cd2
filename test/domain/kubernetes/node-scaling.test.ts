import { expect, test } from '@jest/globals';
import { nodeScalingOf } from '../../../src/domain/kubernetes/node-scaling.ts';
import type { KubeObject } from '../../../src/domain/kubernetes/object.ts';
import { object } from './objects.ts';

const pod = { ...object('v1', 'Pod', 'web-1'), metadata: { name: 'web-1', namespace: 'shop', uid: 'one' } };
const said = (reason: string, at: string, more: object = {}): KubeObject =>
  object('v1', 'Event', 'e', {
    reason,
    lastTimestamp: `2026-01-01T00:0${at}Z`,
    involvedObject: { uid: 'one' },
    ...more,
  });
const karpenter = { source: { component: 'karpenter' } };

test.each<[string, KubeObject, readonly KubeObject[], string]>([
  ['the cluster autoscaler makes one', pod, [said('TriggeredScaleUp', '1:00')], 'coming'],
  ['Karpenter makes one', pod, [said('Nominated', '1:00', karpenter)], 'coming'],
  ['the scheduler makes room', { ...pod, status: { nominatedNodeName: 'node-1' } }, [], 'coming'],
  ['the cluster autoscaler makes none', pod, [said('NotTriggerScaleUp', '1:00')], 'none'],
  ['Karpenter makes none', pod, [said('FailedScheduling', '1:00', karpenter)], 'none'],
  ['one was not made at first', pod, [said('TriggeredScaleUp', '2:00'), said('NotTriggerScaleUp', '1:00')], 'coming'],
  [
    'one was made, and another is not',
    pod,
    [said('TriggeredScaleUp', '1:00'), said('NotTriggerScaleUp', '2:00')],
    'none',
  ],
  ['the scheduler alone says that no node fits', pod, [said('FailedScheduling', '1:00')], 'silent'],
  ['one comes for another pod', pod, [said('TriggeredScaleUp', '1:00', { involvedObject: { uid: 'two' } })], 'silent'],
])('of a node for a pod it is known that %s', (_name, given, events, expected) => {
  expect(nodeScalingOf(given, events)).toBe(expected);
});
