import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../../sandbox/kubernetes/cluster.ts';
import { type FaultServer, startFaultServer } from '../../../sandbox/kubernetes/faults/fault-server.ts';
import { type KubeApi, kubeApi } from '../../../sandbox/kubernetes/kube-api.ts';
import { needs } from '../../harness/needs.ts';
import { until } from './until.ts';

needs('kubernetes')('the fault server before the API server', () => {
  let cluster: Cluster;
  let server: FaultServer;
  let namespace: string;
  const clients: KubeApi[] = [];
  beforeAll(async () => {
    cluster = await startCluster({ use: 'shared' });
    namespace = await cluster.namespace('faults');
  }, 200_000);
  afterAll(async () => {
    await cluster?.admin.api.delete(`/api/v1/namespaces/${namespace}`);
    await cluster?.stop();
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await server.stop();
  });

  const open = async (): Promise<KubeApi> => {
    server = await startFaultServer(cluster);
    const { token } = server.run('action');
    const api = kubeApi({ url: server.url, authority: server.authority, token });
    clients.push(api);
    return api;
  };
  const config = (name: string): string => `/api/v1/namespaces/${namespace}/configmaps/${name}`;
  const body = (name: string): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { a: '1' },
  });

  test('passes calls through, counts them, and says what they were', async () => {
    const api = await open();
    await api.apply(config('one'), body('one'));
    await api.apply(config('one'), body('one'));
    expect((await api.request('GET', config('absent'))).status).toBe(404);
    expect(server.calls()).toMatchObject([
      { run: 'action', operation: 'k8s:patch configmaps/one', ordinal: 1, mutating: true, result: { kind: 'ok' } },
      { operation: 'k8s:patch configmaps/one', ordinal: 2 },
      { operation: 'k8s:get configmaps/absent', mutating: false, result: { kind: 'error', status: 404 } },
    ]);
    const { connections, bytesIn, bytesOut } = server.counts();
    expect(connections).toBe(1);
    expect(Math.min(bytesIn, bytesOut)).toBeGreaterThan(500);
  });

  test('acts with the rights of whoever the run stands for', async () => {
    await open();
    const guest = await cluster.serviceAccount(namespace, 'proxied');
    const { token } = server.run('guest', guest);
    const api = kubeApi({ url: server.url, authority: server.authority, token });
    clients.push(api);
    expect((await api.request('GET', config('one'))).status).toBe(403);
  });

  test.each([
    ['throttle', 429, 'TooManyRequests'],
    ['access-denied', 403, 'Forbidden'],
    ['expired-token', 401, 'Unauthorized'],
    ['5xx', 503, 'ServiceUnavailable'],
    ['gone', 410, 'Expired'],
  ] as const)('answers a call with %s once', async (kind, status, reason) => {
    const api = await open();
    const armed = server.faults.add({ operation: 'k8s:list configmaps', kind });
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    expect(await api.request('GET', path)).toMatchObject({ status, body: { kind: 'Status', reason } });
    expect((await api.request('GET', path)).status).toBe(200);
    expect(armed.hits()).toBe(1);
  });

  test('loses the answer of a call that had its effect', async () => {
    const api = await open();
    server.faults.add({ operation: 'k8s:patch configmaps/lost', kind: 'reset', when: 'after' });
    await expect(api.apply(config('lost'), body('lost'))).rejects.toThrow();
    expect((await cluster.admin.api.request('GET', config('lost'))).status).toBe(200);
    server.faults.add({ operation: 'k8s:patch configmaps/never', kind: 'reset' });
    await expect(api.apply(config('never'), body('never'))).rejects.toThrow();
    expect((await cluster.admin.api.request('GET', config('never'))).status).toBe(404);
  });

  test('kills at a call, before or after its effect', async () => {
    const api = await open();
    const hit: string[] = [];
    const kill = (name: string, when: 'before' | 'after'): void =>
      void server.killAt({
        operation: `k8s:patch configmaps/${name}`,
        ordinal: 1,
        when,
        onHit: (entry) => hit.push(entry.operation),
      });
    kill('before', 'before');
    kill('after', 'after');
    await expect(api.apply(config('before'), body('before'))).rejects.toThrow();
    await expect(api.apply(config('after'), body('after'))).rejects.toThrow();
    expect(hit).toEqual(['k8s:patch configmaps/before', 'k8s:patch configmaps/after']);
    expect((await cluster.admin.api.request('GET', config('before'))).status).toBe(404);
    expect((await cluster.admin.api.request('GET', config('after'))).status).toBe(200);
  });

  test('breaks a watch: an error in it, half a line, a quiet end', async () => {
    const api = await open();
    await cluster.admin.api.apply(config('watched'), body('watched'));
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const seen = async (): Promise<readonly string[]> => {
      const types: string[] = [];
      for await (const event of api.watch(path, AbortSignal.timeout(20_000))) types.push(event.type);
      return types;
    };
    const operation = 'k8s:watch configmaps';
    server.faults.add({ operation, kind: 'gone' });
    expect(await seen()).toEqual(['ERROR']);
    server.faults.add({ operation, kind: 'watch-end', afterLines: 1 });
    expect(await seen()).toEqual(['ADDED']);
    server.faults.add({ operation, kind: 'half-line' });
    await expect(seen()).rejects.toThrow();
  });

  test('is slow to shake hands', async () => {
    const api = await open();
    server.delayHandshakes(600_000);
    const asked = api.request('GET', '/version').catch(() => 'given up');
    await until('a connection', async () => (server.counts().connections > 0 ? 'open' : undefined));
    expect(server.calls()).toEqual([]);
    await clients.splice(0)[0]?.close();
    expect(await asked).toBe('given up');
    server.delayHandshakes(0);
    const { token } = server.run('again');
    const again = kubeApi({ url: server.url, authority: server.authority, token });
    clients.push(again);
    expect((await again.request('GET', '/version')).status).toBe(200);
  });
});
