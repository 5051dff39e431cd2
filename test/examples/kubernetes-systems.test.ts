import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../sandbox/kubernetes/cluster.ts';
import {
  HFT_PRODUCTION,
  HFT_STAGING,
  type Place,
  type PlaceOptions,
  type System,
  type StepOptions,
  WESIGN,
  openPlace,
  tagged,
} from '../harness/kubernetes.ts';
import { needs } from '../harness/needs.ts';
import { type BundleResult, runBundle } from '../harness/run-bundle.ts';

/** The manifests under examples/, deployed, broken, rolled back and scaled in a real API server. */
needs('kubernetes')('the manifests of two systems', () => {
  let cluster: Cluster;
  const places: Place[] = [];
  beforeAll(async () => {
    cluster = await startCluster({ use: 'shared' });
  }, 200_000);
  afterEach(() => Promise.all(places.splice(0).map((place) => place.close())));
  afterAll(() => cluster?.stop());

  const open = async (system: System, options: Omit<PlaceOptions, 'cluster'> = {}): Promise<Place> => {
    const place = await openPlace(system, { cluster, ...options });
    places.push(place);
    return place;
  };
  const deploy = (place: Place, tag: string, more?: StepOptions): Promise<BundleResult> =>
    runBundle(place.step({ 'pinned-tag': tagged(tag) }, more));
  const outcome = ({ outputs }: BundleResult): string | undefined => outputs['outcome'];

  test('wesign-charts: nine objects are made, a second run changes nothing, a new tag changes one', async () => {
    const place = await open(WESIGN);
    const first = await deploy(place, '1.0.0');
    // The namespace was there: its name and the objects outside of the set come before.
    expect(first.outputs).toMatchObject({ outcome: 'succeeded', created: '8', configured: '1' });
    expect(await place.truth()).toMatchObject({ tag: '1.0.0', replicas: 3, isComplete: true });
    const mode = (await place.look(
      `/apis/apps/v1/namespaces/${place.namespace}/deployments/wesign-charts`,
    )) as unknown as {
      spec: { template: { spec: { volumes: { secret?: { defaultMode: number } }[] } } };
    };
    expect(mode.spec.template.spec.volumes[1]?.secret?.defaultMode).toBe(0o400);
    expect((await deploy(place, '1.0.0')).outputs).toMatchObject({
      outcome: 'unchanged',
      created: '0',
      configured: '0',
    });
    expect((await deploy(place, '1.1.0')).outputs).toMatchObject({
      outcome: 'succeeded',
      created: '0',
      configured: '1',
    });
    const secret = (await place.look(
      `/api/v1/namespaces/${place.namespace}/secrets/wesign-charts-secrets`,
    )) as unknown as {
      data: Record<string, string>;
    };
    expect(Buffer.from(secret.data['API_TOKEN'] ?? '', 'base64').toString()).toBe('value-of-api_token');
    expect(first.summary).not.toContain('value-of-api_token');
  }, 120_000);

  test.each([
    ['1.2.0-crash-at-start', /cannot reach the database/],
    ['1.2.0-missing-image', /not found/],
    ['1.2.0-out-of-memory', /OOMKilled/],
  ])(
    'wesign-charts: %s is taken back and its cause is named',
    async (tag, cause) => {
      const place = await open(WESIGN);
      await deploy(place, '1.1.0');
      const red = await deploy(place, tag);
      expect(red.exitCode).toBe(1);
      expect(outcome(red)).toBe('rolled-back');
      expect(red.stdout).toMatch(cause);
      expect(await place.truth()).toMatchObject({ tag: '1.1.0', replicas: 3, isComplete: true });
    },
    120_000,
  );

  test('wesign-charts: what the set refers to and nobody has made is found before the first write', async () => {
    const place = await open(WESIGN, { outside: 'missing' });
    const refused = await deploy(place, '1.0.0');
    expect(outcome(refused)).toBe('refused');
    for (const name of ['nginx-charts-config', 'wesign-ssl-certs', 'wesign-registry-secret'])
      expect(refused.stdout).toContain(name);
    expect(await place.look(`/api/v1/namespaces/${place.namespace}/configmaps/wesign-charts-config`)).toBeUndefined();
  }, 60_000);

  test('hft-platform staging: released, rolled back on demand, scaled', async () => {
    const place = await open(HFT_STAGING);
    expect(outcome(await deploy(place, 'staging-1'))).toBe('succeeded');
    expect(await place.truth()).toMatchObject({ tag: 'staging-1', replicas: 2, isComplete: true });
    expect(outcome(await deploy(place, 'staging-2'))).toBe('succeeded');
    const back = await runBundle(place.step({ mode: 'rollback' }));
    expect([back.exitCode, outcome(back)]).toEqual([0, 'rolled-back']);
    expect(await place.truth()).toMatchObject({ tag: 'staging-1', isComplete: true });
    const up = await runBundle(place.step({ mode: 'scale', workload: 'Deployment/hft-frontend', replicas: '+2' }));
    expect(outcome(up)).toBe('succeeded');
    expect(await place.truth()).toMatchObject({ tag: 'staging-1', replicas: 4, isComplete: true });
  }, 120_000);

  test('hft-platform production: a PodSecurityPolicy and missing definitions are refused, the rest is released', async () => {
    const place = await open(HFT_PRODUCTION);
    const refused = await deploy(place, '2.0.0');
    expect(outcome(refused)).toBe('refused');
    expect(refused.stdout).toContain('Pod Security Admission');
    expect(refused.stdout).toContain('ServiceMonitor');
    expect(await place.truth()).toMatchObject({ tag: undefined, config: {} });
    const without = ['pod-security-policy.yml', 'monitoring.yml'];
    const released = await deploy(place, '2.0.0', { without });
    expect(released.outputs).toMatchObject({ outcome: 'succeeded', created: '9' });
    expect(await place.truth()).toMatchObject({ tag: '2.0.0', replicas: 6, isComplete: true });
  }, 120_000);

  test('wesign-charts: rolled back on demand, scaled within its autoscaler, backed up and restored', async () => {
    const place = await open(WESIGN);
    await deploy(place, '1.0.0');
    await deploy(place, '1.1.0');
    expect(outcome(await runBundle(place.step({ mode: 'rollback' })))).toBe('rolled-back');
    expect(await place.truth()).toMatchObject({ tag: '1.0.0', replicas: 3, isComplete: true });
    const scale = (replicas: string): Promise<BundleResult> =>
      runBundle(place.step({ mode: 'scale', workload: 'Deployment/wesign-charts', replicas }));
    expect(outcome(await scale('4'))).toBe('succeeded');
    expect(await place.truth()).toMatchObject({ tag: '1.0.0', replicas: 4, isComplete: true });
    const folder = await mkdtemp(join(tmpdir(), 'sluice-wesign-'));
    const kept = { 'backup-location': folder, 'backup-key': 'the-passphrase-of-the-team' };
    expect(outcome(await runBundle(place.step({ mode: 'backup', ...kept })))).toBe('succeeded');
    const secret = `/api/v1/namespaces/${place.namespace}/secrets/wesign-charts-secrets`;
    const budget = `/apis/policy/v1/namespaces/${place.namespace}/poddisruptionbudgets/wesign-charts`;
    for (const path of [secret, budget]) await cluster.admin.api.delete(path);
    expect(outcome(await runBundle(place.step({ mode: 'restore', restore: 'latest', ...kept })))).toBe('succeeded');
    const { data } = (await place.look(secret)) as unknown as { readonly data: Record<string, string> };
    expect(Buffer.from(data['API_TOKEN'] ?? '', 'base64').toString()).toBe('value-of-api_token');
    expect(await place.look(budget)).toMatchObject({ spec: { minAvailable: 2 } });
    await rm(folder, { recursive: true, force: true });
  }, 120_000);

  test('hft-platform production: as it is written, broken, back to a named version that answers, scaled and let go', async () => {
    const place = await open(HFT_PRODUCTION);
    const without = ['pod-security-policy.yml', 'monitoring.yml'];
    const release = (tag: string): Promise<BundleResult> =>
      runBundle(place.step({ 'pinned-tag': tagged(tag), 'release-id': tag }, { without }));
    expect(outcome(await release('2.0.0'))).toBe('succeeded');
    await seenAsWritten(place);
    expect(outcome(await release('2.1.0'))).toBe('succeeded');
    const red = await release('2.2.0-crash-at-start');
    expect([red.exitCode, outcome(red)]).toEqual([1, 'rolled-back']);
    expect(await place.truth()).toMatchObject({ tag: '2.1.0', replicas: 6, isComplete: true });

    const users = createServer((_request, response) => response.writeHead(200).end());
    await new Promise<void>((listening) => users.listen(0, '127.0.0.1', listening));
    const url = `http://127.0.0.1:${(users.address() as AddressInfo).port}`;
    const checks = 'version: 1\nchecks: [{ name: health, get: /health, expect: { status: 200 } }]\n';
    const named = { mode: 'rollback', to: '2.0.0', checks: 'checks.yml', url };
    const back = await runBundle(place.step(named, { files: { 'checks.yml': checks } }));
    users.close();
    expect([back.exitCode, outcome(back), back.outputs['release']]).toEqual([0, 'rolled-back', '2.0.0']);
    expect(back.stdout).toContain('health: passed');
    expect(await place.truth()).toMatchObject({ tag: '2.0.0', replicas: 6, isComplete: true });

    const path = `/apis/autoscaling/v2/namespaces/${place.namespace}/horizontalpodautoscalers/hft-frontend`;
    const scale = async (replicas: string): Promise<unknown> => {
      const run = await runBundle(place.step({ mode: 'scale', workload: 'Deployment/hft-frontend', replicas }));
      const { spec } = (await place.look(path)) as unknown as { spec: { minReplicas: number; maxReplicas: number } };
      return [outcome(run), spec.minReplicas, spec.maxReplicas, (await place.truth()).replicas];
    };
    expect(await scale('+2')).toEqual(['succeeded', 8, 8, 8]);
    expect(await scale('-1')).toEqual(['succeeded', 7, 7, 7]);
    expect(await scale('auto')).toEqual(['succeeded', 6, 20, 7]);
    const status = await runBundle(place.step({ mode: 'status' }));
    expect(status.stdout).toMatch(
      /serves release 2\.0\.0 .*all ready[\s\S]*hft-frontend is ready \(7 of 7 pods ready\)/,
    );
    expect(status.stdout).not.toContain('differ');
  }, 180_000);

  async function seenAsWritten({ namespace, look }: Place): Promise<void> {
    expect(await look(`/apis/apps/v1/namespaces/${namespace}/deployments/hft-frontend`)).toMatchObject({
      spec: {
        replicas: 6,
        strategy: { rollingUpdate: { maxSurge: 2, maxUnavailable: 1 } },
        template: {
          spec: {
            affinity: { podAntiAffinity: {} },
            securityContext: { runAsNonRoot: true, runAsUser: 1001 },
            containers: [
              {
                securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
                startupProbe: { failureThreshold: 30 },
                readinessProbe: { httpGet: { path: '/ready' } },
                livenessProbe: { httpGet: { path: '/health' } },
              },
            ],
          },
        },
      },
    });
    const seen = await Promise.all([
      look(`/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/hft-frontend`),
      look(`/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/hft-frontend`),
      look(`/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings/hft-frontend`),
      look(`/api/v1/namespaces/${namespace}/services/hft-frontend`),
    ]);
    expect(seen).toMatchObject([
      { spec: { minReplicas: 6, maxReplicas: 20 } },
      { spec: { policyTypes: ['Ingress', 'Egress'] } },
      { roleRef: { kind: 'Role', name: 'hft-frontend' } },
      { spec: { type: 'LoadBalancer' } },
    ]);
  }

  test('hft-platform production: where the Prometheus operator is, its objects are made too', async () => {
    const { api } = cluster.admin;
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const all = [definition('ServiceMonitor', 'servicemonitors'), definition('PrometheusRule', 'prometheusrules')];
    for (const each of all) await api.create(path, each);
    try {
      const place = await open(HFT_PRODUCTION);
      const released = await deploy(place, '2.0.0', { without: ['pod-security-policy.yml'] });
      expect(released.outputs).toMatchObject({ outcome: 'succeeded', created: '11' });
      const group = `/apis/monitoring.coreos.com/v1/namespaces/${place.namespace}`;
      expect(await place.look(`${group}/servicemonitors/hft-frontend`)).toMatchObject({
        spec: { endpoints: [{ port: 'metrics', interval: '15s' }] },
      });
    } finally {
      for (const { metadata } of all) await api.delete(`${path}/${metadata.name}`);
    }
  }, 120_000);
});

const definition = (kind: string, plural: string) => ({
  metadata: { name: `${plural}.monitoring.coreos.com` },
  spec: {
    group: 'monitoring.coreos.com',
    scope: 'Namespaced',
    names: { kind, plural, singular: kind.toLowerCase() },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});
