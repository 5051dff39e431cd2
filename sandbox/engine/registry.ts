import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureEngine } from '../../tools/engine.mjs';

export interface Registry {
  /** `127.0.0.1:43211` */
  readonly host: string;
  /** Lines of its access log, each a method and a path: what came over the wire. */
  requests(): readonly string[];
  stop(): Promise<void>;
}

export const REGISTRY_USER = { username: 'builder', password: 'sandbox-password' };
/** bcrypt of the password above: the registry takes no other form. */
const HTPASSWD = 'builder:$2b$04$xp7WWdQ6dXrmf0RrcVHekub6lOVncpAvFF59UZB.y3JQfZ.bnv3QS\n';

const alive = new Set<ChildProcess>();
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')));

/** Debian's docker-registry on a free port of 127.0.0.1, in a folder of its own. */
export async function startRegistry(auth: 'none' | 'basic' = 'none'): Promise<Registry> {
  const { registry } = ensureEngine();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-registry-'));
  await writeFile(join(folder, 'htpasswd'), HTPASSWD);
  const lines = [
    'version: 0.1',
    'log: { level: info, accesslog: { disabled: false } }',
    `storage: { filesystem: { rootdirectory: ${folder}/data }, delete: { enabled: true } }`,
    "http: { addr: '127.0.0.1:0' }",
    ...(auth === 'basic' ? [`auth: { htpasswd: { realm: sandbox, path: ${folder}/htpasswd } }`] : []),
  ];
  await writeFile(join(folder, 'registry.yml'), `${lines.join('\n')}\n`);
  const child = spawn(registry, ['serve', join(folder, 'registry.yml')], { stdio: ['ignore', 'pipe', 'pipe'] });
  alive.add(child);
  const gone = once(child, 'close');
  const requests: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const [, request = ''] of text.matchAll(/"((?:GET|HEAD|PUT|POST|PATCH|DELETE) \S+) HTTP/g))
      requests.push(request);
  });
  const port = await portOf(child);
  return {
    host: `127.0.0.1:${port}`,
    requests: () => requests,
    async stop() {
      child.kill('SIGTERM');
      await gone;
      alive.delete(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function portOf(child: ChildProcess): Promise<number> {
  let said = '';
  return new Promise((found, failed) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000);
      const [, port] = /listening on [\d.]+:(\d+)/.exec(said) ?? [];
      if (port !== undefined) found(Number(port));
    });
    child.once('close', () => failed(new Error(`docker-registry ended: ${said}`)));
    child.once('error', failed);
  });
}
