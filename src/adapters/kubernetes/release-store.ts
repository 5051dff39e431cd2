import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Failure, messageOf } from '../../domain/failure.ts';
import { KubeFailure, isReason } from '../../domain/kubernetes/failure.ts';
import { APP_LABEL } from '../../domain/kubernetes/intent.ts';
import { type KubeObject, textAt } from '../../domain/kubernetes/object.ts';
import { RECORD_TYPE, type ReleaseRecord, readRecord, recordName } from '../../domain/kubernetes/release-record.ts';
import { SECRETS } from '../../domain/kubernetes/resource.ts';
import type { Kubernetes } from '../../ports/kubernetes.ts';
import type { ReleaseStore } from '../../ports/release-store.ts';

/** A Secret holds 1 MiB; base64 of what is in it is not counted by the server, the rest of the object is. */
const LARGEST = 1_000_000;
const RECORD_LABEL = 'sluice.dev/record';
const UNPACKED_AT_MOST = 64 * 1024 * 1024;

/** Records as Secrets `sluice.<app>.v<N>`: they hold values of Secrets, so they are kept like those. */
export function secretStore(cluster: Kubernetes, app: string, namespace: string): ReleaseStore {
  const place = (revision: number) => ({ namespace, name: recordName(app, revision) });
  return {
    async list(signal) {
      const labels = `${RECORD_LABEL}=release,${APP_LABEL}=${app}`;
      const { items } = await cluster.list(SECRETS, { namespace, labels }, signal);
      return Promise.all(items.map((item) => unpack(item)));
    },
    async write(record, signal) {
      const packed = await pack(record);
      const object: KubeObject = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          ...place(record.revision),
          labels: { [RECORD_LABEL]: 'release', [APP_LABEL]: app, 'sluice.dev/phase': record.phase },
        },
        type: RECORD_TYPE,
        data: { record: packed },
      };
      try {
        await cluster.replace(SECRETS, object, signal);
      } catch (thrown) {
        if (!isReason(thrown, 'NotFound')) throw thrown;
        await cluster.create(SECRETS, object, signal).catch(async (again: unknown) => {
          // The answer of a first try was lost: it is there already.
          if (!isReason(again, 'AlreadyExists')) throw again;
          await cluster.replace(SECRETS, object, signal);
        });
      }
    },
    async remove(revision, signal) {
      const found = await cluster.get(SECRETS, place(revision), signal);
      const uid = found?.metadata.uid;
      if (uid !== undefined) await cluster.delete(SECRETS, place(revision), { uid, children: 'background' }, signal);
    },
  };
}

async function pack(record: ReleaseRecord): Promise<string> {
  const packed = await promisify(gzip)(JSON.stringify(record));
  if (packed.length > LARGEST)
    throw new KubeFailure(
      'invalid',
      {
        what: `Could not keep release ${record.release}`,
        why: `its objects have ${packed.length} bytes packed, and a Secret holds ${LARGEST}`,
        now: 'Nothing of it was applied',
        next: 'Split the set into two apps',
      },
      {},
    );
  return packed.toString('base64');
}

async function unpack(secret: KubeObject): Promise<ReleaseRecord> {
  const where = `Secret ${secret.metadata.namespace ?? ''}/${secret.metadata.name}`;
  try {
    const packed = Buffer.from(textAt(secret, 'data', 'record') ?? '', 'base64');
    const text = await promisify(gunzip)(packed, { maxOutputLength: UNPACKED_AT_MOST });
    return readRecord(text.toString('utf8'), where);
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    throw new Failure(
      { what: `Could not read the release record ${where}`, why: messageOf(thrown) },
      { cause: thrown },
    );
  }
}
