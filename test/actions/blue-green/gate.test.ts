import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../actions/blue-green/src/decide.ts';
import type { Goal } from '../../../actions/blue-green/src/decide/goal.ts';
import type { Move } from '../../../actions/blue-green/src/decide/moves.ts';
import type { Seen } from '../../../actions/blue-green/src/decide/seen.ts';
import { planOf, stateOf } from '../../../actions/blue-green/src/plan.ts';
import { decideWatch } from '../../../actions/blue-green/src/decide/left-behind/watch.ts';
import { after, instant, minutes, seconds } from '../../../src/domain/duration.ts';
import { NOW, recordOf } from '../../domain/shift/records.ts';
import {
  type Scenario,
  type World,
  blueIsLive,
  goalOf,
  healthyRelease,
  policyOf,
  rehearse,
  withErrorRate,
} from './rehearsal.ts';

const policy = policyOf({
  steps: ['10%', { to: '50%', approve: 'approvers.yml', within: '8m' }, '100%'],
  bake: '2m',
  recheck: 'none',
});
const gates = policy.gates.map((gate) => ({ ...gate, who: '1 of user:alice, user:bob' }));
const goal = (more: Partial<Goal> = {}): Goal => goalOf({ policy, gates, ...more });
const YES = { kind: 'approved', says: '50 % approved by alice (https://example.com/12)' } as const;
const answered = (view: NonNullable<Scenario['answers']>['view'], later = minutes(3)): Scenario => ({
  ...healthyRelease,
  answers: { view, after: later },
});
const kindsOf = (moves: readonly Move[]): readonly string[] => moves.map(({ kind }) => kind);

describe('a step that waits for people', () => {
  test('keeps the traffic where it is, asks once, and goes on when it was approved', () => {
    const { outcome, weights, said, moves, world } = rehearse(goal(), blueIsLive(), answered(YES));
    expect(outcome).toMatchObject({ kind: 'promoted' });
    expect(weights.map(([, percent]) => percent)).toEqual([0, 10, 50, 100]);
    const [, ten = 0, fifty = 0] = weights.map(([second]) => second);
    expect(fifty - ten).toBeGreaterThanOrEqual(5 * 60);
    expect(kindsOf(moves).filter((kind) => kind === 'ask')).toHaveLength(1);
    expect(kindsOf(moves)).not.toContain('withdraw');
    expect(said).toContain('Waiting for approval of 50 %: https://example.com/12 asks alice, bob');
    expect(said).toContain('50 % approved by alice (https://example.com/12); Weight 10 -> 50, bake 2m');
    expect(world.record?.gate).toBeUndefined();
  });

  test('is judged all the while, and the lease is renewed', () => {
    const { moves } = rehearse(goal(), blueIsLive(), answered(YES, minutes(7)));
    const asked = moves.findIndex(({ kind }) => kind === 'ask');
    const next = moves.findIndex((each) => each.kind === 'weigh' && each.split.green === 50);
    const between = moves.slice(asked, next);
    expect(between.filter(({ kind }) => kind === 'measure').length).toBeGreaterThanOrEqual(27);
    expect(between.filter((each) => each.kind === 'record' && each.says === undefined).length).toBeGreaterThanOrEqual(
      10,
    );
  });

  test.each([
    { name: 'a denial', view: { kind: 'refused', why: 'denied by carol' }, why: '50 % was not approved: denied by carol' },
    { name: 'a fault', view: { kind: 'refused', why: 'the token ended' }, why: '50 % was not approved: the token ended' },
  ] as const)('goes back after $name, and the request is dealt with', ({ view, why }) => {
    const { outcome, weights, moves } = rehearse(goal(), blueIsLive(), answered(view));
    expect(outcome).toMatchObject({ kind: 'rolled-back', record: { reason: why, gate: undefined, approval: 'refused' } });
    expect(weights.map(([, percent]) => percent)).toEqual([0, 10, 0]);
    expect(kindsOf(moves).filter((kind) => kind === 'withdraw')).toHaveLength(1);
  }); // prettier-ignore

  test('goes back when nobody ever answers, soon after the time of the request', () => {
    const { outcome, weights } = rehearse(goal(), blueIsLive(), healthyRelease);
    expect(outcome).toMatchObject({ kind: 'rolled-back', record: { reason: '50 % was not approved in time' } });
    const [, ten = 0, back = 0] = weights.map(([second]) => second);
    expect(back - ten).toBeGreaterThan(10 * 60);
    expect(back - ten).toBeLessThan(12 * 60);
  });

  test('goes back at once when the release turns bad while people think, traffic before the request', () => {
    const bad = withErrorRate((percent, after) => (percent === 10 && after > 300 ? 0.3 : 0.002));
    const { outcome, moves } = rehearse(goal(), blueIsLive(), { ...bad, answers: { view: YES, after: minutes(7) } });
    expect(outcome).toMatchObject({
      kind: 'rolled-back',
      record: { reason: expect.stringContaining('error-rate'), approval: undefined },
    });
    const last = kindsOf(moves).filter((kind) => ['ask', 'restore', 'withdraw'].includes(kind));
    expect(last).toEqual(['ask', 'restore', 'withdraw']);
    expect(moves.find(({ kind }) => kind === 'withdraw')).toMatchObject({
      issue: 12,
      says: expect.stringContaining('rolled back (error-rate'),
    });
  });

  test('approved at the moment of a failure is rolled back', () => {
    const bad = withErrorRate((percent, after) => (percent === 10 && after > 170 ? 1 : 0.002));
    const { outcome, weights } = rehearse(goal(), blueIsLive(), { ...bad, answers: { view: YES, after: minutes(4) } });
    expect(outcome).toMatchObject({ kind: 'rolled-back' });
    expect(Math.max(...weights.map(([, percent]) => percent))).toBe(10);
  });
});

