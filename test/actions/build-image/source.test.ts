import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBundle } from '../../harness/run-bundle.ts';

/** A limit for a machine that is busy, and no measure. */
jest.setTimeout(60_000);
const OTHER = 'f'.repeat(40);
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-source-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const git = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
    cwd,
    encoding: 'utf8',
  }).trim();
function repository(path: string): string {
  mkdirSync(path, { recursive: true });
  git(path, 'init', '-q');
  git(path, 'commit', '-q', '--allow-empty', '-m', path);
  return git(path, 'rev-parse', 'HEAD');
}
const planned = (workspace: string, context: string, more: Readonly<Record<string, string>> = {}) =>
  runBundle({
    action: 'build-image',
    inputs: { repository: 'r.example/team/shop', tags: 'type=sha,format=long', context, 'dry-run': 'true', ...more },
    env: { GITHUB_WORKSPACE: workspace, GITHUB_SHA: OTHER, GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/heads/main' },
  });

test('an image is named for the commit that is checked out, which need not be that of the event', async () => {
  const workspace = join(folder, 'of-a-tag');
  const head = repository(workspace);
  const run = await planned(workspace, '.');
  expect(run).toMatchObject({ exitCode: 0, outputs: { commit: head } });
  expect(run.outputs['tags']?.split('\n')).toContain(`r.example/team/shop:sha-${head}`);
  expect(run.outputs['labels']).toContain(`org.opencontainers.image.revision=${head}`);
  expect(run.annotations).toEqual([
    expect.objectContaining({
      level: 'warning',
      message: `The checkout is ${head}, and the run is of ${OTHER}: the image is named for what is checked out`,
    }),
  ]);
});

test.each([
  ['of another repository beside it counts where it is the context', 'beside', 'other'],
  ['around the workspace is nobody of this run', '.', undefined],
])('the checkout %s', async (_name, context, expected) => {
  const around = join(folder, `around-${context === '.' ? 'plain' : 'two'}`);
  const workspace = join(around, 'work');
  repository(around);
  mkdirSync(workspace);
  const inside = expected === undefined ? OTHER : repository(join(workspace, 'beside'));
  const run = await planned(workspace, context);
  expect(run.outputs['commit']).toBe(inside);
});

test('files of the context that the commit has not are inputs, by their content, and .dockerignore leaves out what it names', async () => {
  const workspace = join(folder, 'made before');
  repository(workspace);
  const write = (path: string, text: string): void => {
    mkdirSync(join(workspace, path, '..'), { recursive: true });
    writeFileSync(join(workspace, path), text);
  };
  write('web/Dockerfile', 'FROM scratch\n');
  write('web/.dockerignore', 'node_modules\n');
  write('.gitignore', 'dist\nnode_modules\n');
  git(workspace, 'add', '.');
  git(workspace, 'commit', '-q', '-m', 'all');
  /** The hash of the inputs, by which an image is found again. */
  const inputs = async (more?: Readonly<Record<string, string>>): Promise<string> => {
    const { exitCode, outputs } = await planned(workspace, 'web', more);
    expect(exitCode).toBe(0);
    return /^sluice\.inputs-sha256=(.+)$/m.exec(outputs['labels'] ?? '')?.[1] ?? 'no label';
  };
  const clean = await inputs();
  write('elsewhere/new', 'beside the context');
  write('web/node_modules/a/index.js', 'left out');
  expect(await inputs()).toBe(clean);
  write('web/dist/a.js', 'staging');
  const staging = await inputs();
  write('web/dist/a.js', 'release');
  const release = await inputs();
  write('web/Dockerfile', 'FROM scratch AS another\n');
  const changed = await inputs();
  expect(new Set([clean, staging, release, changed, 'no label']).size).toBe(5);
  expect(await inputs({ reuse: 'same-source' })).toBe(clean);
  write('web/Dockerfile', 'FROM scratch\n');
  write('web/dist/a.js', 'staging');
  expect(await inputs()).toBe(staging);

  // A context within a folder that is ignored: what lies beside it there is none of its files.
  write('target/docker/Dockerfile', 'FROM scratch\n');
  writeFileSync(join(workspace, '.git/info/exclude'), 'target\n');
  const within = async (): Promise<string> => {
    const { outputs } = await planned(workspace, 'target/docker');
    return /^sluice\.inputs-sha256=(.+)$/m.exec(outputs['labels'] ?? '')?.[1] ?? 'no label';
  };
  const first = await within();
  write('target/report.xml', 'another in each run');
  expect(await within()).toBe(first);
});

test('everything that is not there is one message: context, Dockerfile and secrets', async () => {
  const run = await runBundle({
    action: 'build-image',
    inputs: {
      repository: '127.0.0.1:9/team/shop',
      context: 'nope',
      file: 'web/Dockerfile.prod',
      'secret-envs': 'npm=NOT_SET',
      'secret-files': 'rc=.npmrc\nempty=empty',
    },
    files: { empty: ' \n' },
  });
  expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input', changed: 'false' } });
  expect(run.annotations.at(-1)?.message).toMatch(
    /5 problems.*context: "nope" is not there.*file: "web\/Dockerfile.prod" is not there.*npm: NOT_SET is not set or empty.*rc: .npmrc is not there.*empty: empty is empty/s,
  );
});

test('a secret that the Dockerfile mounts and no input gives is refused before the build, with its line', async () => {
  const dockerfile = 'FROM node\nRUN --mount=type=secret,id=npm \\\n    --mount=type=secret,id=pip npm ci\n';
  const run = await runBundle({
    action: 'build-image',
    inputs: { repository: '127.0.0.1:9/team/shop', context: 'web', secrets: 'pip=hunter2' },
    files: { 'web/Dockerfile': dockerfile },
    env: { PATH: '/nowhere' },
  });
  expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'invalid-input' } });
  expect(run.annotations.at(-1)?.message).toMatch(
    /1 problem:.*secrets: no input gives npm, which web\/Dockerfile:2 mounts/s,
  );
});

test('a secret that stands in the image is refused by name, and not repeated', async () => {
  const run = await runBundle({
    action: 'build-image',
    inputs: {
      repository: '127.0.0.1:9/team/shop',
      secrets: 'pip=hunter2-hunter2',
      'build-args': 'INDEX=https://example.com/hunter2-hunter2/simple',
      labels: 'a=hunter2-hunter2',
    },
    files: { Dockerfile: 'FROM scratch\n' },
  });
  const said = run.annotations.at(-1)?.message ?? '';
  expect(said).toMatch(/2 problems.*build-args: holds the secret pip.*labels: holds the secret pip/s);
  expect(said).not.toContain('hunter2');
});

test('logins and secrets that a killed run left are removed, also when its configuration is gone', async () => {
  const left = join(folder, 'sluice-docker-1');
  mkdirSync(left);
  writeFileSync(join(left, 'secret-0'), 'hunter2');
  const post = await runBundle({
    action: 'build-image',
    phase: 'post',
    inputs: { repository: '127.0.0.1:9/team/shop', config: 'gone.yml' },
    state: { 'sluice-main': 'began', 'config-folder': left },
  });
  expect(post.exitCode).toBe(1);
  expect(existsSync(left)).toBe(false);
});
