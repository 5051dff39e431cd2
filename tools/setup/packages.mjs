// The npm packages of the lockfile and the Node 24 among them.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, join } from 'node:path';
import { SetupProblem } from './problem.mjs';

const SUITE_NODE_MAJOR = 24;
const stampFile = (root) => join(root, 'node_modules', '.sluice-setup.json');
const lockfileOf = (root) => JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));

/** The remembered state, when it still belongs to this lockfile and this machine. */
export function packagesAreReady(root) {
  try {
    const state = JSON.parse(readFileSync(stampFile(root), 'utf8'));
    return state.stamp === stampOf(root) && existsSync(state.node) ? state : undefined;
  } catch {
    return undefined;
  }
}

/** What the installed packages depend on. A changed lockfile, platform or kind of C library asks for a new look. */
function stampOf(root) {
  const lockfile = readFileSync(join(root, 'package-lock.json'));
  return createHash('sha256').update(lockfile).update(`${process.platform} ${process.arch}`).digest('hex');
}

/** Installs unless a developer's own install already holds exactly what the lockfile asks for. */
export async function installPackages(root) {
  if (!installedFits(root)) await npmCi(root);
  const state = { stamp: stampOf(root), node: nodeOfTheSuite(root) };
  writeFileSync(stampFile(root), `${JSON.stringify(state, null, 2)}\n`);
  return state;
}

/** npm writes what it installed to node_modules/.package-lock.json. Packages that we did not ask for do no harm. */
function installedFits(root) {
  let installed;
  try {
    installed = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages;
  } catch {
    return false;
  }
  return Object.entries(lockfileOf(root).packages).every(([path, wanted]) => {
    if (path === '') return true;
    const found = installed[path];
    if (found === undefined) return mayBeMissing(wanted);
    return (
      found.version === wanted.version &&
      found.integrity === wanted.integrity &&
      existsSync(join(root, path, 'package.json'))
    );
  });
}

/** npm leaves out optional packages of other platforms, and what only those depend on (which names no platform of its own). */
function mayBeMissing({ optional, os, cpu, libc }) {
  if (optional !== true) return false;
  const admits = (list, value) => list === undefined || list.includes(value);
  const isOfThisPlatform = admits(os, process.platform) && admits(cpu, process.arch);
  return (os ?? cpu) === undefined || !isOfThisPlatform || (libc !== undefined && !libc.includes(libcOfThisMachine()));
}

function libcOfThisMachine() {
  if (process.platform !== 'linux') return undefined;
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
}

/**
 * Each flag undoes a setting of a user or a machine that would drop packages without a word: NODE_ENV=production (dev),
 * omit=optional (Node 24, esbuild, swc), engine-strict. Install scripts stay off: nothing that we install needs one.
 */
async function npmCi(root) {
  const flags = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--ignore-scripts',
    '--no-engine-strict',
    '--no-progress',
    '--loglevel=error',
  ];
  const count = Object.values(lockfileOf(root).packages).filter(
    (entry) => entry.version && !mayBeMissing(entry),
  ).length;
  const started = Date.now();
  process.stderr.write(`Installing ${count} npm packages from package-lock.json (once) ... `);
  const [command, ...args] = [...npmCommand(), ...flags];
  const { code, output, interruptedBy } = await runQuietly(command, args, root);
  if (interruptedBy !== undefined) {
    const message = `\nThe set-up was interrupted by ${interruptedBy}; type the command again and it starts anew.`;
    throw new SetupProblem(message, { exitCode: 128 + constants.signals[interruptedBy] });
  }
  if (code !== 0) {
    process.stderr.write('failed\n');
    throw new SetupProblem(
      `${output.trim()}\nnpm ci ended with ${code}. What npm says is above; set-up needs the network once, after which nothing more is fetched.`,
    );
  }
  process.stderr.write(`${((Date.now() - started) / 1000).toFixed(0)} s\n`);
}

/** The npm that started us, so that its version and settings hold; a `yarn run` or a bare `node tools/run.mjs` gets the npm on PATH. */
function npmCommand() {
  const started = process.env.npm_execpath;
  if (!started || !/^npm(-cli)?(\.[cm]?js)?$/.test(basename(started)) || !existsSync(started)) return ['npm'];
  return /\.[cm]?js$/.test(started) ? [process.env.npm_node_execpath || process.execPath, started] : [started];
}

function runQuietly(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let interruptedBy;
    const stop = (signal) => {
      interruptedBy = signal;
      child.kill(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('error', (error) =>
      reject(
        error.code === 'ENOENT'
          ? new SetupProblem(`${command} was not found on PATH; Sluice installs its packages with it.`, {
              cause: error,
            })
          : error,
      ),
    );
    child.on('close', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, stop);
      resolve({ code: code ?? signal, output, interruptedBy });
    });
  });
}

/** Node 24 comes as an optional package for the platforms that have one; elsewhere the user's own must do. */
function nodeOfTheSuite(root) {
  const packaged = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(packaged) && majorOf(packaged) === SUITE_NODE_MAJOR) return packaged;
  if (majorOf(process.execPath) >= SUITE_NODE_MAJOR) return process.execPath;
  throw new SetupProblem(
    `Sluice runs on Node ${SUITE_NODE_MAJOR}, and there is no packaged one that works on ${process.platform}-${process.arch}: install Node ${SUITE_NODE_MAJOR} or newer (this is ${process.version}) and type the command again.`,
  );
}

/** Asked of the program itself: a binary for another C library is there and does not run. */
function majorOf(node) {
  const asked = spawnSync(node, ['-v'], { encoding: 'utf8' });
  return asked.status === 0 ? Number(/^v(\d+)\./.exec(asked.stdout)?.[1] ?? 0) : 0;
}
