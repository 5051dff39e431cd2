// The Python side of the set-up: an interpreter with moto, made once under .cache/ and used offline afterwards.
// No dependencies and Node 20 syntax: it runs before `npm ci` has.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(ROOT, '.cache');
const REQUIREMENTS = join(ROOT, 'sandbox', 'moto', 'requirements.txt');
const OLDEST = [3, 10];
const NAMES = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

const ABOUT = `
import importlib.util, json, os, sys
print(json.dumps({
    "version": list(sys.version_info[:3]),
    "path": os.path.realpath(sys.executable),
    "venv": importlib.util.find_spec("venv") is not None and importlib.util.find_spec("ensurepip") is not None,
    "pip": importlib.util.find_spec("pip") is not None,
}))`;

/**
 * An interpreter that can import moto, and the environment to run it in. The first call installs (30 MB, some seconds,
 * the network is needed); later ones only read a small file.
 *
 * @param {{ say?: (line: string) => void }} [options] where to say what is being installed; standard error when absent
 * @returns {Promise<{ python: string, env: Record<string, string> }>}
 */
export async function ensurePython(options = {}) {
  const say = options.say ?? ((line) => process.stderr.write(`${line}\n`));
  const requirements = hash(readFileSync(REQUIREMENTS, 'utf8'));
  const known = remembered(requirements);
  if (known) return environmentOf(known);

  const found = findPython();
  const version = found.version.join('.');
  const stamp = hash([requirements, version, process.platform, process.arch, found.path].join('\n')).slice(0, 16);
  const folder = join(CACHE, `python-${stamp}`);
  mkdirSync(CACHE, { recursive: true });
  return holding(join(CACHE, `python-${stamp}.lock`), async () => {
    const made = remembered(requirements);
    if (made) return environmentOf(made);
    rmSync(folder, { recursive: true, force: true });
    say(`Python ${version}: installing the libraries of the sandbox cloud into .cache/ (once)`);
    const kind = await install(found, folder);
    const memory = { requirements, folder, interpreter: found.path, kind };
    const unfinished = `${memoryFile()}.${process.pid}`;
    writeFileSync(unfinished, JSON.stringify(memory));
    renameSync(unfinished, memoryFile());
    return environmentOf(memory);
  });
}

const hash = (text) => createHash('sha256').update(text).digest('hex');
const memoryFile = () => join(CACHE, `python-${process.platform}-${process.arch}.json`);
const interpreterIn = (folder) => join(folder, 'bin', 'python');

/** What an earlier call made, if it still fits: an upgraded or removed interpreter makes the folder worthless. */
function remembered(requirements) {
  try {
    const memory = JSON.parse(readFileSync(memoryFile(), 'utf8'));
    const python = memory.kind === 'venv' ? interpreterIn(memory.folder) : memory.interpreter;
    const fits =
      memory.requirements === requirements && existsSync(memory.folder) && realpathSync(python) === memory.interpreter;
    return fits && memory.folder.startsWith(CACHE) ? memory : undefined;
  } catch {
    return undefined;
  }
}

function environmentOf({ kind, folder, interpreter }) {
  // Without its compiled files beside the sources every start would compile moto again: 1.2 s instead of 0.4 s.
  const env = { PYTHONDONTWRITEBYTECODE: '', PYTHONNOUSERSITE: '1', PYTHONHOME: '' };
  return kind === 'venv'
    ? { python: interpreterIn(folder), env: { ...env, PYTHONPATH: '' } }
    : { python: interpreter, env: { ...env, PYTHONPATH: join(folder, 'lib') } };
}

/** The first name on PATH that is new enough; SLUICE_PYTHON overrules. */
function findPython() {
  const names = process.env.SLUICE_PYTHON ? [process.env.SLUICE_PYTHON] : NAMES;
  const seen = [];
  for (const name of names) {
    const answer = spawnSync(name, ['-c', ABOUT], { encoding: 'utf8', timeout: 20_000 });
    if (answer.status !== 0) continue;
    const about = JSON.parse(answer.stdout);
    const [major, minor] = about.version;
    if (major === OLDEST[0] && minor >= OLDEST[1] && (about.venv || about.pip)) return about;
    seen.push(`${name} is ${about.version.join('.')}${about.venv || about.pip ? '' : ', without venv and pip'}`);
  }
  throw new Error(missing(seen));
}

function missing(seen) {
  const wanted = `The sandbox cloud needs Python ${OLDEST.join('.')} or newer with venv or pip`;
  const why = seen.length > 0 ? seen.join('; ') : 'no python3 was found on PATH';
  const hint =
    process.platform === 'darwin'
      ? 'brew install python@3.13'
      : 'Debian, Ubuntu: apt install python3-venv; Fedora: dnf install python3';
  return `${wanted}: ${why}. Install it (${hint}), or name one by SLUICE_PYTHON.`;
}

/** Installs beside the final place and renames, so that a folder of that name is always whole. */
async function install(found, folder) {
  const unfinished = mkdtempSync(`${folder}.`);
  try {
    const kind = found.venv && (await succeeds(found.path, ['-m', 'venv', unfinished])) ? 'venv' : 'target';
    if (kind === 'target' && !found.pip)
      throw new Error(missing([`${found.path} can make no virtual environment and has no pip`]));
    const python = kind === 'venv' ? interpreterIn(unfinished) : found.path;
    const where = kind === 'venv' ? [] : ['--target', join(unfinished, 'lib')];
    await run(python, ['-m', 'pip', 'install', ...PIP, ...where, '--requirement', REQUIREMENTS]);
    renameSync(unfinished, folder);
    return kind;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

// Each file is checked against its hash, and the list is the whole closure, so that nothing else can come in.
const PIP = [
  '--quiet',
  '--require-hashes',
  '--no-deps',
  '--no-compile',
  '--prefer-binary',
  '--disable-pip-version-check',
];

async function succeeds(command, args) {
  return (await end(command, args)).code === 0;
}

async function run(command, args) {
  const { code, output } = await end(command, args);
  if (code === 0) return;
  const last = output.trim().split('\n').slice(-6).join('\n');
  throw new Error(
    `Could not install the Python libraries of the sandbox cloud (pip ended with ${code}). The network is needed once.\n${last}`,
  );
}

function end(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    child.on('error', (error) => resolve({ code: -1, output: error.message }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** One installs while the others wait; a lock whose holder has died is taken over. */
async function holding(lock, work) {
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (!alive(lock)) rmSync(lock, { force: true });
      else await sleep(200);
    }
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function alive(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    // Empty for the moment between its creation and its first byte.
    if (!(pid > 0)) return Date.now() - statSync(lock).mtimeMs < 10_000;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
