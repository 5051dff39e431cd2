import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Cloud, type World, startCloud } from '../../sandbox/cloud.ts';
import { type Cluster, startCluster } from '../../sandbox/kubernetes/cluster.ts';
import { seal, unseal } from '../../src/adapters/kubernetes/sealed.ts';
import type { Backup } from '../../src/domain/kubernetes/backup.ts';
import { HFT_PRODUCTION, type Place, openPlace, tagged } from '../harness/kubernetes.ts';
import { needs } from '../harness/needs.ts';
import { type BundleResult, runBundle } from '../harness/run-bundle.ts';
import { asAction } from '../sandbox/front/a-cloud.ts';

const BUCKET = 'hft-backups';
const KEY = 'the-passphrase-of-the-team';
const DAY = 86_400_000;

/** hft-platform: a backup before each production deployment, in S3, 7 days kept, `latest` or a date restored. */
needs('kubernetes', 'sandbox')('the backups of hft-platform', () => {
  let cluster: Cluster;
  let cloud: Cloud;
  let world: World;
  let place: Place;
  let s3: S3Client;
  beforeAll(async () => {
    [cluster, cloud] = await Promise.all([startCluster({ use: 'shared' }), startCloud({ clock: 'real' })]);
    world = await cloud.createWorld();
    s3 = new S3Client({ ...asAction(world), forcePathStyle: true });
    await s3.send(
      new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration: { LocationConstraint: 'us-west-2' } }),
    );
    place = await openPlace(HFT_PRODUCTION, { cluster });
    const without = ['pod-security-policy.yml', 'monitoring.yml'];
    const first = await runBundle(place.step({ 'pinned-tag': tagged('2.0.0') }, { without }));
    expect(first.outputs['outcome']).toBe('succeeded');
  }, 200_000);
  afterAll(async () => {
    s3?.destroy();
    await place?.close();
    await Promise.all([cluster?.stop(), cloud?.stop()]);
  });

  const run = (inputs: Readonly<Record<string, string>>): Promise<BundleResult> =>
    runBundle(
      place.step(
        { 'backup-location': `s3://${BUCKET}/production`, 'backup-key': KEY, ...inputs },
        { env: { ...world.env } },
      ),
    );
  const names = async (): Promise<readonly string[]> => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    return Contents.map(({ Key = '' }) => Key.replace('production/', ''));
  };
  const nameAt = (at: number): string =>
    `${place.namespace}-${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  /** What a run of another moment would have left: the same objects, sealed as of then. */
  async function takenAt(name: string, at: number): Promise<string> {
    const earlier = name.replace(/^.*?Z/, nameAt(at));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: `production/${name}` }));
    const sealed = Buffer.from((await Body?.transformToByteArray()) ?? []);
    const backup = JSON.parse(await unseal(sealed, KEY, name)) as Backup;
    const then: Backup = { ...backup, takenAt: `${new Date(at).toISOString().slice(0, 19)}Z` };
    const Key = `production/${earlier}`;
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: await seal(JSON.stringify(then), KEY) }));
    return earlier;
  }
  const paths = () => {
    const core = `/api/v1/namespaces/${place.namespace}`;
    const apps = `/apis/apps/v1/namespaces/${place.namespace}`;
    return {
      secret: `${core}/secrets/hft-frontend-secrets`,
      config: `${core}/configmaps/hft-frontend-config`,
      deployment: `${apps}/deployments/hft-frontend`,
    };
  };

  test('are sealed, hold Secrets, and go when they are older than 7 days', async () => {
    const made = await run({ mode: 'backup' });
    expect(made).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    const name = made.outputs['backup'] ?? '';
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: `production/${name}` }));
    const sealed = Buffer.from((await Body?.transformToByteArray()) ?? []);
    expect(sealed.subarray(0, 8).toString()).toBe('SLUICEB1');
    expect(sealed.includes('hft-frontend') || sealed.includes('value-of-api_key')).toBe(false);
    const kept = await takenAt(name, Date.now() - 6 * DAY);
    const old = await takenAt(name, Date.now() - 8 * DAY);
    const second = await run({ mode: 'backup' });
    expect(second.stdout).toContain(`${old} is older than it is kept, and gone`);
    expect([...(await names())].sort()).toEqual([kept, name, second.outputs['backup']].sort());
  }, 120_000);

  test.each(['latest', 'a date'])(
    'bring everything back (%s), Secrets and config first, and its health is waited for',
    async (which) => {
      const before = await place.truth();
      const { api } = cluster.admin;
      await api.delete(paths().secret);
      await api.delete(paths().deployment);
      await api.merge(paths().config, { data: { LOG_LEVEL: 'lost' } });
      const day = new Date(Date.now() - 6 * DAY).toISOString().slice(0, 10);
      const back = await run({ mode: 'restore', restore: which === 'latest' ? which : day });
      expect(back).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
      expect(back.outputs['backup']).toContain(which === 'latest' ? place.namespace : day.replaceAll('-', ''));
      expect(await place.truth()).toEqual(before);
      expect(before).toMatchObject({ tag: '2.0.0', replicas: 6, isComplete: true });
      const { data } = (await place.look(paths().secret)) as unknown as { readonly data: Record<string, string> };
      expect(Buffer.from(data['API_KEY'] ?? '', 'base64').toString()).toBe('value-of-api_key');
      const order = [...back.stdout.matchAll(/^(\w+) \S+ (?:created|configured|unchanged)/gm)].map(([, kind]) => kind);
      expect(order.lastIndexOf('Secret')).toBeLessThan(order.indexOf('Deployment'));
      expect(order.lastIndexOf('ConfigMap')).toBeLessThan(order.indexOf('Deployment'));
    },
    120_000,
  );

  test('that nobody made are named as such', async () => {
    const none = await run({ mode: 'restore', restore: '2020-01-01' });
    expect(none).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    expect(none.annotations[0]?.message).toContain(`There is no backup of ${place.namespace} for 2020-01-01`);
  }, 60_000);
});
