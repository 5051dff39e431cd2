import { type KeyObject, X509Certificate, createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** DER (X.690): one element with its length in as few bytes as it takes, which Go insists on. */
const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content), content]);
};

function lengthOf({ length }: Buffer): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  return length < 0x100 ? Buffer.from([0x81, length]) : Buffer.from([0x82, length >> 8, length & 0xff]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));
const bits = (content: Buffer): Buffer => der(0x03, Buffer.from([0]), content);
const utcTime = (date: Date): Buffer =>
  der(
    0x17,
    Buffer.from(
      `${date
        .toISOString()
        .replace(/\.\d+Z$/, 'Z')
        .replace(/[-:T]/g, '')
        .slice(2)}`,
    ),
  );

const COMMON_NAME = oid('550403');
const ORGANIZATION = oid('55040a');
const SUBJECT_ALT_NAME = oid('551d11');
const BASIC_CONSTRAINTS = oid('551d13');
const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'));
const TRUE = Buffer.from([0x01, 0x01, 0xff]);

export interface Identity {
  /** PKCS #8, PEM. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
}

/** Who a certificate is for. Kubernetes reads the name as the user and the organizations as its groups. */
export interface Subject {
  readonly name: string;
  readonly organizations?: readonly string[];
  /** DNS names and IPv4 addresses that a server answers for. */
  readonly hosts?: readonly string[];
}

/** Signs certificates for others; its own is what they are checked against. */
export interface Authority extends Identity {
  issue(subject: Subject): Identity;
}

/** A self-signed certificate (RFC 5280) for one host, valid from yesterday until tomorrow: no key lies in the repository. */
export function selfSigned(host: string): Identity {
  const keys = keyPair();
  const subject = { name: host, hosts: [host] };
  return identity(keys.privateKey, body({ subject, issuer: nameOf(subject), publicKey: keys.publicKey }), keys);
}

export function authority(name: string): Authority {
  const own = keyPair();
  const certificate = body({
    subject: { name },
    issuer: nameOf({ name }),
    publicKey: own.publicKey,
    isAuthority: 'authority',
  });
  return authorityOf(identity(own.privateKey, certificate, own));
}

/** An authority that was made before, also in another process. Only one that `authority` made: its name is a common name. */
export function authorityOf(own: Identity): Authority {
  const signer = createPrivateKey(own.key);
  const [, name = ''] = /^CN=(.+)$/m.exec(new X509Certificate(own.cert).subject) ?? [];
  return {
    ...own,
    issue(subject) {
      const keys = keyPair();
      return identity(signer, body({ subject, issuer: nameOf({ name }), publicKey: keys.publicKey }), keys);
    },
  };
}

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const keyPair = (): KeyPair => generateKeyPairSync('ec', { namedCurve: 'P-256' });

interface Body {
  readonly subject: Subject;
  readonly issuer: Buffer;
  readonly publicKey: KeyObject;
  readonly isAuthority?: 'authority';
}

function body({ subject, issuer, publicKey, isAuthority }: Body): Buffer {
  const day = 86_400_000;
  const now = Date.now();
  return sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    serialNumber(),
    ECDSA_SHA256,
    issuer,
    sequence(utcTime(new Date(now - day)), utcTime(new Date(now + day))),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...extensions(subject.hosts ?? [], isAuthority !== undefined),
  );
}

/** Positive, and without a leading zero byte. */
function serialNumber(): Buffer {
  const number = randomBytes(8);
  number[0] = ((number[0] ?? 0) & 0x3f) | 0x40;
  return der(0x02, number);
}

const nameOf = ({ name, organizations = [] }: Subject): Buffer =>
  sequence(
    ...organizations.map((organization) => der(0x31, sequence(ORGANIZATION, utf8(organization)))),
    der(0x31, sequence(COMMON_NAME, utf8(name))),
  );

function extensions(hosts: readonly string[], isAuthority: boolean): readonly Buffer[] {
  const names = hosts.map((host) =>
    isIPv4(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host)),
  );
  const all = [
    ...(names.length === 0 ? [] : [sequence(SUBJECT_ALT_NAME, der(0x04, sequence(...names)))]),
    ...(isAuthority ? [sequence(BASIC_CONSTRAINTS, TRUE, der(0x04, sequence(TRUE)))] : []),
  ];
  return all.length === 0 ? [] : [der(0xa3, sequence(...all))];
}

function identity(signer: KeyObject, content: Buffer, { privateKey }: KeyPair): Identity {
  const certificate = sequence(content, ECDSA_SHA256, bits(sign('sha256', content, signer)));
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, cert: pem(certificate) };
}

const pem = (certificate: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
