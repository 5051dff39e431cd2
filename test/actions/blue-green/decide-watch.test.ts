import { describe, expect, test } from '@jest/globals';
import {
  type Watch,
  type WatchDecision,
  decideWatch,
  watcherOf,
} from '../../../actions/blue-green/src/decide/left-behind/watch.ts';
import { after, before, minutes, seconds } from '../../../src/domain/duration.ts';
import type { ShiftRecord } from '../../../src/domain/shift/record.ts';
import { NOW, recordOf } from '../../domain/shift/records.ts';

const ME = { id: '100', attempt: 2 };
const WATCH: Watch = { run: ME, expectedShift: undefined, beginWithin: minutes(15), onStale: 'rollback' };
const STALE = { leaseUntil: NOW };
const FRESH = { leaseUntil: after(NOW, seconds(1)) };
const mine = (more: Partial<ShiftRecord>): ShiftRecord => recordOf({ id: '100-2', run: ME, ...FRESH, ...more });
const other = (more: Partial<ShiftRecord>): ShiftRecord =>
  recordOf({ id: '90-1', run: { id: '90', attempt: 1 }, ...FRESH, ...more });

/** `wait: words`, `over: words` or `roll-back: words`. */
const shown = (decision: WatchDecision): string => {
  if (decision.kind === 'wait') return `wait: ${decision.for}`;
  const { outcome } = decision;
  return outcome.kind === 'over' ? `over: ${outcome.says}` : `${outcome.verdict.kind}: ${outcome.verdict.says}`;
};
const decided = (record: ShiftRecord | undefined, watch: Partial<Watch> = {}, idle = minutes(2)): string =>
  shown(decideWatch({ ...WATCH, ...watch }, { record, idleSince: before(NOW, idle) }, NOW));

describe('a watch', () => {
  const ROWS: { name: string; got: string; is: RegExp }[] = [
    { name: 'waits while there is no shift yet', got: decided(undefined), is: /^wait: a shift to begin/ },
    { name: 'ends when none begins', got: decided(undefined, {}, minutes(15)), is: /^over: No shift began/ },
    { name: 'looks on while the lease is fresh', got: decided(mine({ phase: 'judging' })), is: /^wait: .*worked on/ },
    { name: 'acts when the lease is over', got: decided(mine({ phase: 'judging', ...STALE })), is: /^roll-back: / },
    { name: 'resumes when asked to', got: decided(mine({ phase: 'judging', ...STALE }), { onStale: 'resume' }), is: /^resume: / },
    { name: 'tells and leaves when asked to', got: decided(mine({ phase: 'judging', ...STALE }), { onStale: 'fail' }), is: /^fail: / },
    { name: 'waits for the job after a rest, which has no lease', got: decided(mine({ phase: 'switched', ...STALE })), is: /^wait: the next job/ },
    { name: 'ends when that job does not come for an hour', got: decided(mine({ phase: 'switched', ...STALE, since: before(NOW, minutes(60)) })), is: /^over: .*rests/ },
    { name: 'ends with its own shift at once', got: decided(mine({ phase: 'done' }), {}, seconds(0)), is: /^over: Shift 100-2 is done/ },
    { name: 'waits a minute after a shift of others that its run ended', got: decided(mine({ id: '90-1', phase: 'rolled-back' }), {}, seconds(59)), is: /^wait: a shift to begin/ },
    { name: 'ends when nothing followed in that minute', got: decided(mine({ id: '90-1', phase: 'rolled-back' }), {}, seconds(60)), is: /^over: Shift 90-1/ },
    { name: 'takes the end of an earlier attempt for no end of this one', got: decided(mine({ run: { id: '100', attempt: 1 }, phase: 'rolled-back' })), is: /^wait: a shift to begin/ },
    { name: 'goes on with what the watch itself took over', got: decided(mine({ run: watcherOf(ME), phase: 'rolling-back', ...STALE })), is: /^roll-back: / },
    { name: 'leaves the stale shift of another run to whoever comes for it', got: decided(other({ phase: 'judging', ...STALE })), is: /^wait: .*not the watched one/ },
    { name: 'watches a shift that is named, whoever works on it', got: decided(other({ phase: 'judging', ...STALE }), { expectedShift: '90-1' }), is: /^roll-back: / },
    { name: 'leaves a drain whose run died', got: decided(mine({ phase: 'finishing', ...STALE })), is: /^finish: .*was judged good/ },
  ]; // prettier-ignore
  test.each(ROWS)('$name', ({ got, is }) => expect(got).toMatch(is));

  test('has a key of its own: a frozen job of its run must find the shift taken over', () => {
    expect(watcherOf(ME)).toEqual({ id: '100.watch', attempt: 2 });
  });
});
