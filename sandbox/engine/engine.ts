import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuildx, ensureEngine } from '../../tools/engine.mjs';

export interface Engine {
  /** DOCKER_HOST, and a home with the client's configuration. */
  readonly env: Readonly<Record<string, string>>;
  /** A folder for PATH in which only one docker is: the client of the engine's own release. */
  readonly clientFolder: string;
  /** The static program that images of tests are made of. */
  readonly busybox: string;
  /** A configuration folder in which the buildx plugin is. */
  withBuildx(): Promise<string>;
  stop(): Promise<void>;
}

const alive = new Set<ChildProcess>();
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')));
const START_WITHIN_MS = 60_000;

/**
 * An engine of its own in a temporary folder: no network bridge, no packet filter, nothing of the machine's engine. `env` is
 * what the engine itself is started with, such as the proxy by which it reaches registries.
 */
export async function startEngine(env: Readonly<Record<string, string>> = {}): Promise<Engine> {
  const { dockerd, busybox } = ensureEngine();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-engine-'));
  const client = await clientOf(folder);
  const socket = `unix://${folder}/docker.sock`;
  const child = dockerd === undefined ? undefined : await start(dockerd, folder, { client, socket, env });
  return {
    env: child === undefined ? {} : { DOCKER_HOST: socket },
    clientFolder: join(folder, 'bin'),
    busybox,
    async withBuildx() {
      const plugins = join(folder, 'config', 'cli-plugins');
      await mkdir(plugins, { recursive: true });
      await copyFile(ensureBuildx(), join(plugins, 'docker-buildx'));
      return join(folder, 'config');
    },
    async stop() {
      if (child !== undefined) await end(child);
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** The engine's own client: another one may come first on PATH. */
async function clientOf(folder: string): Promise<string> {
  await mkdir(join(folder, 'bin'));
  const candidates = [
    '/usr/bin/docker',
    ...(spawnSync('which', ['-a', 'docker'], { encoding: 'utf8' }).stdout ?? '').split('\n'),
  ];
  const client = candidates.find((path) => path !== '' && spawnSync(path, ['--version']).status === 0) ?? 'docker';
  await symlink(client, join(folder, 'bin', 'docker'));
  return client;
}

async function start(
  dockerd: string,
  folder: string,
  { client, socket, env }: { readonly client: string; readonly socket: string; readonly env: object },
): Promise<ChildProcess> {
  const args = [
    '--data-root',
    join(folder, 'data'),
    '--exec-root',
    join(folder, 'exec'),
    '--pidfile',
    join(folder, 'pid'),
  ];
  const quiet = ['--host', socket, '--iptables=false', '--bridge=none', '--log-level=warn'];
  const child = spawn(dockerd, [...args, ...quiet], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  alive.add(child);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)));
  for (const deadline = Date.now() + START_WITHIN_MS; ; await sleep(100)) {
    if (child.exitCode !== null) throw new Error(`dockerd ended: ${said}`);
    if (spawnSync(client, ['--host', socket, 'version']).status === 0) return child;
    if (Date.now() > deadline) throw new Error(`dockerd did not answer in a minute: ${said}`);
  }
}

async function end(child: ChildProcess): Promise<void> {
  const gone = once(child, 'close');
  if (child.exitCode === null) child.kill('SIGTERM');
  else return;
  await gone;
  alive.delete(child);
}
