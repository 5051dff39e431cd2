import { createHmac, timingSafeEqual } from 'node:crypto';

/** The one user of the demo application. It guards nothing; it exists so that logins and tokens can be rehearsed. */
export const DEMO_USER = 'demo';
export const DEMO_PASSWORD = 'demo-password';

// Every task must accept what another task of the same service issued, so the key cannot be made at start.
const KEY = 'sandbox demo application';

const sign = (user: string): Buffer => createHmac('sha256', KEY).update(user).digest();

/** The token that POST /api/login gives; a rehearsal can make it without logging in. */
export const tokenFor = (user: string): string =>
  `${Buffer.from(user).toString('base64url')}.${sign(user).toString('base64url')}`;

/** Whose token it is; undefined for one that this application never issued. */
export function userOf(token: string): string | undefined {
  const [name = '', signature = ''] = token.split('.');
  const user = Buffer.from(name, 'base64url').toString();
  const given = Buffer.from(signature, 'base64url');
  const expected = sign(user);
  return given.length === expected.length && timingSafeEqual(given, expected) ? user : undefined;
}
