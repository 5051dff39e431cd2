import { describe, expect, test } from '@jest/globals';
import { type Observation, type Rules, decide, pollEvery, statusOf } from '../../../src/domain/approval/decide.ts';
import { type Comment, tally } from '../../../src/domain/approval/tally.ts';
import { hours, instant, minutes, seconds } from '../../../src/domain/duration.ts';

const at = (second: number) => instant(1_000_000 + second * 1_000);
const alice = { id: 1, login: 'alice' };
const bob = { id: 2, login: 'bob' };
const mallory = { id: 9, login: 'mallory' };
const rules: Rules = {
  ballot: { eligible: [alice, bob], minimum: 2, openedAfter: 0, own: new Set() },
  openedAt: at(0),
  deadline: at(3_600),
  settle: seconds(5),
  environment: 'production',
  schedule: { windows: [], freezes: [] },
  outside: 'wait',
  jitter: 0,
};
const says = (id: number, person: { id: number; login: string }, body: string): Comment => ({
  id,
  authorId: person.id,
  authorLogin: person.login,
  authorIsBot: false,
  viaApp: false,
  body,
  createdAt: at(0),
  updatedAt: at(0),
});
type Seen = Extract<Observation, { kind: 'seen' }>;
const seen = (comments: Comment[], change: Partial<Seen> = {}): Seen => ({
  kind: 'seen',
  closedBy: undefined,
  comments,
  hinted: new Set(),
  shown: statusOf(tally(rules.ballot, comments)),
  verdictSince: undefined,
  ...change,
});
const both = [says(1, alice, 'approve'), says(2, bob, 'approve')];
const settled = (verdict: 'approved' | 'denied' | 'overridden', confirmed?: number) => ({
  verdict,
  at: at(0),
  confirmedAt: confirmed === undefined ? undefined : at(confirmed),
});

describe('while votes are missing', () => {
  test('waits for as many approvals as are missing, until the deadline', () => {
    expect(decide(rules, seen([]), at(10))).toEqual({
      kind: 'wait',
      for: '2 more approvals',
      every: seconds(2),
      until: rules.deadline,
    });
    expect(decide(rules, seen([says(1, alice, 'approve')]), at(10))).toMatchObject({ for: '1 more approval' });
  });

  test('shows a new vote in the request', () => {
    expect(decide(rules, seen([says(1, alice, 'approve')], { shown: '' }), at(10))).toMatchObject({
      kind: 'move',
      move: { kind: 'show' },
    });
  });

  test('explains a misread comment once', () => {
    const comments = [says(3, alice, 'sounds good')];
    expect(decide(rules, seen(comments), at(10))).toMatchObject({ move: { kind: 'hint', reason: 'not-understood' } });
    expect(decide(rules, seen(comments, { hinted: new Set([3]) }), at(10))).toMatchObject({ kind: 'wait' });
  });

  test('stops explaining after twenty hints', () => {
    const hinted = new Set(Array.from({ length: 20 }, (_, index) => index + 100));
    expect(decide(rules, seen([says(3, alice, 'sounds good')], { hinted }), at(10))).toMatchObject({ kind: 'wait' });
  });

  test('expires at the deadline and says how many were missing', () => {
    expect(decide(rules, seen([says(1, alice, 'approve')]), rules.deadline)).toEqual({
      kind: 'done',
      outcome: { kind: 'expired', missing: 1, lacking: [] },
    });
  });
});

describe('a verdict', () => {
  test('first settles', () => {
    expect(decide(rules, seen(both), at(10))).toMatchObject({ kind: 'wait', for: 'the verdict to settle (approved)' });
    expect(decide(rules, seen(both, { verdictSince: settled('approved') }), at(4))).toMatchObject({
      kind: 'wait',
    });
  });

  test('then all that it rests on is read again', () => {
    expect(decide(rules, seen(both, { verdictSince: settled('approved') }), at(5))).toMatchObject({
      kind: 'move',
      move: { kind: 'confirm' },
    });
  });

  test('that was confirmed more than a minute ago is confirmed again', () => {
    expect(decide(rules, seen(both, { verdictSince: settled('approved', 5) }), at(66))).toMatchObject({
      move: { kind: 'confirm' },
    });
  });

  test('then it is final', () => {
    const decision = decide(rules, seen(both, { verdictSince: settled('approved', 5) }), at(5));
    expect(decision).toMatchObject({
      kind: 'done',
      outcome: { kind: 'approved', by: [{ person: alice }, { person: bob }] },
    });
  });

  test('that changed while it settled settles anew', () => {
    const comments = [...both, says(3, alice, 'deny')];
    expect(decide(rules, seen(comments, { verdictSince: settled('approved', 5) }), at(60))).toMatchObject({
      kind: 'wait',
      for: 'the verdict to settle (denied)',
    });
    expect(decide(rules, seen(comments, { verdictSince: settled('denied', 5) }), at(60))).toEqual({
      kind: 'done',
      outcome: { kind: 'denied', by: alice },
    });
  });
});

describe('a closed request', () => {
  test.each([
    ['by an approver is a denial', alice, { kind: 'done', outcome: { kind: 'denied', by: alice } }],
    [
      'by a stranger is opened again',
      mallory,
      { kind: 'move', move: { kind: 'reopen', because: 'closed by mallory, who cannot vote' } },
    ],
    [
      'by nobody knows whom is opened again',
      'unknown',
      { kind: 'move', move: { kind: 'reopen', because: 'closed by somebody unknown, who cannot vote' } },
    ],
  ] as const)('%s', (_name, closedBy, decision) => {
    expect(decide(rules, seen(both, { closedBy, verdictSince: settled('approved', 5) }), at(60))).toEqual(decision);
  });
});

describe('an API that does not answer', () => {
  const blind: Observation = { kind: 'unreachable', why: 'GitHub answered 502.', retryAfter: undefined };

  test('is waited for, and as long as the server asks', () => {
    expect(decide(rules, blind, at(10))).toMatchObject({ kind: 'wait', every: seconds(2), until: rules.deadline });
    expect(decide(rules, { ...blind, retryAfter: seconds(90) }, at(10))).toMatchObject({ every: seconds(90) });
  });

  test('at the deadline is an error, neither approval nor denial', () => {
    expect(decide(rules, blind, rules.deadline)).toEqual({
      kind: 'done',
      outcome: { kind: 'error', why: 'GitHub answered 502.' },
    });
  });
});

test.each([
  ['people are looking', minutes(1), seconds(2)],
  ['a quarter of an hour', minutes(10), seconds(15)],
  ['hours', hours(3), seconds(40)],
])('polls ever more slowly: %s', (_name, waited, every) => {
  expect(pollEvery(waited, 0)).toBe(every);
  expect(pollEvery(waited, 1)).toBe(every * 1.2);
  expect(pollEvery(waited, -1)).toBe(every * 0.8);
});
