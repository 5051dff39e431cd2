import { describe, expect, test } from '@jest/globals';
import { checkGrant, type Grant } from '../../../src/domain/approval/grant.ts';
import { instant } from '../../../src/domain/duration.ts';

const now = instant(Date.parse('2026-11-20T10:00:00Z'));
const expected = { repository: 'acme/shop', environment: 'production', imagesSha256: 'aa', policySha256: 'bb' };
const grant: Grant = {
  schema: 'sluice/approval/v1',
  id: '0a1b2c',
  ...expected,
  approvedBy: [1, 2],
  commit: 'c0ffee',
  runId: '7',
  attempt: 1,
  grantedAt: '2026-11-20T09:00:00Z',
  expiresAt: '2026-11-20T11:00:00Z',
};
const change = (patch: Record<string, unknown>): string => JSON.stringify({ ...grant, ...patch });

test('a grant for exactly this holds until it expires', () => {
  expect(checkGrant(change({}), expected, now)).toEqual({ ok: true, grant });
});

test('a deploy step that does not know the rules of the gate checks the rest', () => {
  const { policySha256: _, ...known } = expected;
  expect(checkGrant(change({ policySha256: 'other' }), known, now)).toMatchObject({ ok: true });
});

describe('a grant that does not hold', () => {
  test.each([
    ['nothing', '', 'there is none'],
    ['a word', 'approved', 'it is not JSON'],
    ['true', 'true', 'it is not a JSON object'],
    ['another schema', change({ schema: 'x' }), 'its schema is "x"'],
    ['a missing part', change({ expiresAt: undefined }), 'it lacks expiresAt'],
    ['other images', change({ imagesSha256: 'cc' }), 'given for images-sha256 cc, this is images-sha256 aa'],
    [
      'another environment',
      change({ environment: 'staging' }),
      'given for environment staging, this is environment production',
    ],
    ['another repository', change({ repository: 'acme/other' }), 'given for repository acme/other'],
    ['a softer gate', change({ policySha256: 'dd' }), 'given for policy-sha256 dd'],
    ['no approver', change({ approvedBy: [] }), 'nobody approved it'],
    ['approvers by login', change({ approvedBy: ['alice'] }), 'its approvedBy is not a list of user ids'],
    ['its end', change({ expiresAt: '2026-11-20T10:00:00Z' }), 'it expired at 2026-11-20T10:00:00Z'],
    ['an end that is no time', change({ expiresAt: 'never' }), 'it expired at never'],
    ['a begin in the future', change({ grantedAt: '2026-11-21T10:00:00Z' }), 'in the future'],
  ])('%s', (_name, text, reason) => {
    const check = checkGrant(text, expected, now);
    expect(check).toEqual({ ok: false, reasons: [expect.stringContaining(reason)] });
  });
});
