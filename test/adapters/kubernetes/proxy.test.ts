import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../../sandbox/kubernetes/cluster.ts';
import type { Access } from '../../../src/adapters/kubernetes/access.ts';
import { kubernetesOf } from '../../../src/adapters/kubernetes/cluster.ts';
import { kubeHttp } from '../../../src/adapters/kubernetes/http.ts';
import { accessOfKubeconfig, readKubeconfig } from '../../../src/adapters/kubernetes/kubeconfig.ts';
import type { Allowance } from '../../../src/domain/kubernetes/kubeconfig-policy.ts';
import { SECRETS } from '../../../src/domain/kubernetes/resource.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';
import { type ForwardProxy, startForwardProxy } from '../../harness/forward-proxy.ts';
import { needs } from '../../harness/needs.ts';

const { signal } = new AbortController();
/** Nobody but the proxy knows it. */
const SERVER = 'kube.sluice.test:6443';

needs('kubernetes')('a cluster that is reached by a proxy alone', () => {
  let cluster: Cluster;
  let proxy: ForwardProxy;
  const before = { ...process.env };
  beforeAll(async () => {
    cluster = await startCluster({ use: 'shared' });
    proxy = await startForwardProxy({ [SERVER]: Number(new URL(cluster.url).port) });
  }, 200_000);
  afterEach(() => {
    process.env = { ...before };
  });
  afterAll(async () => {
    await proxy?.close();
    await cluster?.stop();
  });

  const kubeconfig = (more: Readonly<Record<string, string>> = {}): string =>
    JSON.stringify({
      apiVersion: 'v1',
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [
        {
          name: 'c',
          cluster: {
            server: `https://${SERVER}`,
            'tls-server-name': 'localhost',
            'certificate-authority-data': Buffer.from(cluster.authority).toString('base64'),
            ...more,
          },
        },
      ],
      users: [{ name: 'u', user: { token: cluster.adminToken } }],
    });

  const masked: string[] = [];
  async function accessOf(given: string, allowed: readonly Allowance[] = []): Promise<Access> {
    const wish = { given, context: undefined, allowed, workspace: '/' };
    const tools = { clock: fakeClock(), mask: (value: string) => void masked.push(value) };
    return accessOfKubeconfig(await readKubeconfig(wish, tools), wish, tools);
  }

  async function secretsBy(access: Access): Promise<number> {
    const random = { fraction: () => 0.5, token: () => 'a'.repeat(32) };
    const http = kubeHttp(access, { clock: fakeClock(), log: recordingLog(), random, onWarning: () => undefined });
    const { items } = await kubernetesOf(http).list(SECRETS, { namespace: 'kube-system' }, signal);
    return items.length;
  }

  test('the runner names it in HTTPS_PROXY', async () => {
    process.env['HTTPS_PROXY'] = proxy.url;
    const seen = proxy.asked().length;
    expect(await secretsBy(await accessOf(kubeconfig()))).toBeGreaterThanOrEqual(0);
    expect(proxy.asked().slice(seen)).toEqual([`CONNECT ${SERVER}`]);
  }, 60_000);

  test('the kubeconfig names it, and its password is masked', async () => {
    const url = proxy.url.replace('http://', 'http://deployer:hunter2@');
    const seen = proxy.asked().length;
    expect(await secretsBy(await accessOf(kubeconfig({ 'proxy-url': url }), ['proxy']))).toBeGreaterThanOrEqual(0);
    expect(proxy.asked().slice(seen)).toEqual([`CONNECT ${SERVER}`]);
    expect(masked).toContain('hunter2');
  }, 60_000);

  test('none is asked for a server on the runner itself', async () => {
    process.env['HTTPS_PROXY'] = proxy.url;
    delete process.env['NO_PROXY'];
    delete process.env['no_proxy'];
    const seen = proxy.asked().length;
    const access = await accessOf(kubeconfig());
    expect(await secretsBy({ ...access, server: cluster.url })).toBeGreaterThanOrEqual(0);
    expect(proxy.asked().slice(seen)).toEqual([]);
  }, 60_000);

  test('one that is no address of HTTP is refused', async () => {
    await expect(accessOf(kubeconfig({ 'proxy-url': 'socks5://bastion:1080' }), ['proxy'])).rejects.toThrow(
      'has a proxy-url that cannot be used',
    );
  });
});
