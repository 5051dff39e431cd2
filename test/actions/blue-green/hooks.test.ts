import { describe, expect, test } from '@jest/globals';
import { seconds } from '../../../src/domain/duration.ts';
import { CloudFailure } from '../../../src/domain/retry-policy.ts';
import type { Hook } from '../../../src/domain/shift/hooks.ts';
import { openStage } from './stage.ts';

const hook = (program: string, more: Partial<Hook> = {}): Hook => ({
  program,
  args: [],
  timeout: seconds(30),
  database: 'untouched',
  ...more,
});
const hooks = { 'after-promote': [hook('./purge'), hook('./remove-stack')], 'after-rollback': [hook('./flush')] };

describe('commands after a shift', () => {
  test('run once, when the old color is drained, and are told of colors and outcome', async () => {
    const stage = openStage();
    const phases: string[] = [];
    stage.ends = async () => {
      phases.push(`${stage.journal.current()?.phase}, ${stage.desired('blue')} tasks of blue`);
      return 0;
    };
    const { outcome, story } = await stage.run({ hooks });
    expect(outcome.kind).toBe('promoted');
    expect(stage.ran).toEqual(['./purge promoted green blue', './remove-stack promoted green blue']);
    expect(phases).toEqual(['finishing, 0 tasks of blue', 'finishing, 0 tasks of blue']);
    expect(story.hooked.map(({ end }) => end)).toEqual(['good', 'good']);
    await stage.run({ hooks, me: { id: '101', attempt: 1 } });
    expect(stage.ran).toHaveLength(2);
  });

  test('that fail move no traffic, and the next one runs all the same', async () => {
    const stage = openStage();
    stage.ends = async (program) => (program === './purge' ? 3 : 0);
    const { outcome, story } = await stage.run({ hooks });
    expect(outcome.kind).toBe('promoted');
    expect(story.hooked.map(({ end, says }) => `${end}: ${says}`)).toEqual([
      'failed: it ended with 3',
      'good: it ended well',
    ]);
    expect(stage.router.writes.at(-1)).toBe('apply blue 0 / green 100');
  });

  test('of a rollback run when the traffic is back and the candidate scaled down, and not for a candidate without traffic', async () => {
    const stage = openStage();
    stage.answers = ({ metric }) => ({ kind: 'value', value: metric === 'health' ? 1 : 0.3, samples: 400 });
    const found: unknown[] = [];
    stage.ends = async () => {
      found.push([stage.journal.current()?.restoredAt !== undefined, stage.desired('green')]);
      return 0;
    };
    expect((await stage.run({ hooks })).outcome.kind).toBe('rolled-back');
    expect(found).toEqual([[true, 0]]);
    expect(stage.ran).toEqual(['./flush rolled-back blue green']);
    const idle = openStage();
    idle.peers = () => ({ status: 500 });
    expect((await idle.run({ hooks, checks: 'given' })).outcome.kind).toBe('rolled-back');
    expect(idle.ran).toEqual([]);
  });

  test('go on with the one that a dead run was in; one that ended does not run again', async () => {
    const stage = openStage();
    const killed = new AbortController();
    stage.ends = async (program, signal) => {
      if (program === './remove-stack') killed.abort(new Error('killed'));
      signal.throwIfAborted();
      return 0;
    };
    await expect(stage.run({ hooks }, {}, killed.signal)).rejects.toThrow('killed');
    expect(stage.journal.current()).toMatchObject({ phase: 'finishing', hooks: { ended: 1, next: 'begun' } });
    stage.ends = async () => 0;
    const { outcome } = await stage.run({ hooks, mode: 'finish', me: { id: '100', attempt: 2 } });
    expect(outcome.kind).toBe('promoted');
    expect(stage.ran.map((line) => line.split(' ')[0])).toEqual(['./purge', './remove-stack', './remove-stack']);
  });

  test('do not run twice in one process, though the note of an end fails for a moment', async () => {
    const stage = openStage();
    const { write } = stage.journal;
    let failures = 0;
    stage.journal.write = async (record, signal) => {
      if (record.hooks.ended === 1 && record.hooks.next === 'waiting' && failures++ === 0)
        throw new CloudFailure('throttled', { what: 'Could not record the shift', why: 'throttled' });
      await write.call(stage.journal, record, signal);
    };
    expect((await stage.run({ hooks })).outcome.kind).toBe('promoted');
    expect(failures).toBeGreaterThan(1);
    expect(stage.ran).toHaveLength(2);
  });

  test('are not killed because the record could not be read for a moment', async () => {
    const stage = openStage();
    const { read } = stage.journal;
    let failures = 0;
    stage.ends = async (_, signal) => {
      stage.journal.read = async (inner) => {
        if (failures++ === 0)
          throw new CloudFailure('throttled', { what: 'Could not read the shift', why: 'throttled' });
        return read.call(stage.journal, inner);
      };
      await stage.clock.sleep(seconds(100), signal);
      return 0;
    };
    const long = { ...hooks, 'after-promote': [hook('./slow', { timeout: seconds(300) })] };
    expect((await stage.run({ hooks: long })).story.hooked).toMatchObject([{ end: 'good' }]);
    expect(failures).toBeGreaterThan(1);
  });

  test('renew the lease beside a long command', async () => {
    const stage = openStage();
    stage.ends = async (_, signal) => {
      await stage.clock.sleep(seconds(200), signal);
      expect(stage.journal.current()?.leaseUntil).toBeGreaterThan(stage.clock.now());
      return 0;
    };
    const long = { ...hooks, 'after-promote': [hook('./slow', { timeout: seconds(300) })] };
    expect((await stage.run({ hooks: long })).story.hooked).toMatchObject([{ end: 'good' }]);
  });
});
