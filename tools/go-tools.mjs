// Programs written in Go that tests run: built once from the versions in tools/go.mod, checked against tools/go.sum, kept
// in .cache/bin and used offline afterwards.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { madeOnce } from './made-once.mjs';

const TOOLS = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(TOOLS);
const PACKAGES = {
  act: 'github.com/nektos/act',
  actionlint: 'github.com/rhysd/actionlint/cmd/actionlint',
};
/** From here on `go` fetches the toolchain that go.mod asks for by itself. */
const OLDEST_GO = [1, 21];
const BUILD_LIMIT_MS = 15 * 60_000;

/**
 * Path of the program. The first call builds it: 10 to 60 s, and the network is needed.
 *
 * @param {'act' | 'actionlint'} name
 * @param {{ say?: (line: string) => void }} [options] where to say that something is being built; standard error when absent
 * @returns {string}
 * @throws {Error} one line that says what is missing and what to do
 */
export function ensureGoTool(name, options = {}) {
  const say = options.say ?? ((line) => process.stderr.write(`${line}\n`));
  const path = join(ROOT, '.cache', 'bin', `${name}-${pinned()}`);
  if (existsSync(path)) return path;
  const problem = goProblem();
  if (problem)
    throw new Error(
      `${name} is built by Go ${OLDEST_GO.join('.')} or newer, and ${problem}. Install it from https://go.dev/dl`,
    );
  return madeOnce(path, () => {
    say(`Go: building ${name} into .cache/bin (once)`);
    build(name, path);
  });
}

/** What a program depends on: exact versions of everything in it, and the machine. */
function pinned() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(TOOLS, file)));
  return hash.digest('hex').slice(0, 12);
}

/** Asked outside of the module: in it, go would already fetch the toolchain of go.mod only to answer. */
function goProblem() {
  const asked = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', timeout: 20_000, cwd: ROOT });
  if (asked.status !== 0) return 'no go was found on PATH';
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(asked.stdout) ?? [];
  const isOld = Number(major) < OLDEST_GO[0] || (Number(major) === OLDEST_GO[0] && Number(minor) < OLDEST_GO[1]);
  return isOld ? `${asked.stdout.trim()} is on PATH` : undefined;
}

function build(name, path) {
  const unfinished = `${path}.${process.pid}`;
  const { status, stderr, error } = spawnSync('go', ['build', '-trimpath', '-o', unfinished, PACKAGES[name]], {
    cwd: TOOLS,
    encoding: 'utf8',
    timeout: BUILD_LIMIT_MS,
    // A go.mod that no longer fits is an error, never something to change on the way; no C compiler is needed.
    env: { ...process.env, GOFLAGS: '-mod=readonly', GOWORK: 'off', CGO_ENABLED: '0' },
  });
  if (status === 0) return renameSync(unfinished, path);
  rmSync(unfinished, { force: true });
  const last = error?.message ?? stderr.trim().split('\n').at(-1);
  throw new Error(`${name} could not be built (the network is needed once): ${last}`);
}
