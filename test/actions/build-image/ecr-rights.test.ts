import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { clientConfig } from '../../../src/adapters/aws/client-config.ts';
import { ecrCredentials } from '../../../src/adapters/aws/ecr-login.ts';
import { ecrScanner } from '../../../src/adapters/aws/ecr-scanner.ts';
import { ecrShelf } from '../../../src/adapters/aws/ecr-shelf.ts';
import { instant } from '../../../src/domain/duration.ts';
import { type Wire, type WireAnswer, refusal, startWire } from '../../adapters/aws/wire.ts';
import { ROOT } from '../../rules/tracked.ts';
import { ended, play } from './played.ts';
import { ECR_HOST, type Services, startServices } from './services.ts';

const { signal } = new AbortController();
const place = { account: '123456789012', region: 'us-west-2' };
const DIGEST = `sha256:${'a'.repeat(64)}`;
const PUSHED = 1_764_000_000;
const INDEX = 'application/vnd.oci.image.index.v1+json';

let services: Services;
const wires: Wire[] = [];
beforeAll(async () => {
  services = await startServices();
});
afterEach(() => Promise.all(wires.splice(0).map((wire) => wire.close())));
afterAll(() => services.close());

const token = (password: string): WireAnswer => ({
  body: { authorizationData: [{ authorizationToken: Buffer.from(`AWS:${password}`).toString('base64') }] },
});
const GRANTED: Readonly<Record<string, WireAnswer>> = {
  GetAuthorizationToken: token('password-1'),
  DescribeImages: { body: { imageDetails: [{ imageDigest: DIGEST, imagePushedAt: PUSHED, imageManifestMediaType: INDEX }] } },
  DescribeImageScanFindings: {
    body: { imageScanStatus: { status: 'COMPLETE' }, imageScanFindings: { imageScanCompletedAt: PUSHED + 9, findings: [] } },
  },
  BatchGetImage: {
    body: { images: [{ imageId: { imageDigest: DIGEST }, imageManifest: '{"manifests":[]}', imageManifestMediaType: INDEX }] },
  },
  BatchDeleteImage: { body: {} },
}; // prettier-ignore

/** ECR with all rights but one. */
async function ecrWithout(denied?: string) {
  const config = async () => {
    const wire = await startWire(({ operation }) => {
      if (operation !== denied) return GRANTED[operation] ?? refusal('UnexpectedCall', operation);
      return refusal('AccessDeniedException', `User: arn:aws:sts::123456789012:assumed-role/build/s is not authorized to perform: ecr:${operation}`);
    });
    wires.push(wire);
    const credentials = () => Promise.resolve({ accessKeyId: 'AKIA', secretAccessKey: 'secret' });
    return { ...clientConfig(place.region, '1-1', credentials), endpoint: wire.url };
  };
  const opened = await config();
  const image = { host: ECR_HOST, path: 'team/web', digest: DIGEST, platform: 'linux/amd64' };
  const shelf = ecrShelf({ ...place, name: 'team/web' }, opened);
  await ecrCredentials(place, { clientConfig: opened }, () => undefined)('kept', signal);
  const state = await ecrScanner(() => Promise.resolve(opened)).look(image, signal);
  await shelf.list(signal);
  await shelf.remove([{ digest: DIGEST, tags: [], parts: [], pushedAt: instant(0) }], signal);
  return state;
} // prettier-ignore

describe('the IAM actions of the README', () => {
  const readme = readFileSync(join(ROOT, 'actions/build-image/README.md'), 'utf8');
  const listed = new Set([...readme.matchAll(/`(ecr:\w+)`/g)].map(([, action = '']) => action));
  const adapters = join(ROOT, 'src/adapters/aws');
  const used = new Set(
    readdirSync(adapters)
      .filter((name) => name.startsWith('ecr-') && name !== 'ecr-client.ts')
      .flatMap((name) => [...readFileSync(join(adapters, name), 'utf8').matchAll(/ecr:(\w+)/g)])
      .map(([action]) => action),
  );
  /** AWS, "Required IAM permissions for pushing an image", and ListImages for the list of tags: no SDK is asked there. */
  const OF_THE_REGISTRY = ['BatchCheckLayerAvailability', 'BatchGetImage', 'CompleteLayerUpload', 'GetAuthorizationToken', 'GetDownloadUrlForLayer', 'InitiateLayerUpload', 'ListImages', 'PutImage', 'UploadLayerPart'].map((name) => `ecr:${name}`); // prettier-ignore

  test('are those of the SDK calls and those of a push, and no others', () => {
    expect([...listed].sort()).toEqual([...new Set([...used, ...OF_THE_REGISTRY])].sort());
  });

  test('suffice for login, findings and clean-up', async () => {
    expect(await ecrWithout()).toMatchObject({ kind: 'findings' });
    const asked = new Set(wires[0]?.calls.map(({ operation }) => `ecr:${operation}`));
    expect([...asked].filter((action) => !listed.has(action))).toEqual([]);
  });

  test.each(Object.keys(GRANTED))('ecr:%s is missed when it is not granted, and named', async (operation) => {
    await expect(ecrWithout(operation)).rejects.toThrow(`access denied for ecr:${operation}`);
  });
});

test('a token of ECR that runs out in a long push is renewed, and the push goes on with the new one', async () => {
  const wire = await startWire((_call, ordinal) => token(`password-${ordinal}`));
  wires.push(wire);
  const credentials = () => Promise.resolve({ accessKeyId: 'AKIA', secretAccessKey: 'secret' });
  const config = { ...clientConfig(place.region, '1-1', credentials), endpoint: wire.url };
  const used: string[] = [];
  const { result, log } = await play(services, {
    inputs: { repository: `${services.host}/team/long`, tags: 'type=raw,value=tested' },
    credentials: ecrCredentials(place, { clientConfig: config }, () => undefined),
    docker(args, text) {
      if (args[0] !== 'push') return undefined;
      const { auths } = JSON.parse(text) as { auths: Record<string, { auth: string }> };
      used.push(Buffer.from(auths[services.host]?.auth ?? '', 'base64').toString());
      const said = 'denied: Your authorization token has expired. Reauthenticate and try again.';
      return used.length === 1 ? ended(1, said) : undefined;
    },
  });
  expect(result).toMatchObject({ kind: 'pushed' });
  expect(used).toEqual(['AWS:password-1', 'AWS:password-2']);
  expect(wire.calls.map(({ operation }) => operation)).toEqual(['GetAuthorizationToken', 'GetAuthorizationToken']);
  expect(log.warnings.join('\n')).toMatch(/expired-token.*try 1 of 5/);
});
