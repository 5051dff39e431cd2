import { EnvHttpProxyAgent, type Dispatcher, type RequestInit, type Response, fetch } from 'undici';
import { type Duration, milliseconds, seconds } from '../../domain/duration.ts';
import { messageOf } from '../../domain/failure.ts';
import { RegistryRefusal, classifyRegistryError } from '../../domain/image-build/registry-errors.ts';
import { type CloudErrorKind, CloudFailure, mayPass } from '../../domain/retry-policy.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { CredentialsSource } from '../../ports/image-registry.ts';
import type { Random } from '../../ports/random.ts';
import { isLoopback } from '../http/loopback.ts';
import { refusalText } from './body.ts';
import { type Authorization, type TokenAnswer, type TokenRefusal, registryAuthorization } from './authorization.ts';

export interface RegistryTools {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  mask(value: string): void;
}

export interface RegistryAddress {
  /** `ghcr.io`, `127.0.0.1:5000`. */
  readonly host: string;
  readonly credentials: CredentialsSource;
}

export interface RegistryCall {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Below `/v2/`, or a whole address that the registry gave. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew for every try: a stream can be read once. */
  readonly body?: () => Promise<NonNullable<RequestInit['body']>>;
  /** `repository:team/api:pull`. Several are separated by blanks. */
  readonly scope: string;
  /** `Could not put tag 1.2 in ghcr.io/acme/shop` */
  readonly what: string;
  /** Statuses that are answers and no refusals. */
  readonly expected: readonly number[];
  readonly now?: string;
  /** `once`: whoever asks tries again by another way. */
  readonly repeat?: 'once';
}

export type Send = (call: RegistryCall, signal: AbortSignal) => Promise<Response>;

const TRIES = 5;
const ANSWER_WITHIN: Duration = seconds(60);
const LONGEST_PAUSE: Duration = seconds(20);

/** Sends with authorization, and again by the class of the error: what waiting can mend, and a token that has run out. */
export function registryRequests({ host, credentials }: RegistryAddress, tools: RegistryTools): Send {
  // Proxies as every other program of the runner has them.
  const dispatcher: Dispatcher = new EnvHttpProxyAgent({ connect: { timeout: 10_000 } });
  // dockerd takes 127.0.0.0/8 for a registry without TLS; whatever else wants TLS.
  const base = `${isLoopback(host.replace(/:\d+$/, '')) ? 'http' : 'https'}://${host}`;
  const authorization = registryAuthorization(host, credentials, {
    mask: tools.mask,
    ask: async ({ url, headers, form }, signal) => {
      const how = form === undefined ? {} : { method: 'POST', body: form };
      const answer = await fetch(url, { headers, ...how, dispatcher, signal: within(signal) });
      const retryAfter = answer.headers.get('retry-after');
      return { status: answer.status, body: await refusalText(answer), retryAfter };
    },
  });
  return async (call, signal) => {
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      const tried = await once(call, { base, dispatcher, authorization }, signal);
      if (tried.kind === 'answer') return tried.response;
      if (!mayPass(tried.error) || attempt >= TRIES || call.repeat === 'once')
        throw failureOf(call, { host, who: authorization.who() }, tried);
      const pause = tried.after ?? pauseOf(attempt, tools.random);
      tools.log.debug(`${call.what}: ${tried.why}; try ${attempt} of ${TRIES}, again in ${Math.round(pause)} ms`);
      await tools.clock.sleep(pause, signal);
    }
  };
}

const within = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN)]);

/** Full jitter: many jobs that were throttled together must not come back together. */
const pauseOf = (attempt: number, random: Random): Duration =>
  milliseconds(Math.min(LONGEST_PAUSE, 250 * 2 ** attempt) * (0.2 + 0.8 * random.fraction()));

type Tried = { readonly kind: 'answer'; readonly response: Response } | Refused;

interface Refused {
  readonly kind: 'refused';
  readonly error: CloudErrorKind;
  readonly why: string;
  readonly after?: Duration;
  readonly cause?: unknown;
}

interface Connection {
  readonly base: string;
  readonly dispatcher: Dispatcher;
  readonly authorization: Authorization;
}

