import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { canonicalJson } from '../../../src/domain/canonical-json.ts';
import { needs } from '../../harness/needs.ts';
import type { BundleResult } from '../../harness/run-bundle.ts';
import { type Scene, openScene, setOf } from './scene.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const IMAGES = { web: { repository: 'team/web', digest: DIGEST, tag: '1' } };
const HOUR = 3_600_000;
const at = (moment: number): string => new Date(moment).toISOString();

/** What approval-gate hands on. */
const grant = (more: object = {}): string =>
  JSON.stringify({
    schema: 'sluice/approval/v1',
    id: 'g-1',
    repository: 'acme/shop',
    environment: 'production',
    imagesSha256: createHash('sha256').update(canonicalJson(IMAGES), 'utf8').digest('hex'),
    policySha256: 'p',
    approvedBy: [7],
    commit: 'c',
    runId: '4711',
    attempt: 1,
    grantedAt: at(Date.now() - HOUR),
    expiresAt: at(Date.now() + HOUR),
    ...more,
  });

needs('kubernetes')('a release that needs an approval', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene('approved');
  }, 300_000);
  afterAll(() => scene?.close());

  const release = (
    approval: string,
    set = setOf(),
    more: Readonly<Record<string, string>> = {},
  ): Promise<BundleResult> =>
    scene.run(
      {
        images: JSON.stringify(IMAGES),
        registry: 'registry.example.com',
        environment: 'production',
        'require-approval': 'true',
        approval,
        ...more,
      },
      set,
    );
  const deployment = () => scene.live(`/apis/apps/v1/namespaces/${scene.namespace}/deployments/web`);

  test.each([
    ['expired', { expiresAt: at(Date.now() - HOUR) }, 'it expired at '],
    ['was given for another environment', { environment: 'staging' }, 'it was given for environment staging'],
    ['was given for other images', { imagesSha256: 'x' }, 'it was given for images-sha256 x'],
  ])(
    'is not begun with one that %s',
    async (_name, more, why) => {
      const run = await release(grant(more));
      expect(run).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
      expect(run.annotations[0]?.message).toContain('The approval for production does not hold: ');
      expect(run.annotations[0]?.message).toContain(why);
      expect(await deployment()).toBeUndefined();
    },
    60_000,
  );

  test('is not begun with images in the manifests that nobody approved', async () => {
    const other = setOf().replace('team/web:1', `team/web:1@sha256:${'cd'.repeat(32)}`);
    const run = await release(grant(), other, { 'pinned-tag': `1@${DIGEST}` });
    expect(run).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    expect(run.annotations[0]?.message).toContain(
      'is the image of Deployment web, container web, and it is none that was approved',
    );
    expect(await deployment()).toBeUndefined();
  }, 60_000);

  test('is not begun with a pinned tag that nobody approved', async () => {
    const run = await release(grant(), setOf(), { 'pinned-tag': `1@sha256:${'cd'.repeat(32)}` });
    expect(run).toMatchObject({ exitCode: 1, outputs: { changed: 'false' } });
    expect(run.annotations[0]?.message).toContain('is none of images, which is what was approved');
  }, 60_000);

  test('is made with one that fits, by the approved digest', async () => {
    const run = await release(grant());
    expect(run).toMatchObject({ exitCode: 0, outputs: { outcome: 'succeeded' } });
    expect(run.stdout).toContain('Approved for production by grant g-1');
    expect((await scene.truth()).image).toBe(`registry.example.com/team/web@${DIGEST}`);
  }, 120_000);
});
