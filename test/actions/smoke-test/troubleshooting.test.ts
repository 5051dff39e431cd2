import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from '../../../sandbox/tls/certificates.ts';
import { milliseconds } from '../../../src/domain/duration.ts';
import { judgeLoad } from '../../../src/domain/load/judge-load.ts';
import type { Measured } from '../../../src/domain/load/measured.ts';
import { closedPort, tlsServer } from '../../adapters/http/servers.ts';
import { type Application, startApplication } from './application.ts';

const README = readFileSync(join(import.meta.dirname, '../../../actions/smoke-test/README.md'), 'utf8');
const rows = [...(README.split('## Troubleshooting')[1] ?? '').matchAll(/^\| `([^`]+)`/gm)].map(
  ([, message]) => message ?? '',
);

let application: Application;
const temp = mkdtempSync(join(tmpdir(), 'troubles-'));
beforeAll(async () => {
  application = await startApplication();
});
afterAll(async () => {
  await application.server.close();
  rmSync(temp, { recursive: true, force: true });
});

const checks = (...entries: readonly string[]): string =>
  `version: 1\nchecks:\n${entries.map((each) => `  - { ${each} }\n`).join('')}`;

/** What the action says of inputs and a checks file. */
const said = async (
  inputs: Readonly<Record<string, string>>,
  text?: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> => (await application.smoke(inputs, text, { env })).stdout;

const TIMES = { p50: 1, p75: 1, p90: 1, p95: 1, p99: 1, p999: 1, max: 1, mean: 1 };

/** A generator cannot be made slow on purpose: its judge is asked. */
function slowGenerator(): string {
  const all: Measured = { requests: 100, errors: 0, rate: 1, response: TIMES, service: TIMES };
  const phases = [{ duration: milliseconds(1_000), from: 100, to: 100 }];
  const { invalid } = judgeLoad([], {
    all,
    scenarios: new Map(),
    generator: { planned: 100, started: 100, waited: 0, lagP99: 250, busy: 0.9, ended: 'plan' },
    model: { kind: 'open', phases, concurrency: 10 },
  });
  return invalid.join('\n');
}

/** What ends in the message of a row, whose capitals and dots stand for what differs. */
const TROUBLES: Readonly<Record<string, { readonly words: RegExp; readonly when: () => string | Promise<string> }>> = {
  'needs the environment variable API_TOKEN, which is not set': {
    words: /needs the environment variable API_TOKEN, which is not set/,
    when: () => said({}, checks("name: a, get: /me, auth: { bearer: '${API_TOKEN}' }")),
  },
  'is a secret written into the file': {
    words: /is a secret written into the file/,
    when: () => said({}, checks('name: a, get: /me, auth: { bearer: hunter2 }')),
  },
  'TLS with ... failed: Hostname/IP does not match': {
    words: /TLS with other\.example\.com failed: Hostname\/IP does not match/,
    async when() {
      const identity = selfSigned('shop.example.com');
      const authority = join(temp, 'authority.pem');
      writeFileSync(authority, identity.cert);
      const server = await tlsServer(identity, (_, response) => response.end());
      const inputs = { url: `https://127.0.0.1:${server.port}`, host: 'other.example.com', paths: '/' };
      const words = await said(inputs, undefined, { NODE_EXTRA_CA_CERTS: authority });
      await server.close();
      return words;
    },
  },
  'connection refused by ...': {
    words: /connection refused by 127\.0\.0\.1:\d+/,
    when: async () => said({ url: `http://127.0.0.1:${await closedPort()}`, paths: '/' }),
  },
  'version A answers, expected B': {
    words: /version new answers, expected old/,
    when: () => said({ paths: '/health', 'version-from': 'json:$.version', 'expect-version': 'old' }),
  },
  'redirect to ..., which is not in follow-redirects': {
    words: /redirect to elsewhere\.example, which is not in follow-redirects/,
    when: () => said({}, checks('name: a, get: /away, follow-redirects: same-host')),
  },
  'address ... is refused': {
    words: /address 169\.254\.169\.254 is refused/,
    when: () => said({ url: 'http://169.254.169.254', paths: '/' }),
  },
  'cannot be shown by N answers: it needs M': {
    words: /cannot be shown by \d+ answers: it needs 299/,
    when: () => said({ paths: '/health', load: '5ms at 1', 'load-rules': 'fail: p99 > 60s' }),
  },
  'cannot be shown by this load: it needs N answers, and M are planned': {
    words: /cannot be shown by this load: it needs 59 answers, and 20 are planned\. Accepted: a count of 59 or more/,
    when: () => said({ paths: '/health', load: '20 requests at 2', 'load-rules': 'fail: p95 > 60s' }),
  },
  'the generator was too slow': { words: /the generator was too slow/, when: slowGenerator },
  '2 good of 3 in a row': {
    words: /2 good of 3 in a row/,
    when: () => said({}, checks('name: a, get: /warming, retry: { count: 4, interval: 10ms, consecutive: 3 }')),
  },
};

test.each(Object.entries(TROUBLES))('%s', async (_, { words, when }) => {
  expect(await when()).toMatch(words);
});

test('every row of the README is shown here, and nothing else', () => {
  expect(rows).toEqual(Object.keys(TROUBLES));
});
