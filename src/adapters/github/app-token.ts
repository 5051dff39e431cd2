import { createPrivateKey, sign } from 'node:crypto';
import { Failure, messageOf } from '../../domain/failure.ts';
import { type Instant, formatInstant } from '../../domain/duration.ts';

/**
 * The token by which a GitHub App names itself (docs, "Generating a JSON Web Token for a GitHub App"): RS256, at most
 * ten minutes, begun a minute ago because clocks differ. Written here: 15 lines of Node's own crypto against a library
 * with three more behind it, and the clock stays ours.
 */
export function appJwt({ appId, privateKey }: AppKey, now: Instant): string {
  const seconds = Math.floor(now / 1_000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsigned = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ iat: seconds - 60, exp: seconds + 480, iss: appId })}`;
  try {
    const key = createPrivateKey(privateKey.includes('\\n') ? privateKey.replaceAll('\\n', '\n') : privateKey);
    return `${unsigned}.${sign('sha256', Buffer.from(unsigned), key).toString('base64url')}`;
  } catch (cause) {
    throw new Failure(
      {
        what: 'private-key cannot be used',
        why: messageOf(cause),
        now: `No token was made (${formatInstant(now)})`,
        next: 'Pass the whole .pem file of the App, from -----BEGIN to the end',
      },
      { cause },
    );
  }
}

export interface AppKey {
  readonly appId: string;
  readonly privateKey: string;
}
