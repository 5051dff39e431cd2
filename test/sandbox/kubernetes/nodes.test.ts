import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../../sandbox/kubernetes/cluster.ts';
import type { KubeObject } from '../../../sandbox/kubernetes/kube-api.ts';
import { needs } from '../../harness/needs.ts';
import { deployment, job } from './manifests.ts';
import { until } from './until.ts';

interface Status {
  readonly waiting?: { readonly reason: string; readonly message: string };
  readonly terminated?: { readonly reason: string; readonly exitCode: number };
}
interface PodSeen extends KubeObject {
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly state: Status;
      readonly lastState: Status;
    }[];
  };
}

needs('kubernetes')('pods of the sandbox cluster', () => {
  let cluster: Cluster;
  let namespace: string;
  const core = (): string => `/api/v1/namespaces/${namespace}`;
  const apps = (): string => `/apis/apps/v1/namespaces/${namespace}`;
  beforeAll(async () => {
    cluster = await startCluster({ use: 'shared' });
    namespace = await cluster.namespace('nodes');
  }, 200_000);
  afterAll(async () => {
    await cluster?.admin.api.delete(`/api/v1/namespaces/${namespace}`);
    await cluster?.stop();
  });

  const podOf = async (app: string, fits: (pod: PodSeen) => boolean): Promise<PodSeen> => {
    const { api } = cluster.admin;
    return until(`a pod of ${app}`, async () => {
      const { items } = await api.get<{ items: PodSeen[] }>(`${core()}/pods`);
      return items.find((pod) => pod.metadata.name.startsWith(`${app}-`) && fits(pod));
    });
  };
  const start = (name: string, image: string): Promise<KubeObject> =>
    cluster.admin.api.create(`${apps()}/deployments`, deployment(name, image));
  const container = (pod: PodSeen) => pod.status.containerStatuses?.[0];

  test('become ready, are replaced by a new release, and their endpoints follow', async () => {
    const { api } = cluster.admin;
    await api.create(`${apps()}/deployments`, deployment('good', 'acme/web:1.0.0', { replicas: 3 }));
    await api.create(`${core()}/services`, {
      metadata: { name: 'good' },
      spec: { selector: { app: 'good' }, ports: [{ port: 80 }] },
    });
    const available = (generation: number) => async () => {
      const { status } = await api.get<{ status: Record<string, number> }>(`${apps()}/deployments/good`);
      const isDone =
        status['observedGeneration'] === generation &&
        status['availableReplicas'] === 3 &&
        status['updatedReplicas'] === 3 &&
        status['replicas'] === 3;
      return isDone ? status : undefined;
    };
    await until('3 available', available(1));
    await api.merge(`${apps()}/deployments/good`, {
      spec: { template: { spec: { containers: [{ name: 'web', image: 'acme/web:1.1.0' }] } } },
    });
    await until('3 of the new release', available(2));
    const endpoints = await until('3 ready endpoints', async () => {
      const { items } = await api.get<{ items: { endpoints?: { conditions: { ready: boolean } }[] }[] }>(
        `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      );
      const ready = items.flatMap(({ endpoints = [] }) => endpoints).filter(({ conditions }) => conditions.ready);
      return ready.length === 3 ? ready : undefined;
    });
    expect(endpoints).toHaveLength(3);
  }, 90_000);

  test('crash with a last state, restarts, events and both logs', async () => {
    const { api } = cluster.admin;
    await start('crashing', 'acme/web:1-crash-at-start');
    const pod = await podOf('crashing', (each) => {
      const one = container(each);
      return one?.state.waiting?.reason === 'CrashLoopBackOff' && one.restartCount >= 3;
    });
    expect(container(pod)?.lastState.terminated).toMatchObject({ reason: 'Error', exitCode: 1 });
    const log = await api.request('GET', `${core()}/pods/${pod.metadata.name}/log?previous=true&tailLines=2`);
    expect(log).toEqual({ status: 200, body: 'panic: cannot reach the database at db:5432\nexit status 1\n' });
    const { items } = await api.get<{ items: { reason: string; involvedObject: { name: string }; count: number }[] }>(
      `${core()}/events`,
    );
    const backOff = items.filter(
      ({ reason, involvedObject }) => reason === 'BackOff' && involvedObject.name === pod.metadata.name,
    );
    expect(backOff).toHaveLength(1);
    expect(backOff[0]?.count).toBeGreaterThanOrEqual(3);
  }, 90_000);

  test.each([
    ['out-of-memory', (pod: PodSeen) => container(pod)?.lastState.terminated?.reason === 'OOMKilled'],
    ['missing-image', (pod: PodSeen) => container(pod)?.state.waiting?.reason === 'ImagePullBackOff'],
    ['pull-denied', (pod: PodSeen) => /401 Unauthorized/.test(container(pod)?.state.waiting?.message ?? '')],
    ['unschedulable', (pod: PodSeen) => pod.status.conditions?.[0]?.reason === 'Unschedulable'],
  ])(
    'fail as the tag says: %s',
    async (fault, fits) => {
      await start(`with-${fault}`, `registry:5000/acme/web:2.1-${fault}@sha256:${'a'.repeat(64)}`);
      const pod = await podOf(`with-${fault}`, fits);
      expect(pod.status.conditions?.find(({ type }) => type === 'Ready')?.status).not.toBe('True');
    },
    60_000,
  );

  test('that wait for a Secret start when it comes', async () => {
    const { api } = cluster.admin;
    const template = deployment('waiting', 'acme/web:1') as { spec: { template: { spec: { containers: object[] } } } };
    const [web] = template.spec.template.spec.containers;
    template.spec.template.spec.containers = [{ ...web, envFrom: [{ secretRef: { name: 'late' } }] }];
    await api.create(`${apps()}/deployments`, template);
    const pod = await podOf(
      'waiting',
      (each) => container(each)?.state.waiting?.reason === 'CreateContainerConfigError',
    );
    expect(container(pod)?.state.waiting?.message).toBe('secret "late" not found');
    await api.create(`${core()}/secrets`, { metadata: { name: 'late' } });
    await podOf('waiting', (each) => each.status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True');
  }, 60_000);

  test('of Jobs end, well or badly', async () => {
    const { api } = cluster.admin;
    const jobs = `/apis/batch/v1/namespaces/${namespace}/jobs`;
    await api.create(jobs, job('migrate', 'acme/migrate:1'));
    await api.create(jobs, job('broken', 'acme/migrate:1-crash-at-start'));
    const ended = (name: string) =>
      until(`the end of ${name}`, async () => {
        const { status } = await api.get<{ status: { conditions?: { type: string; status: string }[] } }>(
          `${jobs}/${name}`,
        );
        return status.conditions?.find(({ type }) => type === 'Complete' || type === 'Failed')?.type;
      });
    expect(await ended('migrate')).toBe('Complete');
    expect(await ended('broken')).toBe('Failed');
  }, 60_000);

  test('a user without rights is refused, one with a Role is not; Services get an address', async () => {
    const { api } = cluster.admin;
    const guest = await cluster.serviceAccount(namespace, 'guest');
    const reader = cluster.user('rita', { groups: ['readers'] });
    expect((await guest.api.request('GET', `${core()}/services`)).status).toBe(403);
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    await api.create(`${rbac}/roles`, {
      metadata: { name: 'readers' },
      rules: [{ apiGroups: [''], resources: ['services'], verbs: ['get', 'list'] }],
    });
    await api.create(`${rbac}/rolebindings`, {
      metadata: { name: 'readers' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'readers' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'readers' }],
    });
    await api.create(`${core()}/services`, {
      metadata: { name: 'edge' },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    });
    const service = await until('an address', async () => {
      const { status, body } = await reader.api.request('GET', `${core()}/services/edge`);
      const seen = body as { status?: { loadBalancer?: { ingress?: unknown[] } } };
      return status === 200 ? seen.status?.loadBalancer?.ingress : undefined;
    });
    expect(service).toEqual([{ hostname: 'lb.sandbox.internal' }]);
  }, 60_000);
});
