import { setTimeout as wait } from 'node:timers/promises';
import { proberContract } from '../contract/prober.ts';
import type { ProbeRequest } from '../../src/ports/prober.ts';
import { type Scripted, fakeProber } from './prober.ts';

const WEB: Readonly<Record<string, Scripted>> = {
  '/hello': { status: 200, body: 'hello', headers: { 'X-Thing': 'one', 'Set-Cookie': 'a=1, b=2' } },
  '/redirect': { status: 302, headers: { location: '/hello' } },
  '/failing': { status: 503 },
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

proberContract('the fake prober', () =>
  Promise.resolve({
    prober: fakeProber(script, {
      pass: (length, signal) => wait(length, undefined, { signal }).catch(() => undefined),
    }),
    peers: {
      web: 'http://web',
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
