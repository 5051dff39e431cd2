import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  type ApprovalDemand,
  type ApprovalValues,
  approvalDemand,
  requireApproval,
} from '../../../src/domain/approval/require.ts';
import { canonicalJson } from '../../../src/domain/canonical-json.ts';
import { instant } from '../../../src/domain/duration.ts';

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');
const NOW = instant(Date.UTC(2026, 10, 20, 12));
const images = { api: { repository: 'team/api', digest: `sha256:${'a'.repeat(64)}`, tag: '1.4.0' } };
const grant = {
  schema: 'sluice/approval/v1',
  id: 'g-1',
  repository: 'acme/shop',
  environment: 'production',
  imagesSha256: sha256(canonicalJson(images)),
  policySha256: 'p',
  approvedBy: [7],
  commit: 'c',
  runId: '4711',
  attempt: 1,
  grantedAt: '2026-11-20T11:00:00Z',
  expiresAt: '2026-11-20T15:00:00Z',
};
const values = (given: Partial<ApprovalValues> = {}): ApprovalValues => ({
  'require-approval': true,
  approval: JSON.stringify(grant),
  environment: 'production',
  images,
  ...given,
});
const asked = (given: Partial<ApprovalValues> = {}, repository = 'acme/shop') => {
  const demand = approvalDemand(values(given)) as { readonly value: ApprovalDemand };
  return requireApproval(demand.value, { repository, now: NOW, sha256 });
};

describe('a required approval', () => {
  test('holds for the same images, environment and repository', () => {
    expect(asked()).toEqual(grant);
  });

  test('is not asked for where none is required', () => {
    expect(asked({ 'require-approval': false, approval: undefined, images: undefined })).toBeUndefined();
  });

  const refused = [
    { name: 'that is missing', given: { approval: undefined }, reason: 'there is none' },
    { name: 'that is no JSON', given: { approval: '{' }, reason: 'it is not JSON' },
    {
      name: 'for another environment',
      given: { environment: 'staging' },
      reason: 'it was given for environment production, this is environment staging',
    },
    {
      name: 'for other images',
      given: { images: { api: { ...images.api, digest: `sha256:${'b'.repeat(64)}` } } },
      reason: `it was given for images-sha256 ${grant.imagesSha256}`,
    },
    {
      name: 'that has expired',
      given: { approval: JSON.stringify({ ...grant, expiresAt: '2026-11-20T11:59:59Z' }) },
      reason: 'it expired at 2026-11-20T11:59:59Z',
    },
  ];
  test.each(refused)('$name is refused', ({ given, reason }) => {
    expect(() => asked(given)).toThrow(reason);
  });

  test('is refused with every reason at once, what is true and what to do', () => {
    expect(() => asked({ environment: 'staging' }, 'acme/other')).toThrow(
      'The approval for staging does not hold: it was given for repository acme/shop, this is repository acme/other; it was given for environment production, this is environment staging. Nothing was touched. Let approval-gate ask for these images and staging, and pass its output approval.',
    );
  });

  test('needs images and an environment to be compared with', () => {
    expect(approvalDemand(values({ images: undefined, environment: undefined }))).toMatchObject({
      ok: false,
      problems: [{ input: 'images' }, { input: 'environment' }],
    });
  });
});
