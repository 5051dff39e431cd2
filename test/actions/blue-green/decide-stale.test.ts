import { expect, test } from '@jest/globals';
import { staleVerdict } from '../../../actions/blue-green/src/decide/left-behind/stale.ts';
import { after, before, minutes } from '../../../src/domain/duration.ts';
import type { ShiftRecord } from '../../../src/domain/shift/record.ts';
import { NOW, recordOf } from '../../domain/shift/records.ts';

const STALE = { leaseUntil: NOW };
const HELD = { blue: { scaleIn: false, scaleOut: false, scheduled: false } };
const FRESH = { leaseUntil: after(NOW, minutes(1)) };

const ROWS: { name: string; record: ShiftRecord | undefined; onStale?: 'fail' | 'resume'; kind: string; says: string }[] = [
  { name: 'no shift', record: undefined, kind: 'leave', says: 'No shift is under way' },
  { name: 'a shift that is done', record: recordOf({ phase: 'done', ...STALE }), kind: 'leave', says: 'No shift is under way' },
  { name: 'a shift that somebody works on', record: recordOf({ phase: 'judging', ...FRESH }), kind: 'leave', says: 'is worked on' },
  { name: 'a candidate that waits for its next job', record: recordOf({ phase: 'prepared', ...STALE }), kind: 'leave', says: 'rests between two jobs' },
  { name: 'a switch that waits for its next job', record: recordOf({ phase: 'switched', ...STALE }), kind: 'leave', says: 'rests between two jobs' },
  { name: 'a drain whose run died', record: recordOf({ phase: 'finishing', ...STALE }), kind: 'finish', says: 'was judged good' },
  { name: 'a switch that rests for an hour and holds autoscaling', record: recordOf({ phase: 'switched', ...STALE, since: before(NOW, minutes(60)), scaling: HELD }), kind: 'settle', says: 'is given back' },
  { name: 'a switch that rests for less, and holds autoscaling', record: recordOf({ phase: 'switched', ...STALE, since: before(NOW, minutes(59)), scaling: HELD }), kind: 'leave', says: 'rests' },
  { name: 'a drain whose run died, to be left', record: recordOf({ phase: 'finishing', ...STALE }), onStale: 'fail', kind: 'fail', says: 'is left' },
  { name: 'a judged step whose run died', record: recordOf({ phase: 'judging', ...STALE }), kind: 'roll-back', says: 'going back' },
  { name: 'a way back whose run died', record: recordOf({ phase: 'rolling-back', ...STALE }), kind: 'roll-back', says: 'going back' },
  { name: 'a judged step whose run died, to be left', record: recordOf({ phase: 'judging', ...STALE }), onStale: 'fail', kind: 'fail', says: 'is left as it is, as asked' },
  { name: 'a way back whose run died, though stale shifts are to be left', record: recordOf({ phase: 'rolling-back', ...STALE }), onStale: 'fail', kind: 'roll-back', says: 'as was begun' },
  { name: 'a judged step whose run died, to be resumed', record: recordOf({ phase: 'judging', ...STALE }), onStale: 'resume', kind: 'resume', says: 'going on with it' },
  { name: 'a candidate that was being deployed, which needs an image to go on', record: recordOf({ phase: 'preparing', ...STALE }), onStale: 'resume', kind: 'roll-back', says: 'going back' },
]; // prettier-ignore

test.each(ROWS)('$name', ({ record, onStale, kind, says }) => {
  const verdict = staleVerdict(record, { onStale: onStale ?? 'rollback' }, NOW);
  expect(verdict.kind).toBe(kind);
  expect(verdict.says).toContain(says);
});
