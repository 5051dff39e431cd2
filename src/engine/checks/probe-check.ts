import type { ResolvedCheck } from '../../domain/checks/document.ts';
import { type Destination, decideRedirect, destinationOf, harmless } from '../../domain/checks/redirect.ts';
import { type Duration, milliseconds } from '../../domain/duration.ts';
import type { Prober, ProbeResult } from '../../ports/prober.ts';

/** Where the checks of one run go. */
export interface ChecksTarget {
  /** Base URL to connect to. */
  readonly url: string;
  /** Name for TLS and the Host header, when it is not the host of `url`. */
  readonly host?: string;
  /** Sent with every request to the target, over those of the file: routing headers of a candidate, for example. */
  readonly headers: Readonly<Record<string, string>>;
  /** What a check's `version` expects when it does not say so itself. */
  readonly expectVersion?: string;
}

/** Bytes of a body that are read. */
export const BODY_LIMIT = 1_048_576;
const MOST_REDIRECTS = 5;

/** One try of a check: its request, and the redirects that the check allows. A redirect that must not be followed is a failure. */
export async function probeCheck(
  check: ResolvedCheck,
  target: ChecksTarget,
  { prober, address }: { readonly prober: Prober; readonly address?: string },
  signal: AbortSignal,
): Promise<ProbeResult> {
  const own = destinationOf(target, check.path);
  let method = check.method;
  let body = check.body;
  let headers = headersOf(check, target);
  let at: Destination = own;
  let spent: Duration = milliseconds(0);
  for (let hops = 0; ; hops++) {
    const result = await prober.probe(
      {
        method,
        url: at.connect.href,
        ...(at.host === undefined ? {} : { host: at.host }),
        // A redirect to another host has addresses of its own.
        ...(address === undefined || at.connect.hostname !== own.connect.hostname ? {} : { address }),
        headers,
        ...(body === undefined ? {} : { body }),
        timeout: check.timeout,
        bodyLimit: BODY_LIMIT,
      },
      signal,
    );
    spent = milliseconds(spent + result.duration);
    const whole = { ...result, duration: spent };
    if (result.kind === 'failed') return whole;
    const seen = { status: result.status, location: result.headers['location'], method, hasBody: body !== undefined };
    const decision = decideRedirect(seen, at, { redirects: check.redirects, target: own });
    if (decision.kind === 'final') return whole;
    if (decision.kind === 'refused') return failed(decision.why, spent);
    if (hops === MOST_REDIRECTS) return failed(`more than ${MOST_REDIRECTS} redirects`, spent);
    const { hop } = decision;
    at = hop.to;
    method = hop.method;
    if (hop.body === 'dropped') body = undefined;
    if (hop.headers === 'harmless') headers = harmless(headers);
  }
}

const failed = (message: string, duration: Duration): ProbeResult => ({
  kind: 'failed',
  fault: 'other',
  message,
  duration,
});

export function headersOf(check: ResolvedCheck, target: ChecksTarget): Readonly<Record<string, string>> {
  const ofTarget = Object.fromEntries(
    Object.entries(target.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return { accept: '*/*', 'user-agent': 'sluice', ...check.headers, ...ofTarget };
}
