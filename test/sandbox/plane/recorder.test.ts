import { expect, test } from '@jest/globals';
import { type Ending, recorder } from '../../../sandbox/plane/recorder.ts';

const answered = (status: number, responseTime = 1): Ending => ({ kind: 'answered', status, responseTime });

test('counts every ending once, by class', () => {
  const counts = recorder(() => 0);
  for (const status of [200, 204, 302, 404, 500, 503]) counts.record(answered(status));
  counts.record({ kind: 'upgraded', responseTime: 1 });
  counts.record({ kind: 'connection-error' });
  counts.record({ kind: 'unanswered' });
  counts.record({ kind: 'client-closed' });
  expect(counts.total()).toEqual({
    requests: 10,
    status2xx: 2,
    status3xx: 1,
    status4xx: 1,
    status5xx: 2,
    connectionErrors: 1,
    unanswered: 1,
    clientClosed: 1,
    errors: 4,
    responseTimes: [1, 1, 1, 1, 1, 1, 1],
    complete: true,
  });
});

test('answers for a stretch of time, its start included and its end not', () => {
  let now = 0;
  const counts = recorder(() => now);
  for (now = 0; now < 100; now += 10) counts.record(answered(200, now));
  expect(counts.range({ from: 20, to: 50 }).responseTimes).toEqual([20, 30, 40]);
  expect(counts.range({ from: 200, to: 300 }).requests).toBe(0);
});

test('says when more was served in a stretch than it remembers, and keeps its totals exact', () => {
  let now = 0;
  const counts = recorder(() => now);
  for (now = 0; now < 300_000; now += 1) counts.record(answered(200));
  expect(counts.total()).toMatchObject({ requests: 300_000, complete: true });
  expect(counts.total().responseTimes).toHaveLength(10_000);
  expect(counts.range({ from: 299_000, to: 300_000 })).toMatchObject({ requests: 1_000, complete: true });
  expect(counts.range({ from: 0, to: 300_000 })).toMatchObject({ requests: 131_072, complete: false });
});
