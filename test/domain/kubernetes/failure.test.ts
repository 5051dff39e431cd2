import { expect, test } from '@jest/globals';
import { changesImmutable } from '../../../src/domain/kubernetes/failure.ts';

test.each([
  ['a selector', 'spec.selector: Invalid value: {}: field is immutable', true],
  ['an address', 'spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set', true],
  ['a volume claim template', "updates to statefulset spec for fields other than 'replicas' are forbidden", true],
  ['parameters', 'parameters: Forbidden: updates to parameters are forbidden.', true],
  ['the role of a binding', 'roleRef: Invalid value: rbac.RoleRef{}: cannot change roleRef', true],
  ['a priority', 'value: Forbidden: may not be changed in an update.', true],
  ['nothing of that kind', 'spec.replicas: Invalid value: -1: must be greater than or equal to 0', false],
])('a refusal of a change of %s is told from others', (_name, message, expected) => {
  expect(changesImmutable(message)).toBe(expected);
});
