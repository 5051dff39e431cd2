import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../harness/needs.ts';

const MAIN = resolve(import.meta.dirname, '../../sandbox/rehearse/main.ts');
const withSandbox = needs('sandbox');
const LIMIT = 180_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-rehearsal-test-'));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

interface Rehearsal {
  readonly exitCode: number | null;
  readonly output: string;
  readonly report: string;
}

/** `npm start` without its set-up: the same program with the same arguments. */
async function rehearse(...args: readonly string[]): Promise<Rehearsal> {
  const file = join(folder, `report-${args.join('-').replace(/\W+/g, '-')}.md`);
  const child = spawn(process.execPath, [MAIN, ...args, '--report', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (output += part.toString()));
  const exitCode = await new Promise<number | null>((done) => child.once('close', done));
  return { exitCode, output, report: await readFile(file, 'utf8').catch(() => '') };
}

/** Cells of one row of the closing table. */
function rowOf({ output }: Rehearsal, stage: string): readonly string[] {
  const table = output.slice(output.lastIndexOf('\nstage '));
  const line = table.split('\n').find((each) => each.startsWith(`${stage} `)) ?? '';
  return line.split(/ {2,}/);
}

withSandbox('a release that goes wrong in production', () => {
  test.each([
    // Users give up before it answers, so there is next to nothing to measure; what is measured is slow, on a busy machine first.
    ['slow', /next to no requests|p95 .* > 2000|no answer within/],
    ['crash', /./],
    ['unhealthy-later', /health/],
  ])(
    '(%s) comes back by itself and says what was seen and how long users were hurt',
    async (release, seen) => {
      const rehearsal = await rehearse('--release', release);
      expect(rehearsal.exitCode).toBe(1);
      expect(rowOf(rehearsal, 'staging')[1]).toBe('succeeded');
      expect(rowOf(rehearsal, 'production')[1]).toBe('rolled-back');
      expect(rehearsal.output).toMatch(/production: .+/);
      expect(/^production: .*$/m.exec(rehearsal.output)?.[0]).toMatch(seen);
      expect(rehearsal.output).toMatch(/Users were hurt for|No user request failed/);
      expect(rehearsal.report).toContain('rolled-back');
    },
    LIMIT,
  );
});

withSandbox('an own configuration', () => {
  test(
    'is rehearsed as it stands, with what the sandbox changed in the report',
    async () => {
      const config = join(folder, 'sluice.yml');
      await writeFile(
        config,
        'services: { api: { repository: acme/api } }\nstages:\n  test: { cluster: my-cluster, service: my-api-service, container: api, timeout: 3m, role-to-assume: arn:aws:iam::111111111111:role/x }\n',
      );
      const rehearsal = await rehearse('--config', config);
      expect(rowOf(rehearsal, 'test')).toEqual(['test', 'succeeded', expect.any(String), expect.any(String), '0']);
      expect(rehearsal.report).toContain('role-to-assume');
      expect(rehearsal.exitCode).toBe(0);
    },
    LIMIT,
  );

  test(
    'whose smoke test refuses the release goes back to the release before',
    async () => {
      const config = join(folder, 'refusing.yml');
      await writeFile(
        join(folder, 'refusing-checks.yml'),
        'version: 1\nchecks:\n  - { name: front page, get: /, expect: { status: 418, version: { header: x-app-version } } }\n',
      );
      await writeFile(
        config,
        'services: { api: { repository: acme/api } }\nstages:\n  test: { cluster: my-cluster, service: my-api-service, container: api, timeout: 3m, checks: refusing-checks.yml }\n',
      );
      const rehearsal = await rehearse('--config', config);
      expect(rowOf(rehearsal, 'test')[1]).toBe('rolled-back');
      expect(rehearsal.output).toContain('test: status 200, expected 418');
      expect(rehearsal.exitCode).toBe(1);
    },
    LIMIT,
  );

  test(
    'that is wrong is one clear message, and nothing is started',
    async () => {
      const config = join(folder, 'wrong.yml');
      await writeFile(config, 'stages:\n  test: { cluster: "" }\n');
      const rehearsal = await rehearse('--config', config);
      expect(rehearsal.exitCode).toBe(1);
      expect(rehearsal.output).toMatch(/wrong\.yml:2:\d+ stages\.test\.cluster: has no value/);
      expect(rehearsal.output).not.toContain('The sandbox runs');
    },
    LIMIT,
  );
});
