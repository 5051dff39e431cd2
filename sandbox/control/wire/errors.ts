import type { AwsError } from '../ecs/types.ts';
import { awsError } from './answer.ts';
import type { ApiCall } from './call.ts';

/**
 * Errors that every service has, in the code and status that its protocol uses for them. Sources: the common errors of
 * the Amazon ECS and Elastic Load Balancing API references and S3's list of error codes.
 */
type Told = Pick<ApiCall, 'protocol' | 'service' | 'operation'>;

const isJson = ({ protocol }: Told): boolean => protocol === 'json' || protocol === 'rest-json' || protocol === 'cbor';

export const expiredToken = (call: Told): AwsError =>
  isJson(call)
    ? awsError('ExpiredTokenException', 'The security token included in the request is expired')
    : awsError('ExpiredToken', 'The security token included in the request is expired', 403);

export const invalidToken = (call: Told): AwsError =>
  isJson(call)
    ? awsError('UnrecognizedClientException', 'The security token included in the request is invalid.')
    : awsError('InvalidClientTokenId', 'The security token included in the request is invalid.', 403);

/** `who` is the ARN of the caller. */
export function accessDenied(call: Told, who: string): AwsError {
  const action = `${call.service}:${call.operation}`;
  const message = `User: ${who} is not authorized to perform: ${action} because no identity-based policy allows the ${action} action`;
  return isJson(call) ? awsError('AccessDeniedException', message) : awsError('AccessDenied', message, 403);
}

export function throttled(call: Told): AwsError {
  if (call.service === 's3') return awsError('SlowDown', 'Please reduce your request rate.', 503);
  return awsError(isJson(call) ? 'ThrottlingException' : 'Throttling', 'Rate exceeded');
}

export const internalFailure = (call: Told): AwsError =>
  call.service === 'ecs'
    ? awsError('ServerException', 'Service Unavailable. Please try again later.', 500)
    : awsError('InternalFailure', 'The request processing has failed because of an unknown error.', 500);

/** Status 400, so that a client reports it at once and does not try again. */
export const notModelled = (call: Told, what: string): AwsError =>
  awsError(
    isJson(call) ? 'UnknownOperationException' : 'InvalidAction',
    `The sandbox cloud does not model ${what}. Nothing was changed.`,
  );