async function once(
  call: RegistryCall,
  { base, dispatcher, authorization }: Connection,
  signal: AbortSignal,
): Promise<Tried> {
  const url = call.path.startsWith('http')
    ? call.path
    : `${base}${call.path.startsWith('/') ? '' : '/v2/'}${call.path}`;
  // An upload may be sent to another host, which must not see the token.
  const own = new URL(url).origin === base;
  try {
    for (;;) {
      const header = own ? authorization.header(call.scope) : undefined;
      const body = await call.body?.();
      const response = await fetch(url, {
        method: call.method,
        headers: { ...call.headers, ...(header === undefined ? {} : { authorization: header }) },
        ...(body === undefined ? {} : { body, duplex: 'half' as const }),
        dispatcher,
        signal: within(signal),
      });
      if (call.expected.includes(response.status)) {
        authorization.accepted(call.scope);
        return { kind: 'answer', response };
      }
      const challenge = response.headers.get('www-authenticate');
      if (response.status === 401 && own) {
        const text = await refusalText(response);
        const answer = await authorization.answer(challenge, call.scope, signal);
        if (answer === 'try-again') continue;
        return answer === 'give-up' ? refusal(response, text) : tokenRefusal(answer);
      }
      return refusal(response, await refusalText(response));
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof CloudFailure) throw cause;
    return { kind: 'refused', error: 'transient', why: reasonOf(cause), cause };
  }
}

const refusal = ({ status, headers }: Response, body: string): Refused =>
  refused({ status, body, retryAfter: headers.get('retry-after') });

function refused({ status, body, retryAfter }: TokenAnswer): Refused {
  const { code, message } = errorIn(body);
  const said = [code, message].filter((part) => part !== '').join(': ');
  const after = Number(retryAfter ?? Number.NaN);
  return {
    kind: 'refused',
    error: classifyRegistryError({ status, code, message: `${message} ${body.slice(0, 500)}` }),
    why: `status ${status}${said === '' ? '' : ` (${said})`}`,
    ...(Number.isFinite(after) && after >= 0 ? { after: milliseconds(Math.min(after * 1_000, LONGEST_PAUSE)) } : {}),
  };
}

/** An outage of the token server is waited for as one of the registry is; GHCR tells a missing right here; what else it says means: not with this login. */
function tokenRefusal({ server, answer }: TokenRefusal): Refused {
  const { error, why, ...more } = refused(answer);
  const says = answer.status === 200 ? 'an answer without a token' : why;
  const known = mayPass(error) || error === 'access-denied';
  return { ...more, error: known ? error : 'expired-token', why: `${says} of its token server ${server}` };
}

/** The first error of the specification's document; a proxy's page has none. */
function errorIn(text: string): { readonly code: string; readonly message: string } {
  try {
    const { errors } = JSON.parse(text) as { errors?: readonly { code?: unknown; message?: unknown }[] };
    const [first] = errors ?? [];
    return { code: textOf(first?.code), message: textOf(first?.message) };
  } catch {
    return { code: '', message: '' };
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** fetch says `fetch failed` and keeps the reason as its cause. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
  return messageOf(cause) || messageOf(thrown);
}

function failureOf(
  { what, now, scope }: RegistryCall,
  { host, who }: { readonly host: string; readonly who: string | undefined },
  { error, why, cause }: Refused,
): CloudFailure {
  if (error === 'access-denied' || error === 'expired-token') {
    const right = scope.includes('push') ? 'push' : 'pull';
    const whom = who === undefined ? 'a visitor without a login' : `the login ${who}`;
    const next = {
      'access-denied': `Give the job the right to ${right === 'push' ? 'push to' : 'pull from'} ${host} (GHCR: packages: write; ECR: the IAM actions in the README), then re-run`,
      'expired-token': `Log in to ${host}: build-image does it for ECR and GHCR, else docker login in a step before`,
    }[error];
    const refused = `${host} refuses ${whom} the right to ${right}, with ${why}`;
    return new RegistryRefusal(error, { what, why: refused, ...(now === undefined ? {} : { now }), next }, { cause });
  }
  const next: Partial<Record<CloudErrorKind, string>> = {
    'not-found': 'Create the repository; build-image does not make one',
    conflict: 'A tag that must not move is never overwritten: release under a new version',
    throttled: 'Re-run: it goes on from where this run stopped',
    transient: 'Re-run: it goes on from where this run stopped',
  };
  return new CloudFailure(
    error,
    { what, why, ...(now === undefined ? {} : { now }), ...(next[error] === undefined ? {} : { next: next[error] }) },
    { cause },
  );
}
