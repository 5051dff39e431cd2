import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../../sandbox/kubernetes/cluster.ts';
import { kubernetesOf } from '../../../src/adapters/kubernetes/cluster.ts';
import { kubeHttp } from '../../../src/adapters/kubernetes/http.ts';
import { accessOfPod } from '../../../src/adapters/kubernetes/in-cluster.ts';
import { SECRETS } from '../../../src/domain/kubernetes/resource.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';
import { needs } from '../../harness/needs.ts';

const { signal } = new AbortController();
const toolsOf = (environment: Readonly<Record<string, string>>) => {
  const masked: string[] = [];
  return { masked, environment: (name: string) => environment[name], mask: (value: string) => void masked.push(value) };
};

needs('kubernetes')('the service account of the pod that the job runs in', () => {
  let cluster: Cluster;
  let account: string;
  beforeAll(async () => {
    cluster = await startCluster({ use: 'shared' });
    account = await mkdtemp(join(tmpdir(), 'sluice-account-'));
  }, 200_000);
  afterAll(async () => {
    await cluster?.stop();
    await rm(account, { recursive: true, force: true });
  });

  test('opens the cluster, and its token is read again for every request', async () => {
    const namespace = await cluster.namespace('in-cluster');
    const write = (name: string, text: string) => writeFile(join(account, name), text);
    await Promise.all([write('ca.crt', cluster.authority), write('namespace', namespace), write('token', 'expired')]);
    const { hostname, port } = new URL(cluster.url);
    const tools = toolsOf({ KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port });
    const access = await accessOfPod(tools, account);
    expect(access).toMatchObject({ server: cluster.url, namespace, verify: 'certificate', proxy: 'none' });
    const random = { fraction: () => 0.5, token: () => 'a'.repeat(32) };
    const http = kubeHttp(access, { clock: fakeClock(), log: recordingLog(), random, onWarning: () => undefined });
    await cluster.admin.api.create(`/api/v1/namespaces/${namespace}/secrets`, { metadata: { name: 'there' } });
    const list = () => kubernetesOf(http).list(SECRETS, { namespace }, signal);
    await expect(list()).rejects.toThrow('the credentials are not accepted');
    await write('token', `${cluster.adminToken}\n`);
    expect((await list()).items.map(({ metadata }) => metadata.name)).toContain('there');
    expect(tools.masked).toContain(cluster.adminToken);
  }, 60_000);
});

describe('without a pod around it', () => {
  test('a job that names no cluster is told the ways to one', async () => {
    await expect(accessOfPod(toolsOf({}), '/nowhere')).rejects.toThrow(
      'There is no way to a cluster: neither kubeconfig, nor eks-cluster, nor server is given, and the job does not run in a pod. Nothing was touched. Set one of kubeconfig, eks-cluster, or server with token.',
    );
  });

  test('an address of six parts is written as a URL wants it', async () => {
    const tools = toolsOf({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' });
    expect((await accessOfPod(tools, '/nowhere')).server).toBe('https://[fd00::1]:6443');
  });
});
