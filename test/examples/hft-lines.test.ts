import { expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { parse } from 'yaml';
import { runBundle } from '../harness/run-bundle.ts';
import { ROOT } from '../rules/tracked.ts';

/** A limit for a machine that is busy, and no measure. */
jest.setTimeout(60_000);
interface Trigger {
  readonly branches?: readonly string[];
  readonly paths?: readonly string[];
}
interface Job {
  readonly needs?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | boolean>>;
}
interface Workflow {
  readonly on: { readonly push?: Trigger; readonly pull_request?: Trigger };
  readonly jobs: Readonly<Record<string, Job>>;
}
const workflow = (name: string): Workflow =>
  parse(readFileSync(join(ROOT, 'examples/hft-platform/.github/workflows', name), 'utf8')) as Workflow;
const SERVICES = [
  ['build.yml', 'frontend'],
  ['build-api.yml', 'api'],
] as const;

/** Workflows that GitHub starts for a change of one file. */
const startedBy = (path: string, event: 'push' | 'pull_request'): readonly string[] =>
  SERVICES.map(([name]) => name).filter((name) =>
    workflow(name).on[event]?.paths?.some((glob) => matchesGlob(path, glob)),
  );

test.each([
  ['frontend/src/app.ts', ['build.yml']],
  ['frontend/Dockerfile', ['build.yml']],
  ['api/main.go', ['build-api.yml']],
  ['README.md', []],
  ['tools/frontend/x', []],
])('a change of %s builds %j, on a push and in a pull request', (path, expected) => {
  expect(startedBy(path, 'push')).toEqual(expected);
  expect(startedBy(path, 'pull_request')).toEqual(expected);
});

test.each(SERVICES.map(([name]) => name))('%s is for the branches staging and develop', (name) => {
  expect(workflow(name).on.push?.branches).toEqual(['staging', 'develop']);
});

test.each(SERVICES)(
  '%s: a pull request gets its own tags, and none of a branch or of latest',
  async (name, service) => {
    const given = workflow(name).jobs[service]?.with ?? {};
    const inputs = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)]));
    const run = await runBundle({
      action: 'build-image',
      // The expression is for forks, whose token may not push.
      inputs: { ...inputs, push: 'true', 'dry-run': 'true' },
      env: {
        GITHUB_EVENT_NAME: 'pull_request',
        GITHUB_REF: 'refs/pull/42/merge',
        GITHUB_BASE_REF: 'staging',
        GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
      },
    });
    expect(run.exitCode).toBe(0);
    const [identity, ...tags] = (run.outputs['tags'] ?? '').split('\n');
    expect(identity).toBe(`ghcr.io/hft-platform/${service}:sha-0123456789abcdef0123456789abcdef01234567`);
    expect(tags).toEqual(['pr-42', 'sha-0123456'].map((tag) => `ghcr.io/hft-platform/${service}:${tag}`));
    expect(run.outputs['labels']).toMatch(/^team=hft$/m);
  },
);

test('a security update goes on to staging and its tests as a release does, with what was rebuilt', () => {
  const update = workflow('security-update.yml').jobs;
  const release = workflow('release.yml').jobs;
  const rebuilt = {
    images: '${{ needs.rebuild.outputs.images }}',
    'pinned-tag': '${{ needs.rebuild.outputs.pinned-tag }}',
  };
  expect(Object.keys(update)).toEqual(['audit', 'rebuild', 'staging', 'load']);
  expect(update['staging']).toEqual({
    ...release['staging'],
    needs: 'rebuild',
    with: { ...release['staging']?.with, ...rebuilt },
  });
  expect(update['load']).toEqual(release['load']);
});
