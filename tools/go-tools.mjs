// Programs written in Go that tests run: built once from the versions in a go.mod, checked against its go.sum, kept in
// .cache/bin and used offline afterwards.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { madeOnce } from './made-once.mjs';

const TOOLS = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(TOOLS);
const CONTROL_PLANE = join(TOOLS, 'control-plane');
/** Where each is pinned, and how it is built. */
const PROGRAMS = {
  act: { module: TOOLS, package: 'github.com/nektos/act' },
  actionlint: { module: TOOLS, package: 'github.com/rhysd/actionlint/cmd/actionlint' },
  'control-plane': { module: CONTROL_PLANE, package: '.', flags: controlPlaneFlags },
  // A minute of two processors, and less after the control plane, with whose flags it is compiled.
  kustomize: {
    module: join(TOOLS, 'kustomize'),
    package: 'sigs.k8s.io/kustomize/kustomize/v5',
    flags: () => [...SMALLER, '-ldflags=-s -w'],
  },
  // For benchmarks only. The flags of the control plane, so that what both have is compiled once.
  kubectl: { module: join(TOOLS, 'kubectl'), package: '.', flags: () => [...SMALLER, '-ldflags=-s -w'] },
};
/** Nothing of use to a debugger: a third less to compile. */
const SMALLER = ['-gcflags=all=-dwarf=false'];
/** From here on `go` fetches the toolchain that go.mod asks for by itself. */
const OLDEST_GO = [1, 21];
/** The control plane takes 10 minutes on two cores that have nothing else to do. */
const BUILD_LIMIT_MS = 45 * 60_000;

/**
 * Path of the program. The first call builds it: 10 to 60 s, the control plane minutes, and the network is needed.
 *
 * @param {'act' | 'actionlint' | 'control-plane' | 'kustomize' | 'kubectl'} name
 * @param {{ say?: (line: string) => void }} [options] where to say that something is being built; standard error when absent
 * @returns {string}
 * @throws {Error} one line that says what is missing and what to do
 */
export function ensureGoTool(name, options = {}) {
  const say = options.say ?? ((line) => process.stderr.write(`${line}\n`));
  const path = goToolPath(name);
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

/**
 * Where the program is, or will be when it has been built.
 *
 * @param {'act' | 'actionlint' | 'control-plane' | 'kustomize' | 'kubectl'} name
 * @returns {string}
 */
export const goToolPath = (name) => join(ROOT, '.cache', 'bin', `${name}-${pinned(PROGRAMS[name].module)}`);

/** What a program depends on: its own files, exact versions of everything in it, and the machine. */
function pinned(module) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  for (const file of ['go.mod', 'go.sum', 'main.go'].filter((name) => existsSync(join(module, name))))
    hash.update(readFileSync(join(module, file)));
  return hash.digest('hex').slice(0, 12);
}

/** Why nothing can be built here, or undefined. Asked outside of the module: in it, go would already fetch the toolchain of go.mod only to answer. */
function goProblem() {
  const asked = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', timeout: 20_000, cwd: ROOT });
  if (asked.status !== 0) return 'no go was found on PATH';
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(asked.stdout) ?? [];
  const isOld = Number(major) < OLDEST_GO[0] || (Number(major) === OLDEST_GO[0] && Number(minor) < OLDEST_GO[1]);
  return isOld ? `${asked.stdout.trim()} is on PATH` : undefined;
}

/** With the version that the programs say they are, which is the cluster's. */
function controlPlaneFlags() {
  const [, version, major, minor] = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\S*)/.exec(
    readFileSync(join(CONTROL_PLANE, 'go.mod'), 'utf8'),
  );
  const set = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const linked = Object.entries(set).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return [...SMALLER, `-ldflags=-s -w ${linked.join(' ')}`];
}

function build(name, path) {
  const { module, package: source, flags = () => [] } = PROGRAMS[name];
  const unfinished = `${path}.${process.pid}`;
  const { status, stderr, error } = spawnSync('go', ['build', '-trimpath', ...flags(), '-o', unfinished, source], {
    cwd: module,
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
