import { type Duration, milliseconds, seconds } from './duration.ts';
import { Failure, type FailureFacts } from './failure.ts';
import { unreachable } from './unreachable.ts';

/**
 * What an error of a cloud means for whoever asked. Only `throttled` and `transient` get better by waiting; retrying the
 * others hides the reason (the SDK's waiters poll an access denied until their timeout).
 */
export type CloudErrorKind =
  | 'access-denied'
  | 'expired-token'
  | 'no-credentials'
  | 'throttled'
  | 'transient'
  | 'not-found'
  | 'conflict'
  | 'invalid'
  | 'unknown';

/** What an adapter can read off an error without judging it. */
export interface ErrorSigns {
  /** `AccessDeniedException`, `TimeoutError`. */
  readonly name: string;
  readonly message: string;
  /** Of the socket: `ECONNRESET`. */
  readonly code?: string;
  readonly httpStatus?: number;
}

/** Error names of ECS, ELBv2, STS and the common ones of AWS; `Exception` and `Error` at the end are taken off first. */
const KINDS_BY_NAME: Readonly<Record<string, CloudErrorKind>> = {
  AccessDenied: 'access-denied',
  Blocked: 'access-denied',
  NotAuthorized: 'access-denied',
  OperationNotPermitted: 'access-denied',
  UnauthorizedOperation: 'access-denied',
  ExpiredToken: 'expired-token',
  InvalidClientTokenId: 'expired-token',
  InvalidIdentityToken: 'expired-token',
  RequestExpired: 'expired-token',
  TokenRefreshRequired: 'expired-token',
  UnrecognizedClient: 'expired-token',
  CredentialsProvider: 'no-credentials',
  TokenProvider: 'no-credentials',
  BandwidthLimitExceeded: 'throttled',
  PriorRequestNotComplete: 'throttled',
  RequestLimitExceeded: 'throttled',
  RequestThrottled: 'throttled',
  SlowDown: 'throttled',
  Throttled: 'throttled',
  Throttling: 'throttled',
  TooManyRequests: 'throttled',
  IDPCommunication: 'transient',
  InternalFailure: 'transient',
  InternalServer: 'transient',
  InternalService: 'transient',
  RequestTimeout: 'transient',
  Server: 'transient',
  ServiceUnavailable: 'transient',
  Timeout: 'transient',
  Conflict: 'conflict',
  OperationInProgress: 'conflict',
  PriorityInUse: 'conflict',
  ResourceInUse: 'conflict',
  ServiceNotActive: 'conflict',
  UpdateInProgress: 'conflict',
  Client: 'invalid',
  InvalidParameter: 'invalid',
  LimitExceeded: 'invalid',
  MissingParameter: 'invalid',
  UnsupportedFeature: 'invalid',
  Validation: 'invalid',
};

