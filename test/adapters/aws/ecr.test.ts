import { afterEach, describe, expect, test } from '@jest/globals';
import { clientConfig } from '../../../src/adapters/aws/client-config.ts';
import { ecrCredentials } from '../../../src/adapters/aws/ecr-login.ts';
import { ecrScanner } from '../../../src/adapters/aws/ecr-scanner.ts';
import { ecrShelf } from '../../../src/adapters/aws/ecr-shelf.ts';
import type { ListedImage } from '../../../src/domain/image-build/cleanup.ts';
import { CloudFailure } from '../../../src/domain/retry-policy.ts';
import { type Wire, type WireAnswer, type WireCall, refusal, startWire } from './wire.ts';

const { signal } = new AbortController();
const ACCOUNT = '123456789012';
const REGION = 'us-west-2';
const HOST = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`;
const DENIED = (action: string) =>
  refusal(
    'AccessDeniedException',
    `User: arn:aws:sts::${ACCOUNT}:assumed-role/build/sluice is not authorized to perform: ${action} on resource: shop`,
  );

let wire: Wire;
afterEach(() => wire.close());

type Answers = Readonly<Record<string, (ordinal: number, body: Record<string, unknown>) => WireAnswer>>;
/** What ECR says, by the name of the call; a call that is not expected is an error that nobody retries. */
async function ecrSays(answers: Answers) {
  wire = await startWire((call, ordinal) => {
    const body = JSON.parse(call.body) as Record<string, unknown>;
    return answers[call.operation]?.(ordinal, body) ?? refusal('UnexpectedCall', call.operation);
  });
  const credentials = () => Promise.resolve({ accessKeyId: 'AKIA', secretAccessKey: 'secret' });
  return { ...clientConfig(REGION, '1-1', credentials), endpoint: wire.url };
}
const said = (answer: unknown) => (): WireAnswer => ({ body: answer as object });
const bodyOf = (call: WireCall | undefined): unknown => JSON.parse(call?.body ?? '{}');
const asked = (operation: string) => wire.calls.filter((call) => call.operation === operation).map(bodyOf);
const thrownBy = async (work: Promise<unknown>): Promise<unknown> => work.catch((thrown: unknown) => thrown);

describe('the login of ECR over the wire', () => {
  const token = (text: string) => ({
    authorizationData: [{ authorizationToken: Buffer.from(text).toString('base64') }],
  });
  const login = async (answers: Answers) => {
    const masked: string[] = [];
    const config = await ecrSays(answers);
    return {
      masked,
      ask: ecrCredentials({ account: ACCOUNT, region: REGION }, { clientConfig: config }, (each) => masked.push(each)),
    };
  };

  test('asks once for the registry that is named, masks what it got, and asks anew when that has run out', async () => {
    const { ask, masked } = await login({
      GetAuthorizationToken: (ordinal) => ({ body: token(`AWS:secret:${ordinal}`) }),
    });
    expect(await Promise.all([ask('kept', signal), ask('kept', signal)])).toEqual(
      Array(2).fill({ username: 'AWS', password: 'secret:1' }),
    );
    expect(await ask('renew', signal)).toEqual({ username: 'AWS', password: 'secret:2' });
    expect(asked('GetAuthorizationToken')).toEqual([{ registryIds: [ACCOUNT] }, { registryIds: [ACCOUNT] }]);
    expect(masked).toEqual(expect.arrayContaining(['secret:1', Buffer.from('AWS:secret:1').toString('base64')]));
  });

  test('names the right that is missing, and who lacks it', async () => {
    const { ask } = await login({ GetAuthorizationToken: () => DENIED('ecr:GetAuthorizationToken') });
    expect(await thrownBy(ask('kept', signal))).toMatchObject({
      kind: 'access-denied',
      message: expect.stringMatching(
        /registry of account 123456789012 in us-west-2: access denied for ecr:GetAuthorizationToken\. Grant ecr:GetAuthorizationToken to \S*build/,
      ),
    });
  });

  test('says in which account and region it was when the registry is another account’s', async () => {
    const { ask } = await login({
      GetAuthorizationToken: () => refusal('InvalidParameterException', 'Invalid registry id'),
    });
    expect(await thrownBy(ask('kept', signal))).toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(
        `account ${ACCOUNT} in ${REGION}: InvalidParameterException: Invalid registry id`,
      ),
    });
  });

  test('waits out a throttle; an answer without a token is no login', async () => {
    const throttled = await login({
      GetAuthorizationToken: (ordinal) =>
        ordinal < 2 ? refusal('ThrottlingException', 'Rate exceeded') : { body: token('AWS:late') },
    });
    expect(await throttled.ask('kept', signal)).toEqual({ username: 'AWS', password: 'late' });
    await wire.close();
    const empty = await login({ GetAuthorizationToken: said({ authorizationData: [] }) });
    expect(String(await thrownBy(empty.ask('kept', signal)))).toContain('ECR answered without a token');
  });
});

const IMAGE = { host: HOST, path: 'team/web', digest: `sha256:${'a'.repeat(64)}`, platform: 'linux/amd64' };
const PUSHED = 1_767_225_600;
const described = said({ imageDetails: [{ imageDigest: IMAGE.digest, imagePushedAt: PUSHED }] });
const CVE = (id: string) => ({ name: id, severity: 'HIGH', attributes: [{ key: 'package_name', value: 'ssl' }] });
const SCAN = 'DescribeImageScanFindings';

async function look(answers: Answers, image = IMAGE) {
  const config = await ecrSays(answers);
  const scanner = ecrScanner(() => Promise.resolve(config));
  return { scanner, state: await scanner.look(image, signal).catch((thrown: unknown) => thrown) };
}

describe('the findings of ECR over the wire', () => {
  test.each<[status: string, kind: string]>([
    ['IN_PROGRESS', 'pending'],
    ['PENDING', 'pending'],
    ['FAILED', 'failed'],
    ['UNSUPPORTED_IMAGE', 'failed'],
    ['SCAN_ELIGIBILITY_EXPIRED', 'failed'],
    ['FINDINGS_UNAVAILABLE', 'failed'],
    ['LIMIT_EXCEEDED', 'failed'],
    ['IMAGE_ARCHIVED', 'failed'],
    ['A_WORD_OF_TOMORROW', 'failed'],
  ])('%s is %s, with the reason that ECR gives', async (status, kind) => {
    const { state } = await look({ [SCAN]: said({ imageScanStatus: { status, description: 'because' } }) });
    expect(state).toEqual({ kind, why: `ECR says ${status}: because` });
  });

  test('an answer without a status proves nothing', async () => {
    expect((await look({ [SCAN]: said({}) })).state).toEqual({ kind: 'failed', why: 'ECR says no status' });
  });

  test('basic findings of all pages count, by digest, with the times of scan and push', async () => {
    const { state } = await look({
      [SCAN]: (ordinal) => ({
        body: {
          imageScanStatus: { status: 'COMPLETE' },
          imageScanFindings: { imageScanCompletedAt: PUSHED + 60, findings: [CVE(`CVE-${ordinal}`)] },
          ...(ordinal < 3 ? { nextToken: `page-${ordinal + 1}` } : {}),
        },
      }),
      DescribeImages: described,
    });
    expect(state).toMatchObject({
      kind: 'findings',
      findings: [{ id: 'CVE-1', severity: 'high', fix: 'unknown', package: 'ssl' }, { id: 'CVE-2' }, { id: 'CVE-3' }],
      completedAt: (PUSHED + 60) * 1_000,
      pushedAt: PUSHED * 1_000,
    });
    const place = { registryId: ACCOUNT, repositoryName: 'team/web', imageId: { imageDigest: IMAGE.digest } };
    expect(asked(SCAN)).toEqual([place, { ...place, nextToken: 'page-2' }, { ...place, nextToken: 'page-3' }]);
  });

  test.each(['ACTIVE', 'COMPLETE'])('enhanced findings are told by their shape, ended by %s', async (status) => {
    const { state } = await look({
      [SCAN]: said({
        imageScanStatus: { status },
        imageScanFindings: {
          imageScanCompletedAt: PUSHED,
          enhancedFindings: [
            {
              severity: 'CRITICAL',
              fixAvailable: 'YES',
              status: 'ACTIVE',
              packageVulnerabilityDetails: {
                vulnerabilityId: 'CVE-9',
                vulnerablePackages: [{ name: 'zlib', version: '1', fixedInVersion: '2' }],
              },
            },
            { severity: 'HIGH', status: 'CLOSED', packageVulnerabilityDetails: { vulnerabilityId: 'CVE-8' } },
          ],
        },
      }),
      DescribeImages: described,
    });
    expect(state).toMatchObject({
      findings: [{ id: 'CVE-9', package: 'zlib', severity: 'critical', fix: 'available', fixedIn: '2' }],
    });
    expect((state as { findings: unknown[] }).findings).toHaveLength(1);
  });

  test('a scan that is not there is started once for each image and waited for', async () => {
    const { scanner, state } = await look({
      [SCAN]: () => refusal('ScanNotFoundException', 'no scan'),
      StartImageScan: said({}),
    });
    expect(state).toEqual({ kind: 'pending', why: 'ECR has no scan of it yet' });
    await scanner.look(IMAGE, signal);
    const other = `sha256:${'b'.repeat(64)}`;
    await scanner.look({ ...IMAGE, digest: other }, signal);
    expect(asked('StartImageScan')).toEqual(
      [IMAGE.digest, other].map((imageDigest) => expect.objectContaining({ imageId: { imageDigest } })),
    );
  });

  test.each<[name: string, answer: WireAnswer, why: RegExp]>([
    ['the limit of one in 24 h', refusal('LimitExceededException', 'once'), /LimitExceededException: once/],
    ['a missing right', DENIED('ecr:StartImageScan'), /access denied for ecr:StartImageScan/],
    ['a registry that scans by itself', refusal('ValidationException', 'enhanced'), /enhanced/],
  ])('it is waited for in spite of %s, which is said', async (_name, answer, why) => {
    const { scanner, state } = await look({
      [SCAN]: () => refusal('ScanNotFoundException'),
      StartImageScan: () => answer,
    });
    expect(state).toMatchObject({ kind: 'pending', why: expect.stringMatching(why) });
    expect(await scanner.look(IMAGE, signal)).toEqual(state);
    expect(asked('StartImageScan')).toHaveLength(1);
  });

  test.each<[name: string, answers: Answers, kind: string, message: RegExp]>([
    [
      'an image that cannot be scanned',
      {
        [SCAN]: () => refusal('ScanNotFoundException'),
        StartImageScan: () => refusal('UnsupportedImageTypeException', 'an index'),
      },
      'invalid',
      /UnsupportedImageTypeException: an index/,
    ],
    [
      'an image that is not there',
      {
        [SCAN]: () => refusal('ImageNotFoundException'),
        StartImageScan: () => refusal('ImageNotFoundException', 'gone'),
      },
      'not-found',
      /ImageNotFoundException: gone/,
    ],
    [
      'findings that may not be read',
      { [SCAN]: () => DENIED('ecr:DescribeImageScanFindings') },
      'access-denied',
      /Grant ecr:DescribeImageScanFindings/,
    ],
    [
      'a time of push that may not be read',
      { [SCAN]: said({ imageScanStatus: { status: 'COMPLETE' } }), DescribeImages: () => DENIED('ecr:DescribeImages') },
      'access-denied',
      /Grant ecr:DescribeImages/,
    ],
  ])('%s is never a pass', async (_name, answers, kind, message) => {
    const { state } = await look(answers);
    expect(state).toBeInstanceOf(CloudFailure);
    expect(state).toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  test('an image elsewhere than in ECR is refused without a call', async () => {
    const { state } = await look({}, { ...IMAGE, host: 'ghcr.io' });
    expect(state).toEqual({ kind: 'failed', why: 'ghcr.io is not a registry of ECR' });
    expect(wire.calls).toEqual([]);
  });
});

const INDEX = 'application/vnd.oci.image.index.v1+json';
const detail = (imageDigest: string, more: object = {}) => ({ imageDigest, imagePushedAt: PUSHED, ...more });
const indexOf = (...digests: readonly string[]) =>
  JSON.stringify({
    mediaType: INDEX,
    manifests: digests.map((digest) => ({ digest, size: 1, mediaType: 'application/vnd.oci.image.manifest.v1+json' })),
  });
const HEX = (number: number): string => `sha256:${number.toString(16).padStart(64, '0')}`;
const shelf = async (answers: Answers) =>
  ecrShelf({ account: ACCOUNT, region: REGION, name: 'team/web' }, await ecrSays(answers));
const listed = (count: number): readonly ListedImage[] =>
  Array.from({ length: count }, (_, index) => ({ digest: HEX(index), tags: [], pushedAt: 0 as never, parts: [] }));

describe('the images of ECR over the wire', () => {
  test('are listed over all pages, with what each index names', async () => {
    const there = await shelf({
      DescribeImages: (ordinal) =>
        ordinal === 1
          ? {
              body: {
                imageDetails: [detail(HEX(1), { imageTags: ['v1'], imageManifestMediaType: INDEX })],
                nextToken: 'n',
              },
            }
          : {
              body: {
                imageDetails: [detail(HEX(2)), detail(HEX(3)), detail(HEX(4), { subjectManifestDigest: HEX(1) })],
              },
            },
      BatchGetImage: said({
        images: [
          { imageId: { imageDigest: HEX(1) }, imageManifest: indexOf(HEX(2), HEX(3)), imageManifestMediaType: INDEX },
        ],
      }),
    });
    expect(await there.list(signal)).toEqual([
      { digest: HEX(1), tags: ['v1'], pushedAt: PUSHED * 1_000, parts: [HEX(2), HEX(3)] },
      { digest: HEX(2), tags: [], pushedAt: PUSHED * 1_000, parts: [] },
      { digest: HEX(3), tags: [], pushedAt: PUSHED * 1_000, parts: [] },
      { digest: HEX(4), tags: [], pushedAt: PUSHED * 1_000, parts: [], subject: HEX(1) },
    ]);
    expect(asked('DescribeImages')).toEqual([
      { registryId: ACCOUNT, repositoryName: 'team/web', maxResults: 1_000 },
      { registryId: ACCOUNT, repositoryName: 'team/web', maxResults: 1_000, nextToken: 'n' },
    ]);
  });

  test.each<[name: string, images: object, message: RegExp]>([
    [
      'an index that cannot be read',
      { images: [], failures: [{ failureCode: 'ImageNotFound' }] },
      /read the index .*Nothing was removed/,
    ],
    [
      'an index in another shape',
      { images: [{ imageId: { imageDigest: HEX(1) }, imageManifest: '{}' }] },
      /read the index/,
    ],
  ])('%s stops the list, because its parts would look like nobody’s', async (_name, answer, message) => {
    const there = await shelf({
      DescribeImages: said({ imageDetails: [detail(HEX(1), { imageManifestMediaType: INDEX })] }),
      BatchGetImage: said(answer),
    });
    expect(String(await thrownBy(there.list(signal)))).toMatch(message);
  });

  test('are removed by digest, a hundred a call; one that was gone counts, one that is held is named', async () => {
    const there = await shelf({
      BatchDeleteImage: (ordinal) => ({
        body:
          ordinal === 1
            ? { failures: [{ imageId: { imageDigest: HEX(3) }, failureCode: 'ImageNotFound', failureReason: 'gone' }] }
            : {
                failures: [
                  {
                    imageId: { imageDigest: HEX(104) },
                    failureCode: 'ImageReferencedByManifestList',
                    failureReason: 'held',
                  },
                ],
              },
      }),
    });
    const { removed, refused } = await there.remove(listed(105), signal);
    expect(asked('BatchDeleteImage').map((each) => (each as { imageIds: unknown[] }).imageIds.length)).toEqual([
      100, 5,
    ]);
    expect(removed).toHaveLength(104);
    expect(removed).toContain(HEX(3));
    expect(refused).toEqual([`${HEX(104)}: ImageReferencedByManifestList: held`]);
  });

  test('a refusal in the middle says how many are gone, and which right is missing', async () => {
    const there = await shelf({
      BatchDeleteImage: (ordinal) => (ordinal === 1 ? { body: {} } : DENIED('ecr:BatchDeleteImage')),
    });
    expect(await thrownBy(there.remove(listed(150), signal))).toMatchObject({
      kind: 'access-denied',
      message: expect.stringMatching(/100 of 150 were removed.*Grant ecr:BatchDeleteImage/),
    });
  });

  test('are read back as digests alone, without a look into any index', async () => {
    const there = await shelf({
      DescribeImages: said({ imageDetails: [detail(HEX(1), { imageManifestMediaType: INDEX }), detail(HEX(2))] }),
    });
    expect(await there.digests(signal)).toEqual(new Set([HEX(1), HEX(2)]));
    expect(wire.calls).toHaveLength(1);
  });
});
