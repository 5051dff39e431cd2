import { expect, test } from '@jest/globals';
import { classifyPushOutput } from '../../../src/domain/image-build/registry-errors.ts';

// Lines that engines and registries really write.
test.each([
  ['received unexpected HTTP status: 502 Bad Gateway', 'transient'],
  ['received unexpected HTTP status: 503 Service Unavailable', 'transient'],
  ['error parsing HTTP 429 response body: invalid character: "slow"', 'throttled'],
  ['toomanyrequests: Rate exceeded', 'throttled'],
  ['unauthorized: authentication required', 'expired-token'],
  ['no basic auth credentials', 'expired-token'],
  ['7fc4334a0556: Pushed\n\nunauthorized\n', 'expired-token'],
  ['denied: requested access to the resource is denied', 'access-denied'],
  // A registry that gives its code without a word.
  ['1a2b3c: Retrying in 1 second\ndenied\n', 'access-denied'],
  ['ERROR: failed to push x: denied', 'access-denied'],
  ['sh: /x: permission denied\nunexpected EOF', 'transient'],
  ['denied: Your authorization token has expired. Reauthenticate and try again.', 'expired-token'],
  [
    "tag invalid: The image tag '1' already exists in the 'x' repository and cannot be overwritten because the repository is immutable.",
    'conflict',
  ],
  ['name unknown: The repository with name x does not exist in the registry with id 1', 'not-found'],
  ['write tcp 10.0.0.1:1->1.2.3.4:443: use of closed network connection', 'transient'],
  ['Put "https://x/v2/": net/http: TLS handshake timeout', 'transient'],
  ['blob upload unknown', 'transient'],
  ['ERROR: failed to push x: unexpected status from PUT request to https://x: 500 Internal Server Error', 'transient'],
  ['something nobody has seen', 'unknown'],
])('a push that ends with "%s" is %s', (output, kind) => {
  expect(classifyPushOutput(output)).toBe(kind);
});