describe('a run that was killed while people think', () => {
  const killed = (): World => {
    const world = blueIsLive();
    const first = rehearse(goal(), world, healthyRelease);
    const at = first.moves.findIndex(({ kind }) => kind === 'ask') + 4;
    const again = blueIsLive();
    rehearse(goal(), again, healthyRelease, { killedAfter: at });
    expect(again.record).toMatchObject({ phase: 'judging', percent: 10, gate: { before: 50, issue: 12, asked: ['alice', 'bob'] } });
    again.now = after(again.record!.leaseUntil, seconds(1));
    return again;
  };

  test('is gone on with under the same request, of which the number stands in the record', () => {
    const { outcome, moves } = rehearse(goal({ me: { id: '101', attempt: 1 }, onStale: 'resume' }), killed(), answered(YES));
    expect(outcome).toMatchObject({ kind: 'promoted' });
    expect(moves.filter(({ kind }) => kind === 'ask')).toMatchObject([{ gate: { before: 50, issue: 12 } }]);
  });

  test('is taken back by the next one, which closes the request', () => {
    const { outcome, moves } = rehearse(goal({ me: { id: '101', attempt: 1 }, mode: 'rollback' }), killed(), healthyRelease);
    expect(outcome).toMatchObject({ kind: 'rolled-back' });
    expect(moves.filter(({ kind }) => kind === 'withdraw')).toMatchObject([{ issue: 12 }]);
  });

  test('is taken back when the policy of now does not ask any more', () => {
    const { outcome } = rehearse(goal({ me: { id: '101', attempt: 1 }, onStale: 'resume', gates: [] }), killed(), answered(YES));
    expect(outcome).toMatchObject({ kind: 'rolled-back', record: { reason: 'approval of 50 % is asked for, and the policy of now does not ask for it' } });
  });
}); // prettier-ignore

test('a request that would outlast the deadline of the policy ends with it', () => {
  const world = { ...blueIsLive(), now: after(NOW, minutes(24)) };
  const { moves } = rehearse(goal({ policy: { ...policy, deadline: minutes(10) } }), world, healthyRelease);
  const opened = moves.find((each) => each.kind === 'record' && each.record.gate !== undefined);
  expect(opened).toMatchObject({ record: { gate: { until: after(world.record!.begunAt, minutes(10)) } } });
});

describe('what people are told of it', () => {
  const gate = { before: 50, until: instant(NOW + 480_000), issue: 12, asked: ['alice', 'bob'] };

  test('the plan says who is asked and for how long', () => {
    const world = blueIsLive();
    const seen = { routes: [{ name: 'rule', live: world.live }], live: world.live, targets: { blue: { healthy: 3, total: 3, reasons: [] }, green: { healthy: 0, total: 0, reasons: [] } }, desired: { blue: 3, green: 0 }, scaling: world.scaling, kind: 'seen', record: undefined } as unknown as Seen;
    const plan = planOf(goal(), seen, NOW);
    expect(plan).toContain('green at 50 % after approval by 1 of user:alice, user:bob (approvers.yml), asked for 8m at most while the step before is judged on, judged for 2m');
    expect(plan.join()).toContain('waiting for people 8m at most, deadline 30m');
    expect(stateOf({ ...seen, record: recordOf({ gate }) }, NOW)).toContain('Approval: 50 % waits for it until 2026-11-20T12:08:00Z; request 12 asks alice, bob');
  }); // prettier-ignore

  test('the watch takes it for work, as long as the lease is fresh', () => {
    const watch = { run: { id: '100', attempt: 1 }, expectedShift: undefined, beginWithin: minutes(5), onStale: 'rollback' } as const;
    const look = (now: typeof NOW) => decideWatch(watch, { record: recordOf({ gate }), idleSince: NOW }, now);
    expect(look(NOW)).toMatchObject({ kind: 'wait', for: 'shift 100-1 of run 100/1 (judging, 10 %), which waits for approval of 50 %' });
    expect(look(after(NOW, seconds(91)))).toMatchObject({ outcome: { kind: 'stale', verdict: { kind: 'roll-back' } } });
  }); // prettier-ignore

  test('an unanswered look at the cloud waits, as in every phase', () => {
    expect(decide(goal(), { kind: 'unreachable', why: 'throttled', since: NOW }, NOW)).toMatchObject({ kind: 'wait' });
  });
});
