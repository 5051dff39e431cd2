import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../../sandbox/kubernetes/cluster.ts';
import { type FaultServer, startFaultServer } from '../../../sandbox/kubernetes/faults/fault-server.ts';
import { kubernetesOf } from '../../../src/adapters/kubernetes/cluster.ts';
import { kubeHttp } from '../../../src/adapters/kubernetes/http.ts';
import { seconds } from '../../../src/domain/duration.ts';
import { SECRETS } from '../../../src/domain/kubernetes/resource.ts';
import { watchObjects } from '../../../src/engine/k8s-rollout/watch-objects.ts';
import { type FakeClock, fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';
import { needs } from '../../harness/needs.ts';
import { until } from '../../sandbox/kubernetes/until.ts';

const WATCH = 'k8s:watch secrets';
const LIST = 'k8s:list secrets';

/** A real API server behind one that breaks watches; time is the test's. */
needs('kubernetes')('objects that are watched', () => {
  let cluster: Cluster;
  let server: FaultServer;
  let clock: FakeClock;
  let over: AbortController;
  let namespace = '';
  beforeAll(async () => {
    cluster = await startCluster({ use: 'shared' });
    namespace = await cluster.namespace('watched');
  }, 200_000);
  afterAll(() => cluster?.stop());
  beforeEach(async () => {
    server = await startFaultServer(cluster);
    clock = fakeClock();
    over = new AbortController();
  });
  afterEach(async () => {
    over.abort();
    await server.stop();
  });

  const make = async (name: string): Promise<string> => {
    const { metadata } = await cluster.admin.api.create(`/api/v1/namespaces/${namespace}/secrets`, {
      metadata: { name },
    });
    return metadata.resourceVersion ?? '';
  };
  async function open() {
    const { token } = server.run('action');
    const access = {
      server: server.url,
      verify: 'certificate',
      certificateAuthority: server.authority,
      authorization: () => Promise.resolve(`Bearer ${token}`),
    } as const;
    const random = { fraction: () => 0.5, token: () => 'a'.repeat(32) };
    const tools = { clock, log: recordingLog() };
    const http = kubeHttp(access, { ...tools, random, onWarning: () => undefined });
    const failures: unknown[] = [];
    const hooks = { changed: () => undefined, failed: (cause: unknown) => failures.push(cause), signal: over.signal };
    const watched = await watchObjects(
      { resource: SECRETS, scope: { namespace } },
      { cluster: kubernetesOf(http), ...tools },
      hooks,
    );
    return { failures, names: () => watched.all().map(({ metadata }) => metadata.name) };
  }
  /** Time goes on, a little at a time, until it is so. */
  const passing = (what: string, isSo: () => boolean): Promise<unknown> =>
    until(what, async () => {
      await clock.advance(seconds(1));
      return isSo() ? 'so' : undefined;
    });

  test('go on from the version of a bookmark, and are read again when that has expired', async () => {
    // Later than anything that the list could say.
    const far = String(Number(await make('far')) + 100_000);
    server.faults.add({ operation: WATCH, kind: 'bookmark', resourceVersion: far });
    server.faults.add({ operation: WATCH, ordinal: 2, kind: 'gone' });
    const { names, failures } = await open();
    await passing('a third watch', () => server.queries(WATCH).length === 3);
    const [first, second, third] = server.queries(WATCH).map((query) => query.get('resourceVersion'));
    expect(server.queries(WATCH)[0]?.get('allowWatchBookmarks')).toBe('true');
    expect([second, server.queries(LIST).length]).toEqual([far, 2]);
    expect(Number(third)).toBeGreaterThanOrEqual(Number(first));
    await make('later');
    await until('the object that was made later', async () => (names().includes('later') ? 'seen' : undefined));
    expect(failures).toEqual([]);
  }, 60_000);

  test('are read again when a server that was away for longer than a call lasts is back', async () => {
    server.faults.add({ operation: WATCH, kind: 'gone' });
    const { names, failures } = await open();
    const armed = server.faults.add({ operation: LIST, kind: 'reset', times: 100_000 });
    const start = clock.now();
    await passing('two minutes without a list', () => clock.now() - start > seconds(120) && armed.hits() > 20);
    await make('back');
    server.faults.clear();
    await passing('the object that was made meanwhile', () => names().includes('back'));
    expect(failures).toEqual([]);
  }, 60_000);
});
