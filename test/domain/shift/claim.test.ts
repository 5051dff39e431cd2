import { expect, test } from '@jest/globals';
import { after, milliseconds, seconds } from '../../../src/domain/duration.ts';
import { claimOf } from '../../../src/domain/shift/claim.ts';
import type { ShiftRecord } from '../../../src/domain/shift/record.ts';
import { stableColor } from '../../../src/domain/shift/live-color.ts';
import { splitGiving } from '../../../src/domain/traffic-split.ts';
import { NOW, recordOf } from './records.ts';

const ME = { id: '100', attempt: 2 };
const EARLIER = { id: '100', attempt: 1 };
const LATER = { id: '100', attempt: 3 };
const OTHER = { id: '99', attempt: 1 };
const OLD_LEASE = { leaseUntil: NOW };

test.each([
  { name: 'no record is free', record: undefined, engaged: false, claim: 'free' },
  { name: 'a shift that is done is free', record: recordOf({ run: OTHER, phase: 'done' }), engaged: false, claim: 'free' },
  { name: 'a shift that is rolled back is free', record: recordOf({ run: OTHER, phase: 'rolled-back' }), engaged: false, claim: 'free' },
  { name: 'another run with a fresh lease is busy', record: recordOf({ run: OTHER }), engaged: false, claim: 'busy' },
  { name: 'a lease that ends in this moment is over', record: recordOf({ run: OTHER, ...OLD_LEASE }), engaged: false, claim: 'abandoned' },
  { name: 'a lease with a moment left is not', record: recordOf({ run: OTHER, leaseUntil: after(NOW, milliseconds(1)) }), engaged: false, claim: 'busy' },
  { name: 'an earlier attempt of this run has ended, lease or not', record: recordOf({ run: EARLIER }), engaged: false, claim: 'abandoned' },
  { name: 'this very attempt in an earlier step has ended too', record: recordOf({ run: ME }), engaged: false, claim: 'abandoned' },
  { name: 'a shift that rests between two jobs is nobody\'s, lease or not', record: recordOf({ run: OTHER, phase: 'prepared' }), engaged: false, claim: 'abandoned' },
  { name: 'a switched shift rests as well', record: recordOf({ run: OTHER, phase: 'switched' }), engaged: false, claim: 'abandoned' },
  { name: 'a later attempt means that this one is the past', record: recordOf({ run: LATER }), engaged: false, claim: 'lost' },
  { name: 'even when the later attempt has ended', record: recordOf({ run: LATER, phase: 'done' }), engaged: false, claim: 'lost' },
  { name: 'what this process took is its own', record: recordOf({ run: ME }), engaged: true, claim: 'mine' },
  { name: 'its own stays its own when the lease is over', record: recordOf({ run: ME, ...OLD_LEASE }), engaged: true, claim: 'mine' },
  { name: 'what this process took and another holds is lost', record: recordOf({ run: OTHER }), engaged: true, claim: 'lost' },
  { name: 'and so it is when the record is gone', record: undefined, engaged: true, claim: 'lost' },
] as { name: string; record: ShiftRecord | undefined; engaged: boolean; claim: string }[])('$name', ({ record, engaged, claim }) => {
  expect(claimOf(record, { me: ME, engaged }, NOW)).toBe(claim);
}); // prettier-ignore

const targets = (blue: number, green: number) => ({
  blue: { healthy: blue, total: 3, reasons: [] },
  green: { healthy: green, total: 3, reasons: [] },
});

test.each([
  { name: 'all weight on a healthy color', live: splitGiving('blue', 100), healthy: targets(3, 0), stable: { kind: 'live', color: 'blue' } },
  { name: 'all weight on the other healthy color', live: splitGiving('green', 100), healthy: targets(3, 3), stable: { kind: 'live', color: 'green' } },
  { name: 'all weight on a dead color while the other lives', live: splitGiving('green', 100), healthy: targets(3, 0), stable: { kind: 'misdirected', healthy: 'blue' } },
  { name: 'all weight on a dead color and no other', live: splitGiving('green', 100), healthy: targets(0, 0), stable: { kind: 'none-healthy' } },
  { name: 'a split', live: splitGiving('green', 30), healthy: targets(3, 3), stable: { kind: 'split' } },
  { name: 'no weight, one healthy color', live: 'none' as const, healthy: targets(0, 3), stable: { kind: 'misdirected', healthy: 'green' } },
  { name: 'no weight, two healthy colors', live: 'none' as const, healthy: targets(3, 3), stable: { kind: 'split' } },
  { name: 'no weight, nothing healthy', live: 'none' as const, healthy: targets(0, 0), stable: { kind: 'none-healthy' } },
])('the stable color of $name', ({ live, healthy, stable }) => {
  expect(stableColor(live, healthy)).toEqual(stable);
}); // prettier-ignore

test('a lease is long enough for a renewal that fails twice', () => {
  expect(recordOf().leaseUntil - NOW).toBeGreaterThanOrEqual(seconds(90));
});
