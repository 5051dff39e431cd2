import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

/** The counts that tools/run.mjs prints, of one suite under these variables. */
function countsUnder(variables: Readonly<Record<string, string>>): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-needs-'));
  try {
    const counts = join(folder, 'counts.json');
    const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
    const args = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, 'a-suite-with-a-need'];
    const env = { ...process.env, SLUICE_REQUIRE_ALL: '', ...variables, SLUICE_TEST_COUNTS: counts };
    const { status } = spawnSync(process.execPath, args, { cwd: ROOT, env });
    return { status, ...(JSON.parse(readFileSync(counts, 'utf8')) as object) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('a suite whose part is missing', () => {
  test('is skipped and says why', () => {
    expect(countsUnder({ SLUICE_NO_PYTHON: 'no python3 was found' })).toEqual({
      status: 0,
      passed: 0,
      failed: 0,
      skipped: 1,
      skippedBecause: ['a suite with a need [needs sandbox: no python3 was found]'],
    });
  });

  test('fails where everything is required', () => {
    expect(countsUnder({ SLUICE_NO_PYTHON: 'no python3 was found', SLUICE_REQUIRE_ALL: '1' })).toEqual({
      status: 1,
      passed: 0,
      failed: 1,
      skipped: 0,
      skippedBecause: [],
    });
  });
});
