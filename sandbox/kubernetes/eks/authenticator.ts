import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../../../src/domain/failure.ts';
import type { Identity } from '../../tls/certificates.ts';
import { EKS_CLUSTER, identityOf } from './identity.ts';
import { signatureOf } from './presigned.ts';

export interface Authenticator {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * The token webhook of an EKS cluster: what aws-iam-authenticator checks (pkg/token/token.go), and in place of its question
 * to STS the check that STS makes, the signature and its age.
 */
export async function startAuthenticator(identity: Identity, seed: string): Promise<Authenticator> {
  const server = createServer({ key: identity.key, cert: identity.cert }, (request, response) => {
    review(request, response, seed).catch(() => response.writeHead(400).end());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

async function review(request: IncomingMessage, response: ServerResponse, seed: string): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const asked = JSON.parse(Buffer.concat(pieces).toString('utf8')) as { readonly spec: { readonly token: string } };
  const answer = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status: judge(asked.spec.token, seed) };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

function judge(token: string, seed: string): object {
  try {
    const arn = whoSigned(token, seed, Date.now());
    return { authenticated: true, user: { username: arn, uid: `aws:${arn}`, groups: [] } };
  } catch (problem) {
    return { authenticated: false, error: messageOf(problem) };
  }
}

const LARGEST = 4_096;
const KNOWN_PARAMETERS =
  /^(?:action|version|x-amz-(?:algorithm|credential|date|expires|security-token|signature|signedheaders))$/;

/** @throws Error when nobody may come in by this token */
export function whoSigned(token: string, seed: string, now: number): string {
  if (token.length > LARGEST) throw new Error('token is too large');
  const [, encoded] = /^k8s-aws-v1\.([\w-]+)$/.exec(token) ?? [];
  if (encoded === undefined) throw new Error('token is missing expected "k8s-aws-v1." prefix');
  const url = new URL(Buffer.from(encoded, 'base64url').toString('utf8'));
  if (url.protocol !== 'https:' || !/^sts\.[a-z0-9-]+\.amazonaws\.com$/.test(url.host) || url.pathname !== '/')
    throw new Error(`unexpected address ${url.origin}${url.pathname} in pre-signed URL`);
  const asked = asParameters(url);
  const asks = (name: string): string => asked.get(name) ?? '';
  if (asks('action') !== 'GetCallerIdentity') throw new Error('unexpected action parameter in pre-signed URL');
  if (!asks('x-amz-signedheaders').split(';').includes('x-k8s-aws-id'))
    throw new Error('client did not sign the x-k8s-aws-id header in the pre-signed URL');
  if (!/^\d{1,3}$/.test(asks('x-amz-expires')) || Number(asks('x-amz-expires')) > 900)
    throw new Error('invalid X-Amz-Expires parameter in pre-signed URL');
  const known = identityOf(seed, asks('x-amz-credential').split('/')[0] ?? '');
  if (known === undefined) throw new Error('sts getCallerIdentity failed: InvalidClientTokenId');
  const signed = signatureOf(url, { host: url.host, 'x-k8s-aws-id': EKS_CLUSTER }, known.secretAccessKey);
  if (signed !== asks('x-amz-signature')) throw new Error('sts getCallerIdentity failed: SignatureDoesNotMatch');
  const age = now - Date.parse(asks('x-amz-date').replace(/^(....)(..)(..T..)(..)/, '$1-$2-$3:$4:'));
  if (!(age < known.tokenSeconds * 1_000)) throw new Error('X-Amz-Date parameter is expired');
  return known.arn;
}

/** Each once, and none that is not known: another one could lead STS elsewhere. */
function asParameters(url: URL): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    const key = name.toLowerCase();
    if (!KNOWN_PARAMETERS.test(key)) throw new Error(`non-whitelisted query parameter ${name}`);
    if (found.has(key)) throw new Error(`query parameter with multiple values: ${name}`);
    found.set(key, value);
  }
  return found;
}
