import { setTimeout as wait } from 'node:timers/promises';
import { proberContract } from '../contract/prober.ts';
import type { ProbeRequest } from '../../src/ports/prober.ts';
import { type Scripted, type ScriptedSocket, fakeProber } from './prober.ts';

const WEB: Readonly<Record<string, Scripted>> = {
  '/hello': { status: 200, body: 'hello', headers: { 'X-Thing': 'one', 'Set-Cookie': 'a=1, b=2' } },
  '/redirect': { status: 302, headers: { location: '/hello' } },
  '/failing': { status: 503, body: 'not now' },
  '/huge': { status: 200, body: 'x'.repeat(2_000) },
  '/cut': { fault: 'reset' },
};

const PEERS: Readonly<Record<string, Scripted>> = {
  'http://closes': { fault: 'reset' },
  'http://silent': { silent: true },
  'http://unreachable': { silent: true },
  'http://gopher': { fault: 'protocol' },
  'https://self-signed': { fault: 'tls' },
  'http://closed-port': { fault: 'refused' },
  'http://unknown': { fault: 'dns' },
  'http://169.254.169.254': { fault: 'other' },
  'http://metadata': { fault: 'other' },
};

const script = ({ url, method, headers, host, body }: ProbeRequest): Scripted => {
  const { origin, pathname } = new URL(url);
  const echo = { status: 200, body: JSON.stringify({ method, headers: { ...headers, host }, body }) };
  return PEERS[origin] ?? WEB[pathname] ?? (pathname === '/echo' ? echo : { silent: true });
};

const SOCKETS: Readonly<Record<string, ScriptedSocket>> = {
  '/echo': { reply: (message) => [message] },
  '/hello': { greeting: ['welcome'] },
  '/leave': { reply: () => undefined },
  '/long': { reply: () => ['x'.repeat(2_000)] },
};

const sockets = ({ url }: { readonly url: string }): ScriptedSocket => {
  const { origin, pathname } = new URL(url);
  const peer = PEERS[origin];
  if (peer !== undefined) return 'status' in peer ? { status: peer.status } : peer;
  return SOCKETS[pathname] ?? { status: 404 };
};

proberContract('the fake prober', () =>
  Promise.resolve({
    prober: fakeProber(script, {
      sockets,
      pass: (length, signal) => wait(length, undefined, { signal }).catch(() => undefined),
    }),
    peers: {
      web: 'http://web',
      sockets: 'http://sockets',
      closesAtOnce: 'http://closes',
      neverAnswers: 'http://silent',
      neverConnects: 'http://unreachable',
      speaksAnotherLanguage: 'http://gopher',
      untrustedTls: 'https://self-signed',
      closedPort: 'http://closed-port',
      unknownName: 'http://unknown',
      metadata: 'http://169.254.169.254',
      namedMetadata: 'http://metadata',
    },
    close: () => Promise.resolve(),
  }),
);
