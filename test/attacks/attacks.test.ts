import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Attack, YES } from './attack.ts';
import { HISTORY_ATTACKS } from './cases-history.ts';
import { PEOPLE_ATTACKS } from './cases-people.ts';
import { RULE_ATTACKS } from './cases-rules.ts';
import { WORD_ATTACKS } from './cases-words.ts';
import type { SandboxGitHub } from '../../sandbox/github/front.ts';
import { type Played, play, playIn, startScene } from './scene.ts';

const seen: { readonly attack: Attack; readonly outcome: string }[] = [];

const said = ({ words, comments }: Played): string => `${words}\n${comments.map(({ body }) => body).join('\n')}`;

function judge(attack: Attack, played: Played): void {
  seen.push({ attack, outcome: played.outcome });
  expect({ outcome: played.outcome, words: said(played) }).toEqual({
    outcome: attack.expected,
    words: expect.stringMatching(attack.because ?? /.*/),
  });
}
const named = (attacks: readonly Attack[]) => attacks.map((attack) => [attack.name, attack] as const);

describe.each<[string, readonly Attack[]]>([
  ['who votes', PEOPLE_ATTACKS],
  ['what becomes of votes and of the request', HISTORY_ATTACKS],
  ['groups, checks, emergencies, windows, the API', RULE_ATTACKS],
])('%s', (_title, attacks) => {
  test.each(named(attacks))('%s', async (_name, attack) => judge(attack, await play(attack)));
});

describe('what is said', () => {
  let github: SandboxGitHub;
  beforeAll(async () => {
    github = await startScene();
  });
  afterAll(async () => github.close());
  test.each(named(WORD_ATTACKS))('%s', async (_name, attack) => judge(attack, await playIn(github, attack)));
});

afterAll(() => {
  const isYes = (outcome: string): boolean => YES.some((yes) => yes === outcome);
  const admitted = seen.filter(({ attack, outcome }) => isYes(outcome) && !isYes(attack.expected)).length;
  const refused = seen.filter(({ attack, outcome }) => !isYes(outcome) && isYes(attack.expected)).length;
  process.stdout.write(
    `Attacks on the gate: ${seen.length} attempts, admitted ${admitted}, wrongly refused ${refused}\n`,
  );
});

test('there are at least sixty of them, each with a name of its own', () => {
  const names = [...PEOPLE_ATTACKS, ...WORD_ATTACKS, ...HISTORY_ATTACKS, ...RULE_ATTACKS].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(60);
});
