import { describe, expect, test } from '@jest/globals';
import { whatIsLeft } from '../../../actions/blue-green/src/decide/left-behind/left.ts';
import { fingerprintOf } from '../../../actions/blue-green/src/goal.ts';
import type { Goal } from '../../../actions/blue-green/src/decide/goal.ts';
import type { ShiftRecord } from '../../../src/domain/shift/record.ts';
import { sha256 } from '../../../src/adapters/system/digest.ts';
import { splitGiving } from '../../../src/domain/traffic-split.ts';
import { NOW, recordOf } from '../../domain/shift/records.ts';
import { type World, blueIsLive, goalOf, healthyRelease, rehearse } from './rehearsal.ts';

// Whose shift, and which release, a decision speaks of.

/** Release B of run 200 is done or switched, and blue still stands. */
const greenIsLive = (more: Partial<ShiftRecord> = {}): World => ({
  ...blueIsLive(),
  now: NOW,
  live: splitGiving('green', 100),
  seated: 'both',
  healthy: { blue: 3, green: 3 },
  desired: { blue: 3, green: 3 },
  record: recordOf({ id: '200-1', run: { id: '200', attempt: 1 }, phase: 'done', percent: 100, from: 50, ...more }),
});
const back = (more: Partial<Goal> = {}): Goal =>
  goalOf({ mode: 'rollback', me: { id: '100', attempt: 2 }, expectedShift: '100-1', ...more });

describe('the way back of a named shift', () => {
  test.each([{ to: undefined }, { to: 'blue' as const }])(
    'is refused when another release is the last one (to-color $to)',
    ({ to }) => {
      const { outcome, moves } = rehearse(back({ to }), greenIsLive(), healthyRelease);
      expect(outcome).toMatchObject({ kind: 'refused', why: 'shift 200-1 is the last one, not 100-1' });
      expect(moves).toEqual([]);
    },
  );

  test('is gone when it is the last one', () => {
    const { outcome } = rehearse(back({ expectedShift: '200-1' }), greenIsLive(), healthyRelease);
    expect(outcome).toMatchObject({ kind: 'rolled-back', record: { stable: 'blue' } });
  });

  test('is gone on with by a later attempt of the run that began it, and is over for it afterwards', () => {
    const world = greenIsLive();
    const named = { expectedShift: '200-1', shiftId: '100-1' };
    rehearse(back({ ...named, me: { id: '100', attempt: 1 } }), world, healthyRelease, { killedAfter: 1 });
    expect(world.record).toMatchObject({ id: '100-1', phase: 'rolling-back' });
    expect(rehearse(back(named), world, healthyRelease).outcome).toMatchObject({ kind: 'rolled-back' });
    expect(rehearse(back(named), world, healthyRelease).outcome).toMatchObject({ kind: 'unchanged' });
  });
});

describe('mode shift where a release was never finished', () => {
  const shift = (images: string | undefined): Goal => goalOf({ mode: 'shift', me: { id: '300', attempt: 1 }, images });
  const seenOf = (images: string | undefined) =>
    rehearse(shift(images), greenIsLive({ phase: 'switched', images: 'w1' }), healthyRelease).outcome;

  test('is not green for images that are nowhere', () => {
    expect(seenOf('x1')).toMatchObject({
      kind: 'refused',
      why: 'shift 200-1 has all traffic with other images and was never finished',
    });
  });

  test.each(['w1', undefined])('is over for what has the traffic (images %s)', (images) => {
    expect(seenOf(images)).toMatchObject({ kind: 'switched' });
  });
});

describe('the release that an image names', () => {
  const named = (image: string, run: string) =>
    fingerprintOf(
      { mode: 'run', image, container: undefined, deploy: 'ecs', expectVersion: undefined },
      { run: { id: run, attempt: 1 }, sha256 },
    );
  const digest = `r.example.com/web@sha256:${'a'.repeat(64)}`;

  test('is the same in every run for a digest, and in one run alone for a tag, which may name another by now', () => {
    expect(named(digest, '100')).toBe(named(digest, '200'));
    expect(named('r.example.com/web:stable', '100')).toBe(named('r.example.com/web:stable', '100'));
    expect(named('r.example.com/web:stable', '100')).not.toBe(named('r.example.com/web:stable', '200'));
  });
});

describe('on-cancel: leave', () => {
  const left = (phase: ShiftRecord['phase'], traffic: 'on-stable' | 'elsewhere' = 'elsewhere') =>
    whatIsLeft({ mode: 'run', onCancel: 'leave' }, { record: recordOf({ phase }), traffic }, { id: '100', attempt: 1 })
      .kind;

  test('leaves a shift that is being judged, and no way back that was begun', () => {
    expect(left('judging')).toBe('nothing');
    expect(left('rolling-back')).toBe('rollback');
  });

  test('leaves one that was judged good, unless a cancel had its traffic back just before that was recorded', () => {
    expect(left('finishing')).toBe('nothing');
    expect(left('finishing', 'on-stable')).toBe('rollback');
    expect(left('switched', 'on-stable')).toBe('rollback');
  });
});
