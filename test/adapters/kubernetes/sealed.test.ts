import { describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backupFolder } from '../../../src/adapters/kubernetes/backup-folder.ts';
import { seal, unseal } from '../../../src/adapters/kubernetes/sealed.ts';
import { instant, days } from '../../../src/domain/duration.ts';
import {
  backupName,
  checkBackup,
  chooseBackup,
  expiredBackups,
  exported,
  isDone,
  restorable,
} from '../../../src/domain/kubernetes/backup.ts';

const KEY = 'a-passphrase-of-some-length';

test('what is sealed opens with its key alone, and not when it was changed', async () => {
  const sealed = await seal('the text', KEY);
  expect(sealed.includes('the text')).toBe(false);
  expect(await unseal(sealed, KEY, 'x')).toBe('the text');
  await expect(unseal(sealed, `${KEY}!`, 'x')).rejects.toThrow('backup-key is not the one that it was sealed with');
  sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
  await expect(unseal(sealed, KEY, 'x')).rejects.toThrow('or the file was changed');
  await expect(unseal(Buffer.from('hello'), KEY, 'x')).rejects.toThrow('it is no backup of Sluice');
});

test('a backup is the one of its name, or none', () => {
  const backup = { schema: 'sluice/backup/v1', namespace: 'shop', takenAt: '2026-11-24T03:00:00Z', objects: [] };
  expect(checkBackup(backup, 'shop-20261124T030000Z.sluice-backup')).toBe(backup);
  for (const name of ['shop-20261125T030000Z.sluice-backup', 'shop-2-20261124T030000Z.sluice-backup'])
    expect(() => checkBackup(backup, name)).toThrow(
      `Could not restore ${name}: it was sealed as shop-20261124T030000Z.sluice-backup, and somebody renamed or replaced it`,
    );
  expect(() => checkBackup({ ...backup, schema: 'v9' }, 'x')).toThrow('written by another version');
});

const at = (text: string) => instant(Date.parse(text));
const names = ['2026-11-24T03:00:00Z', '2026-11-24T15:00:00Z', '2026-11-20T03:00:00Z'].map((text) =>
  backupName('shop', at(text)),
);

test.each([
  ['latest', 'shop-20261124T150000Z.sluice-backup'],
  ['2026-11-24', 'shop-20261124T150000Z.sluice-backup'],
  ['2026-11-24T04:00Z', 'shop-20261124T030000Z.sluice-backup'],
  ['2026-11-20', 'shop-20261120T030000Z.sluice-backup'],
])('%s is %s', (which, expected) => {
  expect(chooseBackup([...names, 'other-20261125T000000Z.sluice-backup', 'x'], 'shop', which)).toBe(expected);
});

test('a day without a backup is answered with those that there are', () => {
  expect(() => chooseBackup(names, 'shop', '2020-01-01')).toThrow(
    /There is no backup of shop for 2020-01-01.*20261124T150000Z/,
  );
});

test('those that are older than they are kept go, and never the newest', () => {
  const expired = (now: string) => expiredBackups(names, { namespace: 'shop', keep: days(2), now: at(now) });
  expect(expired('2026-11-25T00:00:00Z')).toEqual([names[2]]);
  expect(expired('2027-11-25T00:00:00Z')).toEqual([names[0], names[2]]);
});

test('what controllers make, and what the server fills in, is not kept', () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', uid: 'u' },
    spec: { clusterIP: '10.0.0.1', type: 'ClusterIP' },
    status: {},
  };
  expect(exported(service)).toEqual({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { type: 'ClusterIP' },
  });
  expect(
    exported({ ...service, metadata: { name: 'x', ownerReferences: [{ uid: 'o', kind: 'X', name: 'x' }] } }),
  ).toBeUndefined();
  expect(
    exported({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, type: 'sluice.dev/release' }),
  ).toBeUndefined();
});

test('a claim is kept without the marks of its volume, and so not taken for one that has lost it', () => {
  const marks = {
    'pv.kubernetes.io/bind-completed': 'yes',
    'pv.kubernetes.io/bound-by-controller': 'yes',
    'volume.kubernetes.io/selected-node': 'n1',
    'volume.kubernetes.io/storage-provisioner': 'ebs.csi.aws.com',
    'volume.beta.kubernetes.io/storage-provisioner': 'ebs.csi.aws.com',
  };
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', annotations: { ...marks, team: 'shop' } },
    spec: { volumeName: 'pv-1', storageClassName: 'gp3' },
  };
  const kept = {
    ...claim,
    metadata: { name: 'data', annotations: { team: 'shop' } },
    spec: { storageClassName: 'gp3' },
  };
  expect(exported(claim)).toEqual(kept);
  expect(restorable(claim)).toEqual({ kind: 'restored', object: kept });
});

describe('a Job', () => {
  const labels = {
    app: 'web',
    'controller-uid': 'u',
    'job-name': 'seed',
    'batch.kubernetes.io/controller-uid': 'u',
    'batch.kubernetes.io/job-name': 'seed',
  };
  const spec = { selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } }, suspend: true };
  const job = (more: object = {}, status: object = {}) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'seed', labels },
    spec: { ...spec, ...more, template: { metadata: { labels } } },
    status,
  });
  const ended = (type: string) => job({}, { conditions: [{ type, status: 'True' }] });

  test('that has ended is not kept', () => {
    expect([ended('Complete'), ended('Failed')].map(exported)).toEqual([undefined, undefined]);
    expect([ended('Complete'), ended('Suspended')].map(isDone)).toEqual([true, false]);
  });

  test('is kept without what the server made of its uid, unless its selector is its own', () => {
    expect(exported(job())).toEqual({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'seed', labels: { app: 'web' } },
      spec: { suspend: true, template: { metadata: { labels: { app: 'web' } } } },
    });
    const { status: _status, ...own } = job({ manualSelector: true });
    expect(exported(job({ manualSelector: true }))).toEqual(own);
  });

  test('of a backup that does not say whether it has ended stays out', () => {
    expect(restorable(job())).toMatchObject({ kind: 'left' });
    expect(restorable(exported(job()) ?? job())).toMatchObject({ kind: 'restored' });
  });
});

test('a folder that is not there is empty, and one that cannot be read is not', async () => {
  const workspace = await mkdtemp(join(tmpdir(), 'sluice-backups-'));
  await writeFile(join(workspace, 'file'), '');
  const { signal } = new AbortController();
  const folder = (path: string) => backupFolder(path, workspace, KEY);
  await expect(folder('none').list(signal)).resolves.toEqual([]);
  await expect(folder('file').list(signal)).rejects.toThrow(/^Could not list the backups in file: .*ENOTDIR/);
  await expect(folder('none').get('x', signal)).rejects.toThrow('Could not read none/x: there is no such file');
  await rm(workspace, { recursive: true });
});
