import { CloudFailure, type CloudErrorKind, explainCloudError, mayPass } from '../retry-policy.ts';
import type { Failure, FailureFacts } from '../failure.ts';
import { isFields, listAt, numberAt, textAt } from './object.ts';

/** One cause of a refusal, as the API server lists them. */
export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** An answer that is not the object that was asked for: `kind: Status`, or whatever a proxy wrote. */
export interface KubeStatus {
  readonly code: number;
  /** `NotFound`, `Conflict`, `AlreadyExists`, `Invalid`, `Forbidden`, `Expired`; empty when a proxy answered. */
  readonly reason: string;
  readonly message: string;
  readonly causes: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export function readStatus(code: number, body: unknown, text: string): KubeStatus {
  if (!isFields(body) || body['kind'] !== 'Status')
    return { code, reason: '', message: text.replaceAll(/\s+/g, ' ').trim().slice(0, 300), causes: [] };
  const seconds = numberAt(body, 'details', 'retryAfterSeconds');
  return {
    code: numberAt(body, 'code') ?? code,
    reason: textAt(body, 'reason') ?? '',
    message: textAt(body, 'message') ?? '',
    causes: listAt(body, 'details', 'causes').map((cause) => ({
      reason: textAt(cause, 'reason') ?? '',
      message: textAt(cause, 'message') ?? '',
      field: textAt(cause, 'field') ?? '',
    })),
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
  };
}

/** A call to the API server that did not do what it was asked for, with what the server said. */
export class KubeFailure extends CloudFailure {
  override readonly name: string = 'KubeFailure';
  /** Absent: no answer came. */
  readonly status: KubeStatus | undefined;

  constructor(
    kind: CloudErrorKind,
    facts: FailureFacts,
    options: { cause?: unknown; status?: KubeStatus | undefined },
  ) {
    super(kind, facts, options);
    this.status = options.status;
  }
}

export const isReason = (thrown: unknown, ...reasons: readonly string[]): thrown is KubeFailure =>
  thrown instanceof KubeFailure && thrown.status !== undefined && reasons.includes(thrown.status.reason);

/**
 * A webhook that is being replaced by this very release answers again in a moment (cert-manager/cert-manager#2908), and so
 * does one whose node is: what the API server says of a call that got no answer, not of one that was refused or is set up wrongly.
 */
const WEBHOOK_AWAY =
  /failed calling webhook.*(?:no endpoints available|connection (?:refused|reset|lost)|deadline exceeded|(?:i\/o|handshake) timeout|Client\.Timeout|timed out|\bEOF\b|no route to host|network is unreachable|broken pipe|unable to handle the request)/is;

/** What is wrong with the object itself: server-side apply answers some of it with 500, and it does not pass. */
const BAD_OBJECT =
  /failed to create typed patch object|field not declared in schema|illegal base64 data|cannot unmarshal|unable to decode/;

export function kindOfStatus({ code, message }: KubeStatus): CloudErrorKind {
  if (BAD_OBJECT.test(message)) return 'invalid';
  if (code === 429) return 'throttled';
  if (WEBHOOK_AWAY.test(message)) return 'transient';
  if (code === 401) return 'expired-token';
  if (code === 403) return 'access-denied';
  if (code === 404 || code === 410) return 'not-found';
  if (code === 409) return 'conflict';
  if (code === 500) return message.includes('failed calling webhook') ? 'invalid' : 'transient';
  return code >= 500 ? 'transient' : 'invalid';
}

/** `why` and `next` of a refusal by the server. */
export function explainStatus(status: KubeStatus): Pick<FailureFacts, 'why' | 'next'> {
  const said = status.message || `the server answered ${status.code}`;
  switch (kindOfStatus(status)) {
    case 'access-denied':
      return {
        why: `access denied (${said})`,
        next: 'Grant the right that is named to this user or service account; `mode: rbac` prints the whole Role',
      };
    case 'expired-token':
      return { why: `the credentials are not accepted (${said})`, next: 'Give credentials that this cluster knows' };
    case 'throttled':
      return { why: `the API server is overloaded (${said})`, next: 'Re-run: it goes on from where this run stopped' };
    case 'transient':
      return {
        why: `the API server did not do it (${status.code}: ${said})`,
        next: 'Re-run: it goes on from where this run stopped',
      };
    case 'no-credentials':
    case 'not-found':
    case 'conflict':
    case 'invalid':
    case 'unknown':
      return { why: said };
  }
}

/** `why` and `next` where no answer came at all. */
export function explainSilence(code: string | undefined, message: string): Pick<FailureFacts, 'why' | 'next'> {
  if (code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/.test(code))
    return {
      why: `its certificate is not trusted (${code}: ${message})`,
      next: 'Give the certificate authority of the cluster: certificate-authority, or certificate-authority-data of the kubeconfig',
    };
  const { why } = explainCloudError('transient', { name: 'Error', message, ...(code ? { code } : {}) }, 'request');
  return {
    why: why.replace('AWS did not answer request', 'the API server did not answer'),
    next: 'Re-run: it goes on from where this run stopped',
  };
}

/** What to do about a call that only time helps is said by whoever ends the run. */
export function clauseOf(failure: Failure): string {
  const { what, why } = failure.facts;
  const passes = failure instanceof KubeFailure && mayPass(failure.kind) && why !== undefined;
  return passes ? `${what}: ${why}` : failure.message.replace(/\.$/, '');
}

/** Whether the server refuses a change because the field is never changed, so that making the object again would help. */
export const changesImmutable = (message: string): boolean =>
  /immutable|may not change once set|updates to .* are forbidden|cannot change roleRef|may not be changed in an update/i.test(
    message,
  );
