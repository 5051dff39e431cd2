import { type KubeObject, fieldAt, isFields, listAt } from './object.ts';
import type { Right } from './rights.ts';

/** `yes` is a proof; `unknown` wants a review of the single right. */
export function allows(review: KubeObject, right: Right): 'yes' | 'unknown' {
  const has = (list: readonly unknown[], value: string): boolean => list.includes('*') || list.includes(value);
  const found = listAt(review, 'status', 'resourceRules').some((rule) => {
    if (!has(listAt(rule, 'verbs'), right.verb) || !has(listAt(rule, 'apiGroups'), right.group)) return false;
    const resources = listAt(rule, 'resources');
    const [, part] = right.resource.split('/');
    if (!has(resources, right.resource) && !(part !== undefined && resources.includes(`*/${part}`))) return false;
    const names = listAt(rule, 'resourceNames');
    return names.length === 0 || (right.name !== undefined && names.includes(right.name));
  });
  return found ? 'yes' : 'unknown';
}

/** Whether the answer of a review of one right is a yes. */
export const isAllowed = (review: KubeObject): boolean => {
  const status = fieldAt(review, 'status');
  return isFields(status) && status['allowed'] === true;
};

export const rulesReview = (namespace: string): KubeObject => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectRulesReview',
  metadata: { name: '' },
  spec: { namespace },
});

export function accessReview({ group, resource, verb, name, namespace }: Right): KubeObject {
  const [plural = '', subresource] = resource.split('/');
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    metadata: { name: '' },
    spec: {
      resourceAttributes: {
        group,
        resource: plural,
        verb,
        ...(subresource === undefined ? {} : { subresource }),
        ...(name === undefined ? {} : { name }),
        ...(namespace === undefined ? {} : { namespace }),
      },
    },
  };
}
