import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ensureGoTool } from '../../tools/go-tools.mjs';
import { ensureZizmor } from '../../tools/zizmor.mjs';
import { needs } from '../harness/needs.ts';
import { ROOT, sourceFiles } from './tracked.ts';

const WORKFLOWS = /(^|\/)\.github\/workflows\/[^/]+\.ya?ml$/;
const ACTIONS = /^actions\/[^/]+\/action\.yml$/;

/** A copy of what is linted: examples name the suite as their reader will, by an owner and a commit. */
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-lint-'));
  for (const path of sourceFiles().filter((each) => WORKFLOWS.test(each) || ACTIONS.test(each))) {
    const text = readFileSync(join(ROOT, path), 'utf8').replaceAll(
      /\bOWNER\/sluice\/(\S+)@COMMIT\b/g,
      `acme/sluice/$1@${'0123456789'.repeat(4)} # v0.1.0`,
    );
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lint(
  program: string,
  args: readonly string[],
  paths: readonly string[],
): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(program, [...args, ...paths], { cwd: folder, encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}`.trim() };
}
const linted = (pattern: RegExp): string[] => sourceFiles().filter((path) => pattern.test(path));

// Before actionlint, which changes the copy.
needs('zizmor')('zizmor', () => {
  const options = ['--offline', '--no-progress', '--quiet', '--color=never', '--pedantic', '--strict-collection'];

  test('finds no weakness in any workflow and action', () => {
    const { status, said } = lint(ensureZizmor(), options, linted(new RegExp(`${WORKFLOWS.source}|${ACTIONS.source}`)));
    expect({ status, said }).toEqual({ status: 0, said: expect.stringMatching(/^(No findings to report.*)?$/) });
  });

  test('would find one', () => {
    writeFileSync(
      join(folder, 'weak.yml'),
      'on: issues\njobs: { a: { runs-on: x, steps: [{ run: "${{ github.event.issue.title }}" }] } }\n',
    );
    expect(lint(ensureZizmor(), options, ['weak.yml']).said).toContain('template-injection');
  });
});

needs('actionlint')('actionlint', () => {
  // No shellcheck: whether a machine has one must not matter.
  const options = ['-shellcheck=', '-pyflakes=', '-no-color'];

  beforeAll(() => {
    // It does not know the self-repository syntax yet. By `./` it also reads what is used, and compares the inputs.
    mkdirSync(join(folder, '.git'));
    // It looks for the bundles too; whether those are committed is asked elsewhere.
    for (const action of linted(ACTIONS).map((path) => join(folder, dirname(path), 'dist'))) {
      mkdirSync(action);
      for (const phase of ['main', 'post']) writeFileSync(join(action, `${phase}.mjs`), '');
    }
    for (const path of linted(WORKFLOWS)) {
      const text = readFileSync(join(folder, path), 'utf8');
      writeFileSync(join(folder, path), text.replaceAll(/^(\s*(?:- )?uses: )\$\//gm, '$1./'));
    }
  });

  test('has nothing to say about any workflow', () => {
    expect(lint(ensureGoTool('actionlint'), options, linted(WORKFLOWS))).toEqual({ status: 0, said: '' });
  });

  test('would say something', () => {
    writeFileSync(
      join(folder, 'bad.yml'),
      'on: push\njobs: { a: { runs-on: x, steps: [{ run: "${{ inputs.a }}" }] } }\n',
    );
    expect(lint(ensureGoTool('actionlint'), options, ['bad.yml'])).toMatchObject({ status: 1 });
  });
});
