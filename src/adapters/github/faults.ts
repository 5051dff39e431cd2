import { type Duration, milliseconds, seconds } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';

/** What went wrong with one request, as plain values; `status` 0: there was no answer. */
export interface GitHubFault {
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** octokit's RequestError carries the answer; a broken connection has none (octokit then says 500 without a response). */
export function faultOf(cause: unknown): GitHubFault {
  const error = cause as { status?: unknown; message?: unknown; response?: { headers?: GitHubFault['headers'] } };
  const answered = typeof error.status === 'number' && (error.response !== undefined || error.status === 304);
  return {
    status: answered ? (error.status as number) : 0,
    message: typeof error.message === 'string' ? error.message : String(cause),
    headers: error.response?.headers ?? {},
  };
}

const isRateLimit = ({ status, headers, message }: GitHubFault): boolean =>
  status === 429 ||
  (status === 403 &&
    (headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0' || /rate limit/i.test(message)));

/** 5xx, rate limits and broken connections may pass; a missing right, token or issue does not. */
export function mayPass(fault: GitHubFault | undefined): boolean {
  if (fault === undefined) return false;
  return fault.status === 0 || fault.status >= 500 || fault.status === 408 || isRateLimit(fault);
}

/** GitHub's own order: Retry-After, else the reset of the limit, else at least a minute. undefined: no limit was hit. */
export function retryAfter(fault: GitHubFault | undefined): Duration | undefined {
  if (fault === undefined || !isRateLimit(fault)) return undefined;
  const after = Number(fault.headers['retry-after']);
  if (fault.headers['retry-after'] !== undefined && after >= 0) return seconds(after);
  const reset = Number(fault.headers['x-ratelimit-reset']);
  const now = Date.parse(fault.headers['date'] ?? '');
  if (fault.headers['x-ratelimit-remaining'] === '0' && reset > 0 && now > 0)
    return milliseconds(Math.max(1_000, reset * 1_000 - now));
  return seconds(60);
}

/** The right that a refusal names, as GitHub writes it: `issues=write`. */
export function missingRight(fault: GitHubFault | undefined): string | undefined {
  if (fault?.status !== 403 || isRateLimit(fault)) return undefined;
  return fault.headers['x-accepted-github-permissions'] ?? 'a right that GitHub does not name';
}

export function failureOf(
  fault: GitHubFault,
  { what, repository }: { readonly what: string; readonly repository: string },
): Failure {
  return new Failure(
    { what: `Could not ${what} in ${repository}`, why: whyOf(fault), ...nextOf(fault) },
    { cause: fault },
  );
}

const whyOf = ({ status, message }: GitHubFault): string =>
  status === 0 ? `no answer (${message})` : `GitHub answered ${status} (${message.slice(0, 300)})`;

function nextOf(fault: GitHubFault): { readonly next?: string } {
  const needs = fault.headers['x-accepted-github-permissions'];
  switch (fault.status) {
    case 401:
      return { next: 'The token is not valid (any more): pass one that lives as long as the gate waits' };
    case 403:
      return isRateLimit(fault)
        ? {}
        : { next: `Grant the job what it needs: ${needs ?? 'issues: write, actions: read'}` };
    case 404:
      return {
        next: `Check that it exists and that the token may see it (${needs ?? 'issues: write, actions: read'})`,
      };
    case 301:
    case 302:
    case 307:
    case 308:
      return { next: 'It was moved or renamed: nothing outside this repository is believed. Re-run to ask again' };
    case 410:
      return {
        next: 'Issues are switched off in this repository, or the issue was deleted: switch them on in the settings',
      };
    default:
      return {};
  }
}
