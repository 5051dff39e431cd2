import { createHash } from 'node:crypto';
import type { Moto } from './moto.ts';
import { type Answer, awsError, errorAnswer } from './wire/answer.ts';
import type { ApiCall } from './wire/call.ts';

export const digestOf = (manifest: string): string => `sha256:${createHash('sha256').update(manifest).digest('hex')}`;

/** A digest is the hash of the manifest's bytes; moto takes one of the layers' names unless it is told. */
export function putImage(call: ApiCall, moto: Moto): Promise<Answer> {
  const input = JSON.parse(call.body.toString('utf8')) as Readonly<Record<string, unknown>>;
  const digest = digestOf(String(input['imageManifest'] ?? ''));
  if (input['imageDigest'] !== undefined && input['imageDigest'] !== digest) {
    const message = `The specified image digest does not match the digest that Amazon ECR calculated for the image: ${digest}`;
    return Promise.resolve(errorAnswer(call, awsError('ImageDigestDoesNotMatchException', message)));
  }
  return moto.forward({ ...call, body: Buffer.from(JSON.stringify({ ...input, imageDigest: digest })) });
}
