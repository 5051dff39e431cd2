import { describe, expect, test } from '@jest/globals';
import { type Duration, type Instant, after, milliseconds, minutes, seconds } from '../../../src/domain/duration.ts';
import { Cancelled } from '../../../src/domain/failure.ts';
import { CloudFailure } from '../../../src/domain/retry-policy.ts';
import { policyOf } from './rehearsal.ts';
import { openStage } from './stage.ts';

const throttled = (): CloudFailure =>
  new CloudFailure('throttled', { what: 'Could not record the shift', why: 'throttled' });

describe('a renewal of the lease', () => {
  /** Renewals of the lease fail for a moment, each, in a time after the first traffic. */
  const renewalsFailFor = (stage: ReturnType<typeof openStage>, length: Duration) => {
    const { write } = stage.journal;
    let since: Instant | undefined;
    let failed = 0;
    stage.journal.write = async (entry, signal) => {
      const { phase, since: began } = stage.journal.current() ?? {};
      const isRenewal = phase === 'judging' && entry.phase === 'judging' && entry.since === began;
      if (isRenewal) since ??= stage.clock.now();
      if (since === undefined || !isRenewal || stage.clock.now() >= after(since, length))
        return write.call(stage.journal, entry, signal);
      failed += 1;
      throw throttled();
    };
    return () => failed;
  };

  test('that fails for a while takes no healthy release back: until the lease ends it is held', async () => {
    const stage = openStage();
    const failed = renewalsFailFor(stage, seconds(40));
    const { outcome, story } = await stage.run({ policy: policyOf({ bake: '2m', recheck: 'none' }) });
    expect(outcome.kind).toBe('promoted');
    expect(failed()).toBeGreaterThanOrEqual(5);
    // It was judged on all the while.
    const looks = [...new Set(story.samples.map(({ at }) => at))].sort((a, b) => a - b);
    const gaps = looks.map((at, index) => at - (looks[index - 1] ?? at));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(seconds(20));
  });

  test('is nothing else that a record says without words: what autoscaling was is written again after a pause', async () => {
    const stage = openStage();
    stage.autoscaling.services.set('shop-blue', { scaleIn: false, scaleOut: false, scheduled: false });
    const { write } = stage.journal;
    let until: Instant | undefined;
    let failed = 0;
    stage.journal.write = async (entry, signal) => {
      const held = Object.keys(stage.journal.current()?.scaling ?? {}).length;
      const isGivenBack = held > 0 && Object.keys(entry.scaling).length < held;
      if (isGivenBack) until ??= after(stage.clock.now(), seconds(10));
      if (!isGivenBack || stage.clock.now() >= (until ?? 0)) return write.call(stage.journal, entry, signal);
      failed += 1;
      await stage.clock.sleep(milliseconds(200), signal);
      throw throttled();
    };
    const { outcome } = await stage.run({ policy: policyOf({ bake: '1m', recheck: 'none' }), autoscaling: 'suspend' });
    expect(outcome.kind).toBe('promoted');
    expect(failed).toBeGreaterThan(1);
    expect(failed).toBeLessThanOrEqual(5);
  });

  test('that fails until the lease is nearly over is answered by going back', async () => {
    const stage = openStage();
    renewalsFailFor(stage, minutes(10));
    const { outcome } = await stage.run({ policy: policyOf({ bake: '5m', recheck: 'none' }) });
    expect(outcome).toMatchObject({ kind: 'rolled-back', record: { reason: expect.stringContaining('throttled') } });
  });
});

describe('the record of a shift', () => {
  test('is read again when a read lags behind its first write: nothing is lost by that', async () => {
    const stage = openStage();
    const { read } = stage.journal;
    let lags = 3;
    stage.journal.read = async (signal) => {
      const isLate = stage.journal.current() !== undefined && lags > 0 && (lags -= 1) % 2 === 0;
      return isLate ? undefined : read.call(stage.journal, signal);
    };
    expect((await stage.run()).outcome.kind).toBe('promoted');
    expect(lags).toBe(0);
  });

  test('goes on beside the past that a resumed shift measures again from slow sources', async () => {
    const stage = openStage();
    const stop = new AbortController();
    const policy = policyOf({ bake: '15m', deadline: '2h', recheck: 'none' });
    stage.in(minutes(10), () => stop.abort(new Cancelled('SIGINT')));
    await expect(stage.run({ policy }, { onCancel: 'leave' }, stop.signal)).rejects.toThrow(Cancelled);
    await stage.clock.sleep(minutes(2), new AbortController().signal);
    const { measure } = stage.metric;
    const slowUntil = after(stage.clock.now(), minutes(4));
    const lefts: number[] = [];
    stage.metric.measure = async (...call) => {
      if (stage.clock.now() < slowUntil) await stage.clock.sleep(seconds(20), call[2]);
      lefts.push((stage.journal.current()?.leaseUntil ?? 0) - stage.clock.now());
      return measure.call(stage.metric, ...call);
    };
    const { outcome } = await stage.run({ policy, me: { id: '101', attempt: 1 }, onStale: 'resume' });
    expect(outcome.kind).toBe('promoted');
    expect(Math.min(...lefts)).toBeGreaterThan(0);
  });
});
