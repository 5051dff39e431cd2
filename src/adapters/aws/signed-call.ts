import { SignatureV4 } from '@smithy/signature-v4';
import { seconds } from '../../domain/duration.ts';
import { CloudFailure, mayPass, pauseBefore } from '../../domain/retry-policy.ts';
import type { Clock } from '../../ports/clock.ts';
import { proxiedFetch } from '../http/proxied-fetch.ts';
import { type CallFacts, callAws } from './errors.ts';
import type { AwsSession } from './session.ts';
import { NodeSha256 } from './sha256.ts';

/*
 * A single read of a service of which nothing else is needed. Its client would be some megabytes of the bundle for one
 * answer (EC2's alone is larger than all others together), so the call is signed and sent by hand.
 */
export interface SignedCall {
  /** As endpoints and signatures name it: `ec2`, `iam`, `monitoring`, `servicequotas`. */
  readonly service: string;
  /** Absent: the region's endpoint of the service. */
  readonly at?: { readonly host: string; readonly region: string };
  /** As `AWS_ENDPOINT_URL_<id>` names it: `SERVICE_QUOTAS`. */
  readonly endpointId: string;
  /** Fields of a form (the Query protocol), or a JSON body with its target. */
  readonly ask:
    | { readonly kind: 'query'; readonly fields: Readonly<Record<string, string>> }
    | { readonly kind: 'json'; readonly target: string; readonly input: unknown };
}

export type SendSigned = (call: SignedCall, facts: CallFacts, signal: AbortSignal) => Promise<string>;

const ATTEMPTS = 3;

/** Returns the text of the answer; errors are those of callAws, and what may pass is asked for three times. */
export function signedCalls(
  session: Pick<AwsSession, 'region' | 'credentials' | 'endpointOf'>,
  clock: Clock,
): SendSigned {
  return async (call, facts, signal) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await callAws(facts, signal, () => send(call, session, clock, signal));
      } catch (thrown) {
        if (attempt === ATTEMPTS || !(thrown instanceof CloudFailure) || !mayPass(thrown.kind)) throw thrown;
        await clock.sleep(pauseBefore(attempt), signal);
      }
    }
  };
}

async function send(
  { service, at, endpointId, ask }: SignedCall,
  { region, credentials, endpointOf }: Pick<AwsSession, 'region' | 'credentials' | 'endpointOf'>,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  const suffix = region.startsWith('cn-') ? '.com.cn' : '.com';
  const own = at?.host ?? `${service}.${region}.amazonaws${suffix}`;
  const url = new URL(endpointOf(endpointId) ?? `https://${own}`);
  const body = ask.kind === 'query' ? new URLSearchParams(ask.fields).toString() : JSON.stringify(ask.input);
  const headers = {
    host: url.host,
    ...(ask.kind === 'query'
      ? { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
      : { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': ask.target }),
  };
  const signer = new SignatureV4({ service, region: at?.region ?? region, credentials, sha256: NodeSha256 });
  const signed = await signer.sign(
    { method: 'POST', protocol: url.protocol, hostname: url.hostname, path: '/', query: {}, headers, body },
    { signingDate: new Date(clock.now()) },
  );
  const { host: _, ...sent } = signed.headers;
  const within = AbortSignal.any([signal, AbortSignal.timeout(seconds(10))]);
  const answer = await proxiedFetch(new URL('/', url), { method: 'POST', headers: sent, body, signal: within });
  const text = await answer.text();
  if (!answer.ok) throw refusal(answer.status, text);
  return text;
}

/** With the fields that an error of the SDK has, so that it is classified and told as one. */
function refusal(status: number, text: string): Error {
  const name = element(text, 'Code') ?? /"__type"\s*:\s*"(?:[^"#]*#)?([^"]+)"/.exec(text)?.[1] ?? 'UnknownError';
  const message =
    element(text, 'Message') ?? /"[mM]essage"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text.slice(0, 200);
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
}

/** Texts of all elements of this name; for numbers, names and ARNs, which XML does not escape. */
export const elements = (xml: string, name: string): readonly string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text = '']) => text);

const element = (xml: string, name: string): string | undefined => elements(xml, name)[0];
