import type { Manifest } from '../../../src/domain/kubernetes/manifest.ts';
import type { KubeObject } from '../../../src/domain/kubernetes/object.ts';

export const manifest = (object: KubeObject, line = 7): Manifest => ({ object, origin: { file: 'k8s/all.yml', line } });

/** A Deployment of namespace shop with these images by container. */
export const deployment = (name: string, images: Readonly<Record<string, string>>, more: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'shop', generation: 2, uid: `uid-${name}` },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: Object.entries(images).map(([container, image]) => ({ name: container, image })) },
    },
    ...more,
  },
});

export const object = (apiVersion: string, kind: string, name: string, more: object = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'shop' },
  ...more,
});
