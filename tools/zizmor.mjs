// zizmor, the security linter for workflows, as its publisher's wheel: one program, checked against the hashes in
// tools/zizmor/requirements.txt, kept in .cache/bin and used offline afterwards.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { madeOnce } from './made-once.mjs';

const TOOLS = dirname(fileURLToPath(import.meta.url));
const REQUIREMENTS = join(TOOLS, 'zizmor', 'requirements.txt');
const PIP = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '--no-deps'];
const INSTALL_LIMIT_MS = 5 * 60_000;

/**
 * Path of the program. The first call installs it: some seconds, and the network is needed.
 *
 * @param {{ say?: (line: string) => void }} [options] where to say what is being installed; standard error when absent
 * @returns {string}
 * @throws {Error} one line that says what is missing
 */
export function ensureZizmor(options = {}) {
  const say = options.say ?? ((line) => process.stderr.write(`${line}\n`));
  const pinned = createHash('sha256')
    .update(`${process.platform} ${process.arch}\n`)
    .update(readFileSync(REQUIREMENTS));
  const path = join(dirname(TOOLS), '.cache', 'bin', `zizmor-${pinned.digest('hex').slice(0, 12)}`);
  return madeOnce(path, () => {
    say('Python: installing zizmor into .cache/bin (once)');
    install(path);
  });
}

/** `--target` needs neither a virtual environment nor a compiler: the wheel holds a program and no Python at all. */
function install(path) {
  const folder = mkdtempSync(`${path}.`);
  try {
    const args = [...PIP, '--only-binary=:all:', '--target', folder, '--requirement', REQUIREMENTS];
    const python = process.env.SLUICE_PYTHON || 'python3';
    const { status, stderr, error } = spawnSync(python, args, { encoding: 'utf8', timeout: INSTALL_LIMIT_MS });
    if (status !== 0) {
      const last = error?.message ?? stderr.trim().split('\n').at(-1);
      throw new Error(`zizmor comes by pip (the network and Python 3.11 are needed once): ${last}`);
    }
    renameSync(join(folder, 'bin', 'zizmor'), path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
