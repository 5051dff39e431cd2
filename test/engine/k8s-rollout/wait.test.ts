import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../../sandbox/kubernetes/cluster.ts';
import { type FaultServer, startFaultServer } from '../../../sandbox/kubernetes/faults/fault-server.ts';
import { kubernetesOf } from '../../../src/adapters/kubernetes/cluster.ts';
import { kubeHttp } from '../../../src/adapters/kubernetes/http.ts';
import { after, instant, minutes, seconds } from '../../../src/domain/duration.ts';
import { type KubeObject, listAt, numberAt, textAt } from '../../../src/domain/kubernetes/object.ts';
import { DEPLOYMENTS, PODS, type Resource } from '../../../src/domain/kubernetes/resource.ts';
import { type Target, type WaitEnd, waitReady } from '../../../src/engine/k8s-rollout/wait.ts';
import { type FakeClock, fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';
import { needs } from '../../harness/needs.ts';
import { until } from '../../sandbox/kubernetes/until.ts';

const DAEMON_SETS: Resource = { ...DEPLOYMENTS, kind: 'DaemonSet', plural: 'daemonsets' };
const JOBS: Resource = { ...PODS, apiVersion: 'batch/v1', group: 'batch', kind: 'Job', plural: 'jobs' };

/** A real API server; time is the test's. */
needs('kubernetes')('a wait', () => {
  let cluster: Cluster;
  let server: FaultServer;
  let over: AbortController;
  let namespace = '';
  beforeAll(async () => {
    cluster = await startCluster({ use: 'shared' });
    namespace = await cluster.namespace('waits');
  }, 200_000);
  afterAll(async () => {
    await cluster?.admin.api.request('DELETE', `/api/v1/namespaces/${namespace}`);
    await cluster?.stop();
  });
  beforeEach(async () => {
    server = await startFaultServer(cluster);
    over = new AbortController();
  });
  afterEach(async () => {
    over.abort();
    await server.stop();
  });

  const make = (path: string, object: object) =>
    cluster.admin.api.create(`/api/v1/namespaces/${namespace}/${path}`, object) as Promise<KubeObject>;

  /** Waits for these, eight minutes at most; time stands until `meanwhile` is done. */
  async function wait(
    targets: readonly Target[],
    clock: FakeClock,
    meanwhile: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<WaitEnd> {
    const { token } = server.run('action');
    const access = {
      server: server.url,
      verify: 'certificate',
      certificateAuthority: server.authority,
      authorization: () => Promise.resolve(`Bearer ${token}`),
    } as const;
    const random = { fraction: () => 0.5, token: () => 'a'.repeat(32) };
    const tools = { clock, log: recordingLog() };
    const cluster = kubernetesOf(kubeHttp(access, { ...tools, random, onWarning: () => undefined }));
    let end: WaitEnd | undefined;
    const waiting = { targets, deadline: after(clock.now(), minutes(8)), way: 'there' } as const;
    const ended = waitReady(waiting, { cluster, ...tools }, over.signal).then((found) => (end = found));
    await meanwhile();
    await until('the end of the wait', async () => {
      await Promise.race([clock.advance(seconds(5)), ended]);
      return end;
    });
    return ended;
  }

  test.each([
    ['a node autoscaler makes it a node', 'TriggeredScaleUp', 'timed-out'],
    ['a node autoscaler makes none', 'NotTriggerScaleUp', 'bad'],
  ])(
    'for a pod that no node takes lasts as %s',
    async (_name, reason, kind) => {
      const name = reason.toLowerCase();
      const spec = { containers: [{ name: 'app', image: 'x/y:1-unschedulable' }] };
      const { metadata } = await make('pods', { metadata: { name }, spec });
      const pod = await until('what the scheduler says', async () => {
        const found = (await cluster.admin.api.get(`/api/v1/namespaces/${namespace}/pods/${name}`)) as KubeObject;
        return listAt(found, 'status', 'conditions').length > 0 ? found : undefined;
      });
      const involvedObject = { kind: 'Pod', namespace, name, uid: metadata.uid };
      await make('events', { metadata: { name: `${name}.1` }, involvedObject, reason, type: 'Normal', message: 'm' });
      const since = textAt(listAt(pod, 'status', 'conditions')[0], 'lastTransitionTime') ?? '';
      const clock = fakeClock({ start: instant(Date.parse(since)) });
      const end = await wait([{ resource: PODS, object: pod }], clock);
      expect(end.kind).toBe(kind);
    },
    60_000,
  );

  test('goes on without a Job that has ended and whose ttl took it away', async () => {
    const waits = {
      name: 'waits',
      image: 'x/y:1-never-healthy',
      readinessProbe: { httpGet: { path: '/', port: 80 } },
    };
    const pod = await make('pods', { metadata: { name: 'waits' }, spec: { containers: [waits] } });
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'm', image: 'x/y:1' }] } };
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs`;
    const spec = { ttlSecondsAfterFinished: 0, template, suspend: true };
    const made = (await cluster.admin.api.create(path, { metadata: { name: 'migrate' }, spec })) as KubeObject;
    // It begins once somebody looks; the wait knows it as it was applied.
    const job = { ...made, apiVersion: 'batch/v1', kind: 'Job', spec: { ...(made['spec'] as object), suspend: false } };
    const targets = [
      { resource: PODS, object: { ...pod, apiVersion: 'v1', kind: 'Pod' } },
      { resource: JOBS, object: job },
    ];
    const end = await wait(targets, fakeClock(), async () => {
      await until('that somebody looks', async () =>
        server.queries('k8s:watch jobs').length > 0 ? 'looks' : undefined,
      );
      await cluster.admin.api.merge(`${path}/migrate`, { spec: { suspend: false } });
      await until('that the Job is gone', async () =>
        (await cluster.admin.api.request('GET', `${path}/migrate`)).status === 404 ? 'gone' : undefined,
      );
    });
    expect([end.kind, ...('unready' in end ? end.unready.map(({ target }) => target.object.kind) : [])]).toEqual([
      'timed-out',
      'Pod',
    ]);
  }, 60_000);

  test('tells what it does not prove, also of what was ready before all else', async () => {
    const { api } = cluster.admin;
    const template = (name: string) => ({
      metadata: { labels: { app: name } },
      spec: {
        containers: [{ name: 'app', image: 'x/y:1-slow-start', readinessProbe: { httpGet: { path: '/', port: 80 } } }],
      },
    });
    const of = (name: string, more: object) => ({
      metadata: { name },
      spec: { selector: { matchLabels: { app: name } }, template: template(name), ...more },
    });
    const apps = `/apis/apps/v1/namespaces/${namespace}`;
    await api.create(`${apps}/daemonsets`, of('agent', { updateStrategy: { type: 'OnDelete' } }));
    const agent = async () => (await api.get(`${apps}/daemonsets/agent`)) as KubeObject;
    await until('its pods', async () => (numberAt(await agent(), 'status', 'numberAvailable') ? 'there' : undefined));
    await api.merge(`${apps}/daemonsets/agent`, { spec: { template: { metadata: { labels: { version: 'two' } } } } });
    const seen = await until('that its controller has seen the change', async () => {
      const now = await agent();
      return numberAt(now, 'status', 'observedGeneration') === now.metadata.generation ? now : undefined;
    });
    const suspended = {
      suspend: true,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'm', image: 'x/y:1' }] } },
    };
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs`;
    const job = (await api.create(path, { metadata: { name: 'later' }, spec: suspended })) as KubeObject;
    const web = (await api.create(`${apps}/deployments`, of('web', { replicas: 1 }))) as KubeObject;
    const targets = [
      { resource: DAEMON_SETS, object: { ...seen, apiVersion: 'apps/v1', kind: 'DaemonSet' } },
      { resource: JOBS, object: { ...job, apiVersion: 'batch/v1', kind: 'Job' } },
      { resource: DEPLOYMENTS, object: { ...web, apiVersion: 'apps/v1', kind: 'Deployment' } },
    ];
    const end = await wait(targets, fakeClock());
    expect(end).toMatchObject({
      kind: 'ready',
      unproven: [
        expect.stringMatching(/^DaemonSet \S+\/agent \(\d of \d pods are of an older version/),
        expect.stringMatching(/^Job \S+\/later \(it is suspended/),
      ],
    });
  }, 60_000);
});
