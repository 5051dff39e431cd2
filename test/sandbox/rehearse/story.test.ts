import { describe, expect, test } from '@jest/globals';
import { type StageStory, harmOf, markdownOf, tableOf, wordsOfHarm } from '../../../sandbox/rehearse/story.ts';

const T0 = Date.parse('2026-11-20T10:00:00Z');
const second = (offset: number, sent: number, failed: number, slow = 0) => ({
  at: T0 + offset * 1_000,
  sent,
  failed,
  slow,
});

const story = (change: Partial<StageStory> = {}): StageStory => ({
  stage: 'production',
  outcome: 'rolled-back',
  headline: 'error-rate 31.2 % > 5 % (n=412)',
  seconds: 41.25,
  users: [second(0, 60, 0), second(1, 60, 4), second(2, 60, 0), second(3, 60, 5), second(4, 60, 0)],
  conclusion: 'failure',
  ...change,
});

describe('harm to users', () => {
  test('runs from the first second with a failure to the end of the last one', () => {
    expect(harmOf(story().users)).toEqual({
      requests: 300,
      failed: 9,
      slow: 0,
      firstHarmAt: T0 + 1_000,
      lastHarmAt: T0 + 3_000,
      hurtFor: 3_000,
    });
  });

  test('is nothing without a failed request', () => {
    expect(harmOf([second(0, 60, 0)])).toEqual({ requests: 60, failed: 0, slow: 0, hurtFor: 0 });
  });
});

test('slow answers hurt, too', () => {
  expect(harmOf([second(0, 60, 0), second(1, 60, 0, 3)])).toMatchObject({ failed: 0, slow: 3, hurtFor: 1_000 });
});

describe('the words at the end', () => {
  test('say what was seen, when, and how long users were hurt', () => {
    const lines = wordsOfHarm(
      story({ detectedAt: '2026-11-20T10:00:02Z', restoredAt: '2026-11-20T10:00:04Z', rollbackSeconds: '1.9' }),
    );
    expect(lines).toEqual([
      'production: error-rate 31.2 % > 5 % (n=412)',
      'Seen at 2026-11-20T10:00:02Z, traffic back at 2026-11-20T10:00:04Z (1.9 s later).',
      'Users were hurt for 3s (10:00:01 to 10:00:03 UTC): 9 of 300 requests failed, 0 took longer than 1 s.',
    ]);
  });

  test('say that nobody was hurt only with the count of requests it was seen on', () => {
    expect(wordsOfHarm(story({ users: [second(0, 60, 0)] })).at(-1)).toBe(
      'No user request failed or took longer than 1 s (of 60).',
    );
  });
});

test('the table names every stage, also those that were not reached', () => {
  const table = tableOf([story(), story({ stage: 'later', outcome: 'not reached', seconds: 0, users: [] })]);
  expect(table.split('\n')).toEqual([
    'stage       outcome      seconds  user requests  failed user requests',
    'production  rolled-back     41.3            300                     9',
    'later       not reached      0.0              0                     0',
  ]);
});

test('the report holds the table, the words, a chart and what was changed for the sandbox', () => {
  const report = markdownOf({ title: 'Rehearsal', stories: [story()], changed: ['policy.yml bake: 5m -> 15s'] });
  expect(report).toContain('| production | rolled-back | 41.3 | 300 | 9 |');
  expect(report).toContain('bar [0, 4, 0, 5, 0]');
  expect(report).toContain('- policy.yml bake: 5m -> 15s');
});
