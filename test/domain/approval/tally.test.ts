import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Ballot, type Comment, tally } from '../../../src/domain/approval/tally.ts';
import { instant } from '../../../src/domain/duration.ts';

const alice = { id: 1, login: 'alice' };
const bob = { id: 2, login: 'bob' };
const carol = { id: 3, login: 'carol' };
const ballot = (change: Partial<Ballot> = {}): Ballot => ({
  eligible: [alice, bob, carol],
  minimum: 2,
  openedAfter: 100,
  own: new Set(),
  ...change,
});

let next = 101;
const says = (person: { id: number; login: string }, body: string, change: Partial<Comment> = {}): Comment => ({
  id: next++,
  authorId: person.id,
  authorLogin: person.login,
  authorIsBot: false,
  viaApp: false,
  body,
  createdAt: instant(1_000),
  updatedAt: instant(1_000),
  ...change,
});

describe('who gets in', () => {
  test.each<[string, Partial<Ballot>, Comment[], string]>([
    ['two of three', {}, [says(alice, 'approve'), says(bob, 'approve')], 'approved'],
    [
      'a vote above talk of others',
      {},
      [says(carol, 'looking at it'), says(alice, 'approve'), says(bob, 'lgtm')],
      'approved',
    ],
    ['the right code', { code: '0a1b2c' }, [says(alice, 'approve 0a1b2c'), says(bob, 'approve 0A1B2C')], 'approved'],
    [
      'deny, then approve by the same person',
      {},
      [says(alice, 'deny'), says(bob, 'approve'), says(alice, 'approve')],
      'approved',
    ],
  ])('%s', (_name, change, comments, verdict) => {
    expect(tally(ballot(change), comments).verdict).toBe(verdict);
  });
});

describe('who does not get in', () => {
  test.each<[string, Partial<Ballot>, Comment[], string]>([
    ['nobody', {}, [], 'pending'],
    ['one of two', {}, [says(alice, 'approve')], 'pending'],
    ['the same person twice', {}, [says(alice, 'approve'), says(alice, 'approve')], 'pending'],
    [
      'the same person under another login',
      {},
      [says(alice, 'approve'), says({ id: 1, login: 'Alice2' }, 'approve')],
      'pending',
    ],
    [
      'another person under a known login',
      {},
      [says(alice, 'approve'), says({ id: 9, login: 'bob' }, 'approve')],
      'pending',
    ],
    ['a stranger', {}, [says(alice, 'approve'), says({ id: 9, login: 'mallory' }, 'approve')], 'pending'],
    ['an edited comment', {}, [says(alice, 'approve'), says(bob, 'approve', { updatedAt: instant(2_000) })], 'pending'],
    ['a bot', {}, [says(alice, 'approve'), says(bob, 'approve', { authorIsBot: true })], 'pending'],
    ['an app in the name of a person', {}, [says(alice, 'approve'), says(bob, 'approve', { viaApp: true })], 'pending'],
    ['a comment older than the request', {}, [says(alice, 'approve'), says(bob, 'approve', { id: 100 })], 'pending'],
    [
      'the own comment of the gate',
      { own: new Set([5_000]) },
      [says(alice, 'approve'), says(bob, 'approve', { id: 5_000 })],
      'pending',
    ],
    ['approve, then revoke', {}, [says(alice, 'approve'), says(bob, 'approve'), says(alice, 'revoke')], 'pending'],
    ['approve, then deny', {}, [says(alice, 'approve'), says(alice, 'deny'), says(bob, 'approve')], 'denied'],
    ['one denial against the rest', {}, [says(alice, 'approve'), says(bob, 'approve'), says(carol, 'deny')], 'denied'],
    ['a missing code', { code: '0a1b2c' }, [says(alice, 'approve'), says(bob, 'approve 0a1b2c')], 'pending'],
    ['a wrong code', { code: '0a1b2c' }, [says(alice, 'approve ffffff'), says(bob, 'approve 0a1b2c')], 'pending'],
    ['a code where none was asked for', {}, [says(alice, 'approve 0a1b2c'), says(bob, 'approve')], 'pending'],
    ['a minimum of nobody', { minimum: 0 }, [], 'pending'],
    ['a minimum of nobody among nobody', { minimum: 0, eligible: [] }, [says(alice, 'approve')], 'pending'],
  ])('%s', (_name, change, comments, verdict) => {
    expect(tally(ballot(change), comments).verdict).toBe(verdict);
  });
});

test('the order in which pages arrive does not matter', () => {
  const comments = [
    says(alice, 'approve'),
    says(alice, 'deny'),
    says(bob, 'approve'),
    says(carol, 'approve'),
    says(alice, 'approve'),
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray(comments, { minLength: comments.length }), (shuffled) => {
      expect(tally(ballot(), shuffled)).toEqual(tally(ballot(), comments));
    }),
  );
});

test('each void vote is named with its reason, and talk of strangers is not', () => {
  const comments = [
    says(alice, 'sure, why not'),
    says({ id: 9, login: 'mallory' }, 'nice'),
    says({ id: 9, login: 'mallory' }, 'approve'),
  ];
  expect(tally(ballot(), comments).void.map(({ comment, reason }) => [comment.authorLogin, reason])).toEqual([
    ['alice', 'not-understood'],
    ['mallory', 'not-eligible'],
  ]);
});

test('says how many persons are missing', () => {
  expect(tally(ballot({ minimum: 3 }), [says(alice, 'approve')]).missing).toBe(2);
});
