import { expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startCluster } from '../../../sandbox/kubernetes/cluster.ts';
import { kubeApi } from '../../../sandbox/kubernetes/kube-api.ts';
import { needs } from '../../harness/needs.ts';
import { until } from './until.ts';

const HOLDER = fileURLToPath(new URL('hold-cluster.ts', import.meta.url));

needs('kubernetes')('a cluster', () => {
  test('is shared by those who ask for it at the same time', async () => {
    const [one, two] = await Promise.all([startCluster({ use: 'shared' }), startCluster({ use: 'shared' })]);
    expect(two?.url).toBe(one?.url);
    const { gitVersion } = await one.admin.api.get<{ gitVersion: string } & never>('/version');
    expect(gitVersion).toMatch(/^v1\.\d+\.\d+/);
    const byToken = kubeApi({ url: two.url, authority: two.authority, token: two.adminToken });
    expect((await byToken.request('GET', '/api/v1/nodes')).status).toBe(200);
    await Promise.all([byToken.close(), one.stop(), two.stop()]);
  }, 200_000);

  test('of its own ends with the process that holds it, also with one that is killed', async () => {
    const holder = spawn(process.execPath, [HOLDER], { stdio: ['ignore', 'pipe', 'inherit'], env: withoutOptions() });
    const [url] = (await once(createInterface(holder.stdout), 'line')) as [string];
    expect(processesOf(url)).toBe(1);
    holder.kill('SIGKILL');
    await until('the end of its API server', async () => (processesOf(url) === 0 ? 'gone' : undefined));
  }, 200_000);
});

function withoutOptions(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  delete env['NODE_OPTIONS'];
  return env;
}

/** API servers that serve this address. */
function processesOf(url: string): number {
  const port = new URL(url).port;
  const { stdout } = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line.includes('kube-apiserver') && line.includes(`--secure-port=${port}`))
    .length;
}
