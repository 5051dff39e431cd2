import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { canonicalJson } from '../../src/domain/canonical-json.ts';
import { parseImages } from '../../src/domain/images.ts';
import { needs } from '../harness/needs.ts';
import { ROOT } from './tracked.ts';

interface Script {
  readonly id?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}
const { jobs } = parse(readFileSync(join(ROOT, '.github/workflows/build.yml'), 'utf8')) as {
  jobs: { images: { steps: readonly Script[] } };
};
const { run = '', env = {} } = jobs.images.steps.find(({ id }) => id === 'join-images') ?? {};

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-build-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The step as the runner runs it. */
function joined(images: string): { status: number | null; said: string[]; outputs: Record<string, string> } {
  const file = join(folder, 'outputs');
  rmSync(file, { force: true });
  const { status, stdout } = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run], {
    env: { PATH: process.env['PATH'], ...env, IMAGES: images, GITHUB_OUTPUT: file },
    encoding: 'utf8',
  });
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  const outputs = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
  const said = stdout
    .split('\n')
    .flatMap((line) => /^::error title=images::(.*)\. Nothing was deployed\.$/.exec(line)?.[1] ?? []);
  return { status, said, outputs };
}

const api = { repository: 'team/api', digest: `sha256:${'a'.repeat(64)}`, tag: '1.4.0' };
const web = { digest: `sha256:${'b'.repeat(64)}`, repository: 'team/web-app_2' };
const both = { web, api };

needs('jq')('the images of a release', () => {
  test.each([
    ['in one document', JSON.stringify(both)],
    ['in two documents that follow each other', `${JSON.stringify({ web })}${JSON.stringify({ api })}`],
    ['in two documents on lines of their own', `${JSON.stringify({ api })}\n${JSON.stringify({ web }, null, 2)}\n`],
    ['as the outputs of a matrix', JSON.stringify({ web: JSON.stringify({ web }), api: JSON.stringify({ api }) })],
    ['twice and the same', `${JSON.stringify(both)} ${JSON.stringify({ api })}`],
    ['with more than is handed on', JSON.stringify({ ...both, api: { ...api, builtBy: 'somebody' } })],
  ])('%s are joined, and hashed as the actions hash them', (_name, images) => {
    const parsed = parseImages(both);
    const canonical = canonicalJson(parsed.ok ? parsed.value : parsed.problems);
    expect(joined(images)).toEqual({
      status: 0,
      said: [],
      outputs: { images: canonical, 'images-sha256': createHash('sha256').update(canonical).digest('hex') },
    });
  });

  test.each<[string, string, readonly string[]]>([
    ['nothing', '', ['images has no entry']],
    ['an empty document', '{}', ['images has no entry']],
    [
      'a list',
      '[1]',
      ['a part is not a JSON object; the output of a job that gave no image is empty', 'images has no entry'],
    ],
    [
      'an empty output of a matrix',
      JSON.stringify({ api: JSON.stringify({ api }), web: '' }),
      ['a part is not a JSON object; the output of a job that gave no image is empty'],
    ],
    ['an empty digest', JSON.stringify({ api: { ...api, digest: '' } }), ['images.api.digest is empty']],
    ['no digest', JSON.stringify({ api: { repository: 'team/api', tag: '1' } }), ['images.api.digest is empty']],
    [
      'a digest with a line break',
      JSON.stringify({ api: { ...api, digest: `${api.digest}\n` } }),
      ['images.api.digest is not sha256:<64 hex digits>'],
    ],
    [
      'a registry in the repository',
      JSON.stringify({ api: { ...api, repository: 'ghcr.io:443/team/api' } }),
      ['images.api.repository is not a repository name without its registry'],
    ],
    ['a tag that is none', JSON.stringify({ api: { ...api, tag: 'a b' } }), ['images.api.tag is not a tag']],
    ['an entry that is text', JSON.stringify({ api, web: 'x' }), ['images.web is not an object']],
    [
      'two that differ',
      `${JSON.stringify({ api })}${JSON.stringify({ api: { ...api, tag: '1.5.0' } })}`,
      ['images.api is there twice and differs'],
    ],
    [
      'a name that would be a command',
      JSON.stringify({ 'x\n::add-mask::y': api }),
      ['an entry whose name is not letters, digits and ._-'],
    ],
    [
      'every problem at once',
      JSON.stringify({ api: { ...api, digest: '' }, web: { ...web, tag: '' } }),
      ['images.api.digest is empty', 'images.web.tag is not a tag'],
    ],
  ])('%s is refused, and says why', (_name, images, said) => {
    expect(joined(images)).toEqual({ status: 1, said, outputs: {} });
  });

  test.each([
    ['text that is not JSON', '{'],
    ['a tag alone', 'team/api:1.4.0'],
  ])('%s is refused', (_name, images) => {
    expect(joined(images)).toMatchObject({
      status: 1,
      said: [expect.stringContaining('images is not JSON')],
      outputs: {},
    });
  });
});
