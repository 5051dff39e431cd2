import { expect, test } from '@jest/globals';
import { ledger } from '../../../sandbox/users/ledger.ts';

const ok = (version: string, responseTime = 1) => ({ kind: 'ok' as const, version, responseTime });
const failed = (reason: string) => ({ kind: 'failed' as const, reason, version: undefined, responseTime: 5_000 });

test('a request that ends twice counts once, as it ended first', () => {
  const book = ledger(0);
  const end = book.arrived(10);
  end(failed('timeout'));
  end(ok('1.4.0'));
  expect(book.counts()).toMatchObject({
    sent: 1,
    ok: 0,
    failed: 1,
    open: 0,
    failedByReason: { timeout: 1 },
    byVersion: {},
    responseTimes: [5_000],
  });
});

test('a request belongs to the second in which it was planned, whenever it ends', () => {
  const book = ledger(1_000);
  const ends = [1_000, 1_999, 2_000, 4_500].map((plannedAt) => book.arrived(plannedAt));
  ends[0]?.(ok('a'));
  ends[1]?.(failed('reset'));
  ends[3]?.(ok('b'));
  expect(book.timeline()).toEqual([
    { second: 0, sent: 2, ok: 1, failed: 1, slow: 0, byVersion: { a: 1 } },
    { second: 1, sent: 1, ok: 0, failed: 0, slow: 0, byVersion: {} },
    { second: 2, sent: 0, ok: 0, failed: 0, slow: 0, byVersion: {} },
    { second: 3, sent: 1, ok: 1, failed: 0, slow: 0, byVersion: { b: 1 } },
  ]);
});

test('what came since a mark is the difference, and a request may end after a mark that it was sent before', () => {
  const book = ledger(0);
  const early = book.arrived(1);
  book.arrived(2)(failed('refused'));
  book.websocketDropped('closed 1001');
  const mark = { counts: book.counts() };
  early(ok('a', 7));
  book.arrived(3);
  book.websocketEchoed();
  expect(mark.counts.open).toBe(1);
  expect(book.since(mark)).toEqual({
    sent: 1,
    ok: 1,
    failed: 0,
    open: 1,
    failedByReason: {},
    byVersion: { a: 1 },
    websocketDrops: 0,
    websocketDropsByReason: {},
    websocketEchoes: 1,
    responseTimes: [7],
  });
});
