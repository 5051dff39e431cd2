import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Failure } from '../../domain/failure.ts';
import type { BackupStore } from '../../ports/backup-store.ts';
import { callAws } from '../aws/errors.ts';
import type { AwsSession } from '../aws/session.ts';
import { seal, unseal } from './sealed.ts';

/** Backups as objects under a prefix of a bucket: `s3://bucket/prefix`. */
export function backupBucket(location: string, session: AwsSession, passphrase: string): BackupStore {
  const [, bucket = '', path = ''] = /^s3:\/\/([a-z0-9.-]+)(?:\/(.*?))?\/?$/.exec(location) ?? [];
  if (bucket === '')
    throw new Failure({ what: `${location} is no place for backups`, next: 'Write s3://bucket/prefix' });
  // Stand-ins for S3 have one host for all buckets.
  const client = new S3Client({ ...session.clientConfig, forcePathStyle: true });
  const prefix = path === '' ? '' : `${path}/`;
  const Bucket = bucket;
  const get = async (name: string, signal: AbortSignal): Promise<Buffer> => {
    const facts = { action: 's3:GetObject', what: `Could not read ${location}/${name}` };
    return callAws(facts, signal, async () => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: prefix + name }), { abortSignal: signal });
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    });
  };
  return {
    name: location.replace(/\/$/, ''),
    async list(signal) {
      const names: string[] = [];
      for (let token: string | undefined; ;) {
        const page = await callAws({ action: 's3:ListBucket', what: `Could not list ${location}` }, signal, () =>
          client.send(
            new ListObjectsV2Command({
              Bucket,
              Prefix: prefix,
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
            { abortSignal: signal },
          ),
        );
        names.push(...(page.Contents ?? []).map(({ Key = '' }) => Key.slice(prefix.length)));
        token = page.NextContinuationToken;
        if (token === undefined) return names;
      }
    },
    async put(name, text, signal) {
      const Body = await seal(text, passphrase);
      await callAws({ action: 's3:PutObject', what: `Could not write ${location}/${name}` }, signal, () =>
        client.send(new PutObjectCommand({ Bucket, Key: prefix + name, Body, ServerSideEncryption: 'AES256' }), {
          abortSignal: signal,
        }),
      );
      if ((await unseal(await get(name, signal), passphrase, name)) !== text)
        throw new Failure({ what: `Could not write ${location}/${name}`, why: 'what was read back differs' });
    },
    get: async (name, signal) => unseal(await get(name, signal), passphrase, name),
    async remove(name, signal) {
      await callAws({ action: 's3:DeleteObject', what: `Could not delete ${location}/${name}` }, signal, () =>
        client.send(new DeleteObjectCommand({ Bucket, Key: prefix + name }), { abortSignal: signal }),
      );
    },
  };
}