const SOCKET_CODES = new Set([
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  // A resolver that is down for a moment looks the same as a region that does not exist.
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/** ECS sends several refusals as ClientException (a throttled RegisterTaskDefinition, a missing revision): the text decides. */
const KINDS_BY_TEXT: readonly (readonly [RegExp, CloudErrorKind])[] = [
  [/rate exceeded|too many concurrent/i, 'throttled'],
  [/is not authorized to perform|not authorized to pass/i, 'access-denied'],
  [/unable to describe task definition|does not exist/i, 'not-found'],
];

/** Name first, then the text, the socket and the status: a proxy or an emulator may lose the name but keeps the status. */
export function classifyCloudError(signs: ErrorSigns): CloudErrorKind {
  const stem = signs.name.replace(/(Exception|Error)+$/, '');
  const named = KINDS_BY_NAME[stem];
  if (named === 'invalid' || named === undefined) {
    const told = KINDS_BY_TEXT.find(([pattern]) => pattern.test(signs.message));
    if (told) return told[1];
  }
  if (named) return named;
  if (/NotFound$|^NoSuch|DoesNotExist/.test(stem)) return 'not-found';
  if (/^Duplicate|InUse$|AlreadyExists$/.test(stem)) return 'conflict';
  if (signs.code !== undefined && SOCKET_CODES.has(signs.code)) return 'transient';
  return kindOfStatus(signs.httpStatus);
}

function kindOfStatus(status: number | undefined): CloudErrorKind {
  if (status === undefined) return 'unknown';
  if (status === 429) return 'throttled';
  if (status >= 500) return 'transient';
  if (status === 401 || status === 403) return 'access-denied';
  if (status === 404) return 'not-found';
  if (status === 409) return 'conflict';
  return status >= 400 ? 'invalid' : 'unknown';
}

/** Whether asking again may help without anybody doing anything. */
export const mayPass = (kind: CloudErrorKind): boolean => kind === 'throttled' || kind === 'transient';

/** The IAM action and the principal that an access-denied message names; AWS writes them in this form for all services. */
export function deniedAction(message: string): { readonly action?: string; readonly principal?: string } {
  const action = /not authorized to perform:?\s+([a-z0-9-]+:[A-Za-z0-9*]+)/i.exec(message)?.[1];
  const principal = /User:\s+(\S+)/.exec(message)?.[1];
  return { ...(action ? { action } : {}), ...(principal ? { principal } : {}) };
}

/**
 * The `why` and the `next` of a Failure. `action` is the IAM action that the call needs (`ecs:UpdateService`); the message
 * of AWS is believed over it, because RegisterTaskDefinition is refused for iam:PassRole too.
 */
export function explainCloudError(
  kind: CloudErrorKind,
  signs: ErrorSigns,
  action: string,
): Required<Pick<FailureFacts, 'why'>> & Pick<FailureFacts, 'next'> {
  const text = signs.message.trim().replace(/\.$/, '') || signs.name;
  switch (kind) {
    case 'access-denied': {
      const denied = deniedAction(signs.message);
      const needed = denied.action ?? action;
      return {
        why: `access denied for ${needed}`,
        next: `Grant ${needed} to ${denied.principal ?? 'the role that the job assumes'}, then re-run`,
      };
    }
    case 'expired-token':
      return {
        why: `the credentials are expired or unknown to AWS (${signs.name})`,
        next: 'Use role-to-assume, whose credentials are renewed while the action waits, then re-run',
      };
    case 'no-credentials':
      return {
        why: `no AWS credentials were found (${text})`,
        next: 'Set role-to-assume and give the job `permissions: id-token: write`, or provide credentials in the environment',
      };
    case 'throttled':
      return { why: `AWS throttled ${action} (${text})`, next: 'Re-run: it goes on from where this run stopped' };
    case 'transient':
      return {
        why: `AWS did not answer ${action} (${signs.code ?? signs.httpStatus ?? signs.name}: ${text})`,
        next: 'Re-run: it goes on from where this run stopped',
      };
    case 'not-found':
    case 'conflict':
    case 'invalid':
    case 'unknown':
      return { why: `${signs.name}: ${text}` };
    default:
      return unreachable(kind);
  }
}

/** A Failure of a call to a cloud that says what kind it is, so that an engine can go on where going on makes sense. */
export class CloudFailure extends Failure {
  override readonly name: string = 'CloudFailure';
  readonly kind: CloudErrorKind;

  constructor(kind: CloudErrorKind, facts: FailureFacts, options?: { readonly cause?: unknown }) {
    super(facts, options);
    this.kind = kind;
  }
}

/** Waits between repeated writes: 1 s, 2 s, 4 s, ... at most 20 s. `attempt` counts from 1. */
export const pauseBefore = (attempt: number): Duration =>
  milliseconds(Math.min(seconds(2 ** (attempt - 1)), seconds(20)));

const REFUSALS: ReadonlySet<CloudErrorKind> = new Set(['access-denied', 'invalid', 'not-found', 'conflict']);

/** The cloud itself said no, so that nothing was changed by it. Of credentials that ended an earlier try may have gone through. */
export const isRefused = (thrown: unknown): thrown is CloudFailure =>
  thrown instanceof CloudFailure && REFUSALS.has(thrown.kind);
