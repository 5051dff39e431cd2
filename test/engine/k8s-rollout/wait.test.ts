import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../../sandbox/kubernetes/cluster.ts';
import { type FaultServer, startFaultServer } from '../../../sandbox/kubernetes/faults/fault-server.ts';
import { kubernetesOf } from '../../../src/adapters/kubernetes/cluster.ts';
import { kubeHttp } from '../../../src/adapters/kubernetes/http.ts';
import { after, instant, minutes, seconds } from '../../../src/domain/duration.ts';
import { type KubeObject, listAt, textAt } from '../../../src/domain/kubernetes/object.ts';
import { PODS } from '../../../src/domain/kubernetes/resource.ts';
import { type Target, type WaitEnd, waitReady } from '../../../src/engine/k8s-rollout/wait.ts';
import { type FakeClock, fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';
import { needs } from '../../harness/needs.ts';
import { until } from '../../sandbox/kubernetes/until.ts';

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

  /** Waits for these, eight minutes at most. */
  async function wait(targets: readonly Target[], clock: FakeClock): Promise<WaitEnd> {
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
});
