import { stringify } from 'yaml';
import type { KubeObject } from '../../domain/kubernetes/object.ts';

/** Several documents, as `kubectl apply -f -` reads them. */
export const writeYaml = (objects: readonly KubeObject[]): string =>
  objects.map((object) => stringify(object, { version: '1.1', lineWidth: 0 })).join('---\n');
