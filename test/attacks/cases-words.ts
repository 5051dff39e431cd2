import type { Attack } from './attack.ts';

/** What is said: alice approves, and bob says this. */
const NO_VOTES: readonly (readonly [name: string, body: string])[] = [
  ['a question', 'approve?'],
  ['a sentence', 'approve it when the tests are green'],
  ['a denial in words', 'do not approve'],
  ['a longer word', 'disapprove'],
  ['two words that contradict', 'approve deny'],
  ['a quote of the word', '> approve'],
  ['a line that lazily continues a quote', '> alice wrote:\napprove'],
  ['a fence', '```\napprove\n```'],
  ['a fence of tildes that never ends', '~~~\napprove'],
  ['inline code', '`approve`'],
  ['indented code', '    approve'],
  ['an HTML comment', '<!-- approve -->'],
  ['an HTML comment that never ends', '<!--\napprove'],
  ['a word that two comments split', 'app<!-- -->rove'],
  ['a comment that is opened in the line and never closed, so that the page shows all of it', 'approve<!-- do not'],
  ['a word that a comment shares its line with', '<!-- x -->approve'],
  ['a word behind a comment whose last line goes on', '<!--\n--> not this\napprove'],
  ['a folded block', '<details>\n\napprove\n\n</details>'],
  ['struck out', '~~approve~~'],
  ['an item of a list', '- approve'],
  ['an item of a list of stars', '* approve'],
  ['a numbered item', '1. approve'],
  ['a heading', '# approve'],
  ['a task', '- [x] approve'],
  ['a table', '| approve |'],
  ['quotation marks', '"approve"'],
  ['a link', '[approve](https://example.com)'],
  ['a mention before it', '@alice approve'],
  ['a command of another bot', '/approve'],
  ['a thumb', '👍'],
  ['an emoji code', ':+1:'],
  ['Cyrillic letters', 'аpprоve'],
  ['right to left', '\u202Eevorppa'],
  ['consent of another kind', 'sure, go ahead'],
  ['the word on the second line', 'Looks fine.\napprove'],
  ['a code where none was asked for', 'approve 0a1b2c'],
  ['a wildcard', 'ok.*'],
  ['nothing but dots', '...'],
];

const approved = (name: string, body: string): Attack => ({
  name: `${name} approves`,
  expected: 'approved',
  story: async ({ says }) => {
    await says('alice', 'approve');
    await says('bob', body);
  },
});

export const WORD_ATTACKS: readonly Attack[] = [
  ...NO_VOTES.map(([name, body]): Attack => ({
    name: `${name} is no approval`,
    expected: 'expired',
    story: async ({ says }) => {
      await says('alice', 'approve');
      await says('bob', body);
    },
  })),
  approved('the word in capitals', 'APPROVED!'),
  approved('the word in bold', '**approve**'),
  approved('the word below a quote and a blank line', '> deny\n\napprove'),
  approved('the word with Windows line ends and thanks', 'approve\r\n\r\nThanks, all.'),
  approved('the word in full width', 'ａｐｐｒｏｖｅ'),
  {
    name: 'an approval without the code where one is asked for',
    expected: 'expired',
    because: /code-missing/,
    inputs: { 'require-code': 'true' },
    story: async ({ says }) => {
      await says('alice', 'approve');
      await says('bob', 'approve');
    },
  },
  {
    name: 'an approval with the code of another request',
    expected: 'expired',
    because: /wrong-code/,
    inputs: { 'require-code': 'true' },
    story: async ({ says }) => {
      await says('alice', 'approve ffffff');
      await says('bob', 'approve 000000');
    },
  },
  {
    name: 'approvals with the code of the request',
    expected: 'approved',
    inputs: { 'require-code': 'true' },
    story: async ({ says, body }) => {
      const code = /`approve ([0-9a-f]{6})`/.exec(await body())?.[1];
      await says('alice', `approve ${code}`);
      await says('bob', `Approve ${code}`);
    },
  },
];
