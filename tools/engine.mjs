// A container engine and a registry for tests: Debian's packages, run in folders of their own, never as a service of the
// machine. What is missing is installed once where that may be done without asking anybody: as root, by apt-get.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { madeOnce } from './made-once.mjs';

const CACHE = join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache');
const PROGRAMS = {
  dockerd: 'docker.io',
  docker: 'docker.io',
  'docker-registry': 'docker-registry',
  busybox: 'busybox-static',
};
/** The newest buildx that Debian has; bookworm has none. */
const BUILDX_RELEASE = 'trixie';
const MINUTES = 60_000;

/**
 * Says where the programs are; installs what is missing where it may.
 *
 * @returns {{ dockerd: string | undefined, registry: string, busybox: string }} dockerd is undefined where only the machine's own engine can be used
 * @throws {Error} one line that says what is missing and what to do
 */
export function ensureEngine() {
  if (process.platform !== 'linux') throw new Error(`an engine is started on Linux only; this is ${process.platform}`);
  const missing = Object.keys(PROGRAMS).filter((program) => !onPath(program));
  if (missing.length > 0) madeOnce(join(CACHE, `engine-packages-${missing.join('-')}`), () => install(missing));
  const lacking = Object.keys(PROGRAMS).filter((program) => !onPath(program));
  const own = isRoot() && onPath('dockerd');
  const needed = lacking.filter((program) => program !== 'dockerd' || isRoot());
  if (needed.length > 0)
    throw new Error(`${needed.join(', ')} is not on PATH (Debian: apt-get install ${packagesOf(needed)})`);
  if (!own && spawnSync('docker', ['info'], { timeout: 20_000 }).status !== 0)
    throw new Error('dockerd is started by root only, and no running engine answers docker info');
  return {
    dockerd: own ? pathOf('dockerd') : undefined,
    registry: pathOf('docker-registry'),
    busybox: pathOf('busybox'),
  };
}

/**
 * Path of a buildx plugin, or why there is none: of the machine's docker, else of Debian's next release, kept in .cache.
 *
 * @returns {string}
 * @throws {Error}
 */
export function ensureBuildx() {
  const places = [
    '/usr/libexec/docker/cli-plugins',
    '/usr/lib/docker/cli-plugins',
    '/usr/local/lib/docker/cli-plugins',
  ];
  const installed = places.map((place) => join(place, 'docker-buildx')).find((path) => existsSync(path));
  if (installed !== undefined) return installed;
  const path = join(CACHE, 'bin', `docker-buildx-${BUILDX_RELEASE}`, 'docker-buildx');
  return madeOnce(path, () => downloadBuildx(path));
}

function downloadBuildx(path) {
  if (!isRoot() || !onPath('apt-get'))
    throw new Error('no buildx plugin is installed, and apt-get cannot be run as root');
  const folder = mkdtempSync(join(tmpdir(), 'sluice-buildx-'));
  try {
    for (const part of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(folder, part), { recursive: true });
    const source = `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian ${BUILDX_RELEASE} main\n`;
    writeFileSync(join(folder, 'sources.list'), source);
    const options = [
      `Dir::Etc::sourcelist=${folder}/sources.list`,
      'Dir::Etc::sourceparts=/dev/null',
      `Dir::State::lists=${folder}/lists`,
      `Dir::Cache=${folder}/cache`,
      'APT::Sandbox::User=root',
    ].flatMap((option) => ['-o', option]);
    run('apt-get', [...options, 'update', '-qq'], folder);
    run('apt-get', [...options, 'download', '-qq', 'docker-buildx'], folder);
    const [archive] = readdirSync(folder).filter((name) => name.endsWith('.deb'));
    run('dpkg-deb', ['-x', archive ?? 'nothing.deb', 'unpacked'], folder);
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(join(folder, 'unpacked/usr/libexec/docker/cli-plugins/docker-buildx'), `${path}.new`);
    chmodSync(`${path}.new`, 0o755);
    renameSync(`${path}.new`, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function install(programs) {
  const how = isRoot() ? [] : ['sudo', '-n'];
  // A machine that is somebody's own gets nothing installed; CI says that everything is required.
  if (process.env['SLUICE_REQUIRE_ALL'] !== '1' || !onPath('apt-get'))
    throw new Error(`${programs.join(', ')} is not on PATH (Debian: apt-get install ${packagesOf(programs)})`);
  const command = [
    ...how,
    'apt-get',
    'install',
    '-y',
    '-qq',
    '--no-install-recommends',
    ...packagesOf(programs).split(' '),
  ];
  run(how[0] ?? 'apt-get', [...how.slice(1), ...(how.length > 0 ? ['apt-get'] : []), 'update', '-qq'], CACHE);
  run(command[0], command.slice(1), CACHE);
}

const packagesOf = (programs) => [...new Set(programs.map((program) => PROGRAMS[program]))].join(' ');
const isRoot = () => process.getuid?.() === 0;
const onPath = (program) => pathOf(program) !== undefined;

function pathOf(program) {
  const { status, stdout } = spawnSync('sh', ['-c', `command -v ${program}`], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
  return status === 0 ? stdout.trim() : undefined;
}

function run(program, args, cwd) {
  const { status, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    timeout: 10 * MINUTES,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  });
  if (status === 0) return;
  throw new Error(`${program} ${args.join(' ')} failed: ${error?.message ?? stderr.trim().split('\n').at(-1)}`);
}
