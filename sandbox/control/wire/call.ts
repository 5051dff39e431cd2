import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { randomUUID } from 'node:crypto';
import { restOperation } from './rest-operations.ts';

export type Protocol = 'json' | 'query' | 'ec2-query' | 'rest-xml' | 'rest-json' | 'cbor';

/** One HTTP request of an AWS client, read as far as the front needs it. */
export interface ApiCall {
  readonly protocol: Protocol;
  /** As IAM writes it: `ecs`, `elasticloadbalancing`, `cloudwatch`. */
  readonly service: string;
  /** Undefined for unsigned calls (AssumeRoleWithWebIdentity), as is the access key. */
  readonly region: string | undefined;
  readonly accessKey: string | undefined;
  /** `UpdateService`. */
  readonly operation: string;
  /** The SDK's id of the logical call, the same for each of its attempts. */
  readonly invocation: string;
  readonly attempt: number;
  /** The caller's time: `x-sluice-now` (epoch milliseconds), else `x-amz-date` (whole seconds). */
  readonly at: number | undefined;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Scope {
  readonly accessKey: string;
  readonly region: string;
  readonly signingName: string;
}

export async function readCall(request: IncomingMessage): Promise<ApiCall> {
  const body = await bodyOf(request);
  const url = request.url ?? '/';
  const scope = scopeOf(request.headers, url);
  const target = one(request.headers['x-amz-target']);
  const action = target === undefined ? actionOf(request.headers, body) : undefined;
  const service =
    IAM_NAMES[scope?.signingName ?? ''] ?? scope?.signingName ?? (action === undefined ? 'unknown' : 'sts');
  const protocol = protocolOf({ headers: request.headers, service, target, action });
  const method = request.method ?? 'GET';
  return {
    protocol,
    service,
    region: scope?.region,
    accessKey: scope?.accessKey,
    operation: target?.split('.').at(-1) ?? action ?? restOperation({ service, method, url }),
    invocation: one(request.headers['amz-sdk-invocation-id']) ?? randomUUID(),
    attempt: Number(/attempt=(\d+)/.exec(one(request.headers['amz-sdk-request']) ?? '')?.[1] ?? 1),
    at: timeOf(request.headers),
    method,
    url,
    headers: request.headers,
    body,
  };
}

const one = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header);

// Services that sign with another name than policies use.
const IAM_NAMES: Readonly<Record<string, string>> = { monitoring: 'cloudwatch' };

function scopeOf(headers: IncomingHttpHeaders, url: string): Scope | undefined {
  const header = /Credential=([^,\s]+)/.exec(headers.authorization ?? '')?.[1];
  const credential = header ?? new URL(url, 'http://front').searchParams.get('X-Amz-Credential');
  const [accessKey, , region, signingName] = credential?.split('/') ?? [];
  return accessKey && region && signingName ? { accessKey, region, signingName } : undefined;
}

function actionOf(headers: IncomingHttpHeaders, body: Buffer): string | undefined {
  if (!(headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')) return undefined;
  return new URLSearchParams(body.toString('utf8')).get('Action') ?? undefined;
}

function protocolOf(seen: {
  readonly headers: IncomingHttpHeaders;
  readonly service: string;
  readonly target: string | undefined;
  readonly action: string | undefined;
}): Protocol {
  if (seen.headers['smithy-protocol'] === 'rpc-v2-cbor') return 'cbor';
  if (seen.target !== undefined) return 'json';
  if (seen.action !== undefined) return seen.service === 'ec2' ? 'ec2-query' : 'query';
  return seen.service === 's3' || seen.service === 'route53' ? 'rest-xml' : 'rest-json';
}

function timeOf(headers: IncomingHttpHeaders): number | undefined {
  const exact = Number(one(headers['x-sluice-now']) ?? Number.NaN);
  if (Number.isFinite(exact)) return exact;
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(one(headers['x-amz-date']) ?? '') ?? [];
  if (second === undefined) return undefined;
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
