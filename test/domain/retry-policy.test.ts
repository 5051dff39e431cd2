import { describe, expect, test } from '@jest/globals';
import {
  type CloudErrorKind,
  type ErrorSigns,
  classifyCloudError,
  deniedAction,
  explainCloudError,
  mayPass,
  pauseBefore,
} from '../../src/domain/retry-policy.ts';

const signs = (given: Partial<ErrorSigns>): ErrorSigns => ({ name: 'Error', message: '', ...given });

describe('an error of AWS', () => {
  const rows: readonly { name: string; given: Partial<ErrorSigns>; kind: CloudErrorKind }[] = [
    { name: 'AccessDeniedException', given: { name: 'AccessDeniedException', httpStatus: 400 }, kind: 'access-denied' },
    {
      name: '403 whose body could not be read',
      given: { name: 'SyntaxError', httpStatus: 403 },
      kind: 'access-denied',
    },
    {
      name: 'ClientException about iam:PassRole',
      given: {
        name: 'ClientException',
        message: 'User: u is not authorized to perform: iam:PassRole on resource: r',
        httpStatus: 400,
      },
      kind: 'access-denied',
    },
    { name: 'ExpiredTokenException', given: { name: 'ExpiredTokenException', httpStatus: 400 }, kind: 'expired-token' },
    { name: 'ExpiredToken of STS', given: { name: 'ExpiredToken', httpStatus: 403 }, kind: 'expired-token' },
    {
      name: 'UnrecognizedClientException',
      given: { name: 'UnrecognizedClientException', httpStatus: 400 },
      kind: 'expired-token',
    },
    { name: 'CredentialsProviderError', given: { name: 'CredentialsProviderError' }, kind: 'no-credentials' },
    { name: 'ThrottlingException', given: { name: 'ThrottlingException', httpStatus: 400 }, kind: 'throttled' },
    {
      name: 'ClientException of a throttled registration',
      given: { name: 'ClientException', message: 'Rate exceeded', httpStatus: 400 },
      kind: 'throttled',
    },
    { name: '429 without a name', given: { httpStatus: 429 }, kind: 'throttled' },
    { name: 'ServerException', given: { name: 'ServerException', httpStatus: 500 }, kind: 'transient' },
    { name: '503 of a proxy', given: { name: 'SyntaxError', httpStatus: 503 }, kind: 'transient' },
    { name: 'reset connection', given: { code: 'ECONNRESET' }, kind: 'transient' },
    { name: 'TimeoutError', given: { name: 'TimeoutError', code: 'ETIMEDOUT' }, kind: 'transient' },
    {
      name: 'ClusterNotFoundException',
      given: { name: 'ClusterNotFoundException', httpStatus: 400 },
      kind: 'not-found',
    },
    {
      name: 'ServiceDeploymentNotFoundException',
      given: { name: 'ServiceDeploymentNotFoundException', httpStatus: 400 },
      kind: 'not-found',
    },
    {
      name: 'ClientException about a missing revision',
      given: { name: 'ClientException', message: 'Unable to describe task definition.', httpStatus: 400 },
      kind: 'not-found',
    },
    {
      name: 'UpdateInProgressException',
      given: { name: 'UpdateInProgressException', httpStatus: 400 },
      kind: 'conflict',
    },
    {
      name: 'DuplicateListenerException',
      given: { name: 'DuplicateListenerException', httpStatus: 400 },
      kind: 'conflict',
    },
    {
      name: 'InvalidParameterException',
      given: { name: 'InvalidParameterException', httpStatus: 400 },
      kind: 'invalid',
    },
    { name: 'bug of ours', given: { name: 'TypeError', message: 'x is not a function' }, kind: 'unknown' },
  ];
  test.each(rows)('$name is $kind', ({ given, kind }) => {
    expect(classifyCloudError(signs(given))).toBe(kind);
  });

  test('passes by itself only when it is throttled or transient', () => {
    const kinds: readonly CloudErrorKind[] = [
      'access-denied',
      'expired-token',
      'no-credentials',
      'throttled',
      'transient',
      'not-found',
      'conflict',
      'invalid',
      'unknown',
    ];
    expect(kinds.filter(mayPass)).toEqual(['throttled', 'transient']);
  });
});

describe('an access that was denied', () => {
  const message =
    'User: arn:aws:sts::111122223333:assumed-role/deploy/s is not authorized to perform: ecs:UpdateService on resource: x because no policy allows it';

  test('names the action and the principal of the message', () => {
    expect(deniedAction(message)).toEqual({
      action: 'ecs:UpdateService',
      principal: 'arn:aws:sts::111122223333:assumed-role/deploy/s',
    });
  });

  test('says what to grant to whom', () => {
    expect(explainCloudError('access-denied', signs({ message }), 'ecs:UpdateService')).toEqual({
      why: 'access denied for ecs:UpdateService',
      next: 'Grant ecs:UpdateService to arn:aws:sts::111122223333:assumed-role/deploy/s, then re-run',
    });
  });

  test('names the action of the call when the message has none', () => {
    expect(explainCloudError('access-denied', signs({ message: '' }), 'ecs:TagResource').why).toBe(
      'access denied for ecs:TagResource',
    );
  });
});

test('pauses between writes grow from one second to twenty', () => {
  expect([1, 2, 3, 4, 5, 6, 9].map(pauseBefore)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
});
