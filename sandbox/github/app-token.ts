import { createSign } from 'node:crypto';
import type { Emulator } from 'emulate';

/** An installation token of the sandbox's `github-actions` app: the nearest thing to the token of a job. */
export async function installationToken(emulator: Emulator): Promise<string> {
  const key = emulator.generatedSecrets.find((secret) => secret.kind === 'github.app_private_key');
  if (key === undefined) throw new Error('emulate generated no private key for the app github-actions');
  const answer = await fetch(`${emulator.url}/app/installations/1/access_tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${appJwt(key.id, key.value)}`, 'content-type': 'application/json' },
    body: '{}',
  });
  const data = (await answer.json()) as { token?: string };
  if (data.token === undefined) throw new Error(`emulate gave no installation token: ${answer.status}`);
  return data.token;
}

function appJwt(appId: string, privateKey: string): string {
  const now = Math.floor(Date.now() / 1_000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsigned = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ iat: now - 30, exp: now + 300, iss: appId })}`;
  return `${unsigned}.${createSign('RSA-SHA256').update(unsigned).sign(privateKey, 'base64url')}`;
}
