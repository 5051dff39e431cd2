import { describe, expect, test } from '@jest/globals';
import { changesImmutable, kindOfStatus } from '../../../src/domain/kubernetes/failure.ts';

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

describe('a webhook that', () => {
  const dial = 'dial tcp 10.100.3.7:443:';
  test.each([
    ['has no pod', 'no endpoints available for service "hook"', 'transient'],
    ['is on a node that went', `${dial} i/o timeout`, 'transient'],
    ['is behind a network that is being set up', `${dial} connect: no route to host`, 'transient'],
    ['does not listen yet', `${dial} connect: connection refused`, 'transient'],
    ['ended while it was asked', 'EOF', 'transient'],
    ['ended in the middle of it', 'read tcp 10.0.0.1:51: read: connection reset by peer', 'transient'],
    ['takes too long', 'context deadline exceeded', 'transient'],
    ['takes too long to greet', 'net/http: TLS handshake timeout', 'transient'],
    [
      'has another certificate',
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
      'invalid',
    ],
    ['nobody has made', 'service "hook" not found', 'invalid'],
  ])('%s is %s: %s', (_name, why, kind) => {
    const message = `Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://hook.shop.svc:443/v?timeout=10s": ${why}`;
    expect(kindOfStatus({ code: 500, reason: 'InternalError', message, causes: [] })).toBe(kind);
  });
});
