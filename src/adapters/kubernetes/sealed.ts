import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Failure } from '../../domain/failure.ts';

/** Format: `SLUICEB1`, salt (16), nonce (12), tag (16), then the gzipped text under AES-256-GCM; the head is authenticated too. */
const MAGIC = Buffer.from('SLUICEB1');
const SALT = 16;
const NONCE = 12;
const TAG = 16;
/** OWASP's floor for scrypt: 2^17, 8, 1. */
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };
const UNPACKED_AT_MOST = 512 * 1024 * 1024;

const keyFrom = (passphrase: string, salt: Buffer): Promise<Buffer> =>
  new Promise((done, fail) => {
    scrypt(passphrase.normalize('NFKC'), salt, 32, COST, (error, key) => (error === null ? done(key) : fail(error)));
  });

export async function seal(text: string, passphrase: string): Promise<Buffer> {
  const [salt, nonce] = [randomBytes(SALT), randomBytes(NONCE)];
  const cipher = createCipheriv('aes-256-gcm', await keyFrom(passphrase, salt), nonce);
  const head = Buffer.concat([MAGIC, salt, nonce]);
  cipher.setAAD(head);
  const packed = await promisify(gzip)(text);
  const body = Buffer.concat([cipher.update(packed), cipher.final()]);
  return Buffer.concat([head, cipher.getAuthTag(), body]);
}

export async function unseal(sealed: Buffer, passphrase: string, name: string): Promise<string> {
  const headLength = MAGIC.length + SALT + NONCE;
  if (sealed.length < headLength + TAG || !sealed.subarray(0, MAGIC.length).equals(MAGIC))
    throw new Failure({ what: `Could not open ${name}`, why: 'it is no backup of Sluice' });
  const head = sealed.subarray(0, headLength);
  const salt = head.subarray(MAGIC.length, MAGIC.length + SALT);
  const decipher = createDecipheriv('aes-256-gcm', await keyFrom(passphrase, salt), head.subarray(MAGIC.length + SALT));
  decipher.setAAD(head);
  decipher.setAuthTag(sealed.subarray(headLength, headLength + TAG));
  try {
    const packed = Buffer.concat([decipher.update(sealed.subarray(headLength + TAG)), decipher.final()]);
    return (await promisify(gunzip)(packed, { maxOutputLength: UNPACKED_AT_MOST })).toString('utf8');
  } catch (cause) {
    throw new Failure(
      {
        what: `Could not open ${name}`,
        why: 'backup-key is not the one that it was sealed with, or the file was changed',
        now: 'Nothing was touched',
      },
      { cause },
    );
  }
}
