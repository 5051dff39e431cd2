import type { ResolvedCheck } from '../../domain/checks/document.ts';
import { type Destination, decideRedirect, destinationOf, harmless } from '../../domain/checks/redirect.ts';
import { sufficientStatus } from '../../domain/checks/judge.ts';
import { type Duration, milliseconds } from '../../domain/duration.ts';
import type { ProbeRequest, ProbeResult, Prober } from '../../ports/prober.ts';

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

interface First {
  readonly own: Destination;
  readonly request: ProbeRequest;
}

/** The request of a check is the same at every try, and a load tries often, at two targets in turn when there is a stable one. */
const FIRSTS = new WeakMap<ChecksTarget, WeakMap<ResolvedCheck, First>>();

function firstOf(check: ResolvedCheck, target: ChecksTarget): First {
  const ofTarget = FIRSTS.get(target) ?? new WeakMap<ResolvedCheck, First>();
  FIRSTS.set(target, ofTarget);
  const known = ofTarget.get(check);
  if (known !== undefined) return known;
  const own = destinationOf(target, check.path);
  const suffices = statusOnly(check);
  const first: First = {
    own,
    request: {
      method: check.method,
      url: own.connect.href,
      ...(own.host === undefined ? {} : { host: own.host }),
      headers: headersOf(check, target),
      ...(check.body === undefined ? {} : { body: check.body }),
      timeout: check.timeout,
      bodyLimit: BODY_LIMIT,
      ...(suffices === undefined ? {} : { statusSuffices: suffices }),
    },
  };
  ofTarget.set(check, first);
  return first;
}

function statusOnly({ socket, redirects, captures, warn, addresses, expect }: ResolvedCheck): StatusTest | undefined {
  const plain = redirects.kind === 'never' && captures.length === 0 && warn === undefined && addresses === 'any';
  return plain && socket === undefined ? sufficientStatus(expect) : undefined;
}

type StatusTest = NonNullable<ProbeRequest['statusSuffices']>;

/** The request of a check that a status alone can pass: there is nothing around it. */
export type PlainRequest = ProbeRequest & { readonly statusSuffices: StatusTest };

/** undefined: the check is more than that. */
export function plainCheck(check: ResolvedCheck, target: ChecksTarget): PlainRequest | undefined {
  const { request } = firstOf(check, target);
  return isPlain(request) ? request : undefined;
}

const isPlain = (request: ProbeRequest): request is PlainRequest => request.statusSuffices !== undefined;

/** One try of a check: its request, and the redirects that the check allows. A redirect that must not be followed is a failure. */
export function probeCheck(
  check: ResolvedCheck,
  target: ChecksTarget,
  tools: { readonly prober: Prober; readonly address?: string },
  signal: AbortSignal,
): Promise<ProbeResult> {
  const first = firstOf(check, target);
  if (check.redirects.kind === 'follow') return probeAndFollow(check, first, tools, signal);
  const { request } = first;
  return tools.prober.probe(tools.address === undefined ? request : { ...request, address: tools.address }, signal);
}

async function probeAndFollow(
  check: ResolvedCheck,
  { own, request: first }: First,
  { prober, address }: { readonly prober: Prober; readonly address?: string },
  signal: AbortSignal,
): Promise<ProbeResult> {
  let { method, body } = check;
  let { headers } = first;
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
    if (result.kind === 'failed') return { ...result, duration: spent };
    const whole: ProbeResult = { ...result, body: result.body, headers: result.headers, duration: spent };
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
