import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../../sandbox/kubernetes/cluster.ts';
import { kubernetesOf } from '../../../src/adapters/kubernetes/cluster.ts';
import { kubeHttp } from '../../../src/adapters/kubernetes/http.ts';
import { seconds } from '../../../src/domain/duration.ts';
import { Cancelled } from '../../../src/domain/failure.ts';
import { LEASES, leaseName } from '../../../src/domain/kubernetes/resource.ts';
import { holdLease } from '../../../src/engine/k8s-rollout/lease.ts';
import type { Kubernetes } from '../../../src/ports/kubernetes.ts';
import { type FakeClock, fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';
import { needs } from '../../harness/needs.ts';

/** A real API server keeps the lease; each run has a clock of its own, so that a process can be frozen. */
needs('kubernetes')('the lease of an app', () => {
  let cluster: Cluster;
  let api: Kubernetes;
  let namespace = '';
  let apps = 0;
  beforeAll(async () => {
    cluster = await startCluster({ use: 'shared' });
    namespace = await cluster.namespace('lease');
    const access = {
      server: cluster.url,
      verify: 'certificate',
      certificateAuthority: cluster.authority,
      authorization: () => Promise.resolve(`Bearer ${cluster.adminToken}`),
    } as const;
    const random = { fraction: () => 0.5, token: () => 'a'.repeat(32) };
    api = kubernetesOf(
      kubeHttp(access, { clock: fakeClock(), log: recordingLog(), random, onWarning: () => undefined }),
    );
  }, 200_000);
  afterAll(() => cluster?.stop());

  const newApp = (): string => `app-${(apps += 1)}`;
  /** `run` may name one of several processes of it: `1/1 b`. */
  const hold = (app: string, of: string, clock: FakeClock, signal = new AbortController().signal) => {
    const [run = '', process = 'a'] = of.split(' ');
    return holdLease(
      { ref: { app, namespace }, run, process, deadline: clock.now(), onConflict: 'fail' },
      { cluster: api, clock, log: recordingLog() },
      signal,
    );
  };

  test('keeps a second run out for a minute, and says who holds it', async () => {
    const app = newApp();
    const clock = fakeClock();
    const held = await hold(app, '1/1', clock);
    await clock.advance(seconds(5));
    await expect(hold(app, '2/1', clock)).rejects.toThrow(
      `Could not release ${app} in ${namespace}: run 1/1 releases ${app} (its lease was renewed 5s ago). Nothing of this run was applied.`,
    );
    await held.release();
    await (await hold(app, '2/1', clock)).release();
  }, 30_000);

  test('goes to another attempt of the same run at once: GitHub ends one before the next', async () => {
    const app = newApp();
    const clock = fakeClock();
    await hold(app, '1/1', clock);
    const second = await hold(app, '1/2', clock);
    await expect(second.guard()).resolves.toBeUndefined();
  }, 30_000);

  test('keeps two jobs of one run apart, and lets neither of them take the renewal of the other for its own', async () => {
    const app = newApp();
    const clock = fakeClock();
    const first = await hold(app, '1/1 a', clock);
    await expect(hold(app, '1/1 b', clock)).rejects.toThrow(
      `Could not release ${app} in ${namespace}: another job or step of this run (1/1) releases ${app} (its lease`,
    );
    const others = fakeClock();
    await others.advance(seconds(61));
    await hold(app, '1/1 b', others);
    await clock.advance(seconds(61));
    await expect(first.guard()).rejects.toThrow(
      `This run lost the lease of ${app}: another job or step of this run (1/1) holds it now.`,
    );
  }, 30_000);

  test('goes from a main to its own post at once', async () => {
    const app = newApp();
    await hold(app, '1/1 a', fakeClock());
    await expect((await hold(app, '1/1 a', fakeClock())).guard()).resolves.toBeUndefined();
  }, 30_000);

  test('does not go back to an attempt that GitHub has ended', async () => {
    const app = newApp();
    await hold(app, '1/2', fakeClock());
    await expect(hold(app, '1/1', fakeClock())).rejects.toThrow('another attempt of this run (1/2) releases');
  }, 30_000);

  test.each([
    ['of another run keeps others out', '2/1', '1/1', /run 1\/1 releases/],
    ['of the attempt before goes to the next one', '1/2', '1/1', undefined],
    ['of this attempt keeps others out', '1/1', '1/1', /another job or step of this run \(1\/1\) releases/],
  ])(
    'that an earlier version wrote %s',
    async (_name, ours, theirs, refused) => {
      const app = newApp();
      await hold(app, theirs, fakeClock());
      const place = { namespace, name: leaseName(app) };
      await api.patch(LEASES, place, { spec: { holderIdentity: theirs } }, new AbortController().signal);
      const taken = hold(app, ours, fakeClock()).then(
        () => 'taken',
        (thrown: unknown) => String(thrown),
      );
      expect(await taken).toMatch(refused ?? /^taken$/);
    },
    30_000,
  );

  test('is given back by a run that is told to stop', async () => {
    const app = newApp();
    const clock = fakeClock();
    const stop = new AbortController();
    const held = await hold(app, '1/1', clock, stop.signal);
    stop.abort(new Cancelled('SIGINT'));
    await held.release();
    await expect(hold(app, '2/1', clock)).resolves.toBeDefined();
  }, 30_000);

  test('is given back though a renewal came through whose answer did not', async () => {
    const app = newApp();
    const clock = fakeClock();
    const held = await hold(app, '1/1', clock);
    const place = { namespace, name: leaseName(app) };
    const signal = new AbortController().signal;
    await api.patch(LEASES, place, { spec: { renewTime: '2026-01-01T00:00:01.000000Z' } }, signal);
    await held.release();
    await expect(hold(app, '2/1', clock)).resolves.toBeDefined();
  }, 30_000);

  test('of a runner that died is free after a minute', async () => {
    const app = newApp();
    await hold(app, '1/1', fakeClock());
    const later = fakeClock();
    await later.advance(seconds(59));
    await expect(hold(app, '2/1', later)).rejects.toThrow('run 1/1 releases');
    await later.advance(seconds(2));
    await expect(hold(app, '2/1', later)).resolves.toBeDefined();
  }, 30_000);

  test('lets a run that was frozen write nothing when it comes back', async () => {
    const app = newApp();
    const frozen = fakeClock();
    const first = await hold(app, '1/1', frozen);
    await expect(first.guard()).resolves.toBeUndefined();
    const others = fakeClock();
    await others.advance(seconds(61));
    await hold(app, '2/1', others);
    await frozen.advance(seconds(61));
    await expect(first.guard()).rejects.toThrow(
      `This run lost the lease of ${app}: run 2/1 holds it now. This run writes nothing more; what the other one does holds.`,
    );
    expect(first.signal.aborted).toBe(true);
  }, 30_000);
});
