import { expect, test } from '@jest/globals';
import type { KubeObject } from '../../../src/domain/kubernetes/object.ts';
import { PODS } from '../../../src/domain/kubernetes/resource.ts';
import { deleteAndWait } from '../../../src/engine/k8s-rollout/apply.ts';
import type { K8sTools } from '../../../src/engine/k8s-rollout/rollout.ts';

test.each(['Namespace', 'CustomResourceDefinition', 'PersistentVolume', 'PersistentVolumeClaim'])(
  'a %s is not deleted to be made again, whoever asks for it',
  async (kind) => {
    const deleted: string[] = [];
    const cluster = { delete: () => Promise.resolve(deleted.push(kind)), get: () => Promise.resolve(undefined) };
    const live: KubeObject = { apiVersion: 'v1', kind, metadata: { name: 'data', uid: 'u' } };
    const resource = { ...PODS, kind };
    const tools = { cluster, clock: { now: () => 0 } } as unknown as K8sTools;
    await expect(deleteAndWait({ resource, live }, tools, new AbortController().signal)).rejects.toThrow(
      `${kind} data is not replaced: objects of its kind are never deleted`,
    );
    expect(deleted).toEqual([]);
  },
);
