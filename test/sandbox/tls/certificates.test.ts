import { expect, test } from '@jest/globals';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { authority, authorityOf, selfSigned } from '../../../sandbox/tls/certificates.ts';

test('an authority signs for users and hosts, and another process can go on with it', () => {
  const signer = authority('sandbox');
  const server = signer.issue({ name: 'api', hosts: ['127.0.0.1', 'localhost'] });
  const user = authorityOf({ key: signer.key, cert: signer.cert }).issue({
    name: 'eve',
    organizations: ['team', 'all'],
  });
  const own = new X509Certificate(signer.cert);
  expect(own.ca).toBe(true);
  for (const { cert, key } of [server, user]) {
    const certificate = new X509Certificate(cert);
    expect(certificate.verify(own.publicKey)).toBe(true);
    expect(certificate.checkIssued(own)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(certificate.ca).toBe(false);
  }
  expect(new X509Certificate(server.cert).checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(new X509Certificate(server.cert).checkHost('localhost')).toBe('localhost');
  expect(new X509Certificate(user.cert).subject.split('\n')).toEqual(['O=team', 'O=all', 'CN=eve']);
});

test('a self-signed certificate is for its one host', () => {
  const certificate = new X509Certificate(selfSigned('charts.wesign.test').cert);
  expect(certificate.checkHost('charts.wesign.test')).toBe('charts.wesign.test');
  expect(certificate.checkHost('other.test')).toBeUndefined();
  expect(certificate.verify(certificate.publicKey)).toBe(true);
});
