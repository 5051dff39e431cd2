import { describe, expect, test } from '@jest/globals';
import { sha256 } from '../../../src/adapters/system/digest.ts';
import { type ApprovalRecord, checkChain, recordLine, seal } from '../../../src/domain/approval/record.ts';

const record = (id: string, previous: string | null): ApprovalRecord => ({
  schema: 'sluice/approval-record/v1',
  id,
  repository: 'acme/shop',
  environment: 'production',
  imagesSha256: 'aa',
  policySha256: 'bb',
  commit: 'c0ffee',
  runId: '1',
  attempt: 1,
  actorId: 1,
  triggeringActorId: 1,
  issue: 7,
  openedAt: '2026-01-01T00:00:00Z',
  decidedAt: '2026-01-01T00:10:00Z',
  outcome: 'approved',
  why: 'Approved by alice.',
  rules: {},
  eligibleAtOpening: [2, 3],
  eligibleAtDecision: [2, 3],
  excluded: [],
  comments: [{ id: 5, authorId: 2, bodySha256: 'cc', createdAt: '2026-01-01T00:05:00Z', counted: 'approve' }],
  override: null,
  window: 'open',
  checks: [],
  evidence: [],
  previous,
});
const first = seal(record('one', null), sha256);
const second = seal(record('two', first.sha256), sha256);
const third = seal(record('three', second.sha256), sha256);
const [one, two, three] = [first, second, third].map(recordLine) as [string, string, string];

test('a chain is followed to its last record', () => {
  expect(checkChain(one + two + three, sha256)).toEqual({ ok: true, last: third.sha256, length: 3 });
  expect(checkChain('', sha256)).toEqual({ ok: true, last: null, length: 0 });
});

describe('what was done to a file is found', () => {
  test.each<[string, string, number, RegExp]>([
    ['a record taken out', one + three, 2, /does not follow/],
    ['the first one taken out', two + three, 1, /does not follow/],
    ['two in another order', one + three + two, 2, /does not follow/],
    ['a word changed', one + two.replace('"approved"', '"denied"') + three, 2, /does not have the hash/],
    [
      'a person added',
      one.replace('"eligibleAtDecision":[2,3]', '"eligibleAtDecision":[2,3,9]'),
      1,
      /does not have the hash/,
    ],
    ['something else', 'hello\n', 1, /not JSON/],
    ['an empty object', '{}\n', 1, /holds no record/],
  ])('%s', (_name, text, line, why) => {
    expect(checkChain(text, sha256)).toEqual({ ok: false, line, why: expect.stringMatching(why) });
  });
});
