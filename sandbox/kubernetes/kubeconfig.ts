import { stringify } from 'yaml';
import type { Identity } from '../tls/certificates.ts';

export interface KubeUser {
  readonly name: string;
  /** A client certificate, or a bearer token. */
  readonly identity?: Identity;
  readonly token?: string;
}

export interface KubeconfigFacts {
  readonly url: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly authority: string;
  readonly user: KubeUser;
  /** The namespace of the context; `default` when absent. */
  readonly namespace?: string;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig with everything inside and one context. */
export function kubeconfig({ url, authority, user, namespace }: KubeconfigFacts): string {
  const { name, identity, token } = user;
  const credentials = {
    ...(identity === undefined
      ? {}
      : { 'client-certificate-data': base64(identity.cert), 'client-key-data': base64(identity.key) }),
    ...(token === undefined ? {} : { token }),
  };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'sandbox', cluster: { server: url, 'certificate-authority-data': base64(authority) } }],
    users: [{ name, user: credentials }],
    contexts: [
      {
        name: 'sandbox',
        context: { cluster: 'sandbox', user: name, ...(namespace === undefined ? {} : { namespace }) },
      },
    ],
    'current-context': 'sandbox',
  });
}
