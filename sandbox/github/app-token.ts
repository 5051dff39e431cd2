import { createPublicKey, createSign, createVerify, generateKeyPairSync } from 'node:crypto';
import type { Emulator } from 'emulate';

/** An installation token of one of the sandbox's apps: the nearest thing to the token of a job. */
export async function installationToken(emulator: Emulator, appId: number, installation: number): Promise<string> {
  const answer = await fetch(`${emulator.url}/app/installations/${installation}/access_tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${appJwt(String(appId), appKey())}`, 'content-type': 'application/json' },
    body: '{}',
  });
  const data = (await answer.json()) as { token?: string };
  if (data.token === undefined) throw new Error(`emulate gave no installation token: ${answer.status}`);
  return data.token;
}

let key: string | undefined;

/** The private key of the sandbox's apps: one for all of them and for the life of the process, because making one takes long. */
export function appKey(): string {
  key ??= generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  }).privateKey;
  return key;
}

function appJwt(appId: string, privateKey: string): string {
  const now = Math.floor(Date.now() / 1_000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsigned = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ iat: now - 30, exp: now + 300, iss: appId })}`;
  return `${unsigned}.${createSign('RSA-SHA256').update(unsigned).sign(privateKey, 'base64url')}`;
}

/**
 * Whether GitHub would take this token of an app at `now` (epoch milliseconds): signature, issuer, begun, not ended, at
 * most ten minutes long (docs, "Generating a JSON Web Token for a GitHub App").
 */
export function isAppJwt(
  token: string,
  app: { readonly id: number; readonly privateKey: string },
  now: number,
): boolean {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const read = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>;
  try {
    const { iat, exp, iss } = read(payload) as { iat: number; exp: number; iss: string | number };
    const signed = createVerify('RSA-SHA256')
      .update(`${header}.${payload}`)
      .verify(createPublicKey(app.privateKey), signature, 'base64url');
    const seconds = now / 1_000;
    return (
      signed &&
      read(header)['alg'] === 'RS256' &&
      String(iss) === String(app.id) &&
      iat <= seconds + 1 &&
      exp > seconds &&
      exp - iat <= 600
    );
  } catch {
    return false;
  }
}
