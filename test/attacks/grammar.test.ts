import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readVote } from '../../src/domain/approval/vote.ts';

/** Pieces of which near misses are made: the words, what stands around words, what hides them, and what looks like them. */
const PIECES = [
  ...['approve', 'approved', 'lgtm', 'yes', 'deny', 'no', 'revoke', 'Approve', 'APPROVE', 'disapprove', 'not', 'ok'],
  ...[
    '/override',
    '/override 0a1b2c payments are down since noon',
    '0a1b2c',
    'ffffff',
    'payments are down since noon',
    '@alice',
    ':+1:',
    '👍',
    'аpprove',
    'ａｐｐｒｏｖｅ',
    'yeſ',
  ],
  ...[' ', '  ', '    ', '\t', '\n', '\n\n', '\r\n', '\u00a0', '\u200b', '\u202e', '\u2028', '\ufeff', '\u0000'],
  ...[
    '>',
    '> ',
    '```',
    '````',
    '~~~',
    '`',
    '<!--',
    '-->',
    '<!-->',
    '<details>',
    '</details>',
    '~~',
    '**',
    '*',
    '_',
    '__',
  ],
  ...['.', '!', '?', ',', ';', '-', '- ', '1. ', '# ', '|', '[', '](x)', '(', ')', '"', "'", '\\', '&lt;', '- [x] '],
];
const nearMiss = fc.array(fc.constantFrom(...PIECES), { maxLength: 9 }).map((parts) => parts.join(''));

/** What a reader of the page must find when a comment counts as yes: written apart from the code, by shape alone. */
function saysYesPlainly(body: string): boolean {
  const lines = body
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .split(/\r\n|\r|\n/);
  return lines.some((line, index) => {
    const shown = line.trim();
    const bare = shown.replace(/^(\*{1,3}|_{1,3})(.*?)\1?([.!]*)$/, '$2').replace(/[.!*_]+$/, '');
    const yes = /^(?:approved?|lgtm|yes)(?:[ \t]+[0-9a-f]{6})?$/i.test(bare);
    const override = /^\/override[ \t]+[0-9a-f]{6}[ \t]+\S.{18,}\S$/i.test(shown);
    const before = lines.slice(0, index).join('\n');
    // Whatever stands above must be something that the page shows as not the author's own words.
    return (yes || override) && !/^[ \t]{4}|^\t/.test(line) && onlyQuotedOrHidden(before);
  });
}

const onlyQuotedOrHidden = (text: string): boolean =>
  text === '' ||
  /^\s*(?:$|>|```|~~~|<!--|-->)/m.test(text) ||
  /```|~~~|<!--|-->/.test(text) ||
  /^(?: {4}|\t)/m.test(text);

test('no text outside of the grammar ever approves', () => {
  fc.assert(
    fc.property(nearMiss, (body) => {
      const { kind } = readVote(body);
      expect((kind !== 'approve' && kind !== 'override') || saysYesPlainly(body)).toBe(true);
    }),
    { numRuns: 60_000, seed: 7 },
  );
});

test('the near misses are near: some of them are votes', () => {
  const kinds = fc.sample(nearMiss, { numRuns: 60_000, seed: 7 }).map((body) => readVote(body).kind);
  expect(new Set(kinds)).toEqual(new Set(['none', 'approve', 'deny', 'revoke', 'override']));
});

test('nothing that is put around or into the word makes a yes out of a no', () => {
  const words = fc.constantFrom(
    'do not approve',
    'disapprove',
    'approve?',
    'never',
    'deny approve',
    'un-approve',
    'approvex',
  );
  const around = fc.constantFrom(...PIECES.filter((piece) => !/[\p{L}\p{N}\n\r]/u.test(piece)));
  fc.assert(
    fc.property(fc.array(around, { maxLength: 3 }), words, fc.array(around, { maxLength: 3 }), (left, word, right) => {
      expect(readVote(`${left.join('')}${word}${right.join('')}`).kind).not.toBe('approve');
    }),
    { numRuns: 20_000 },
  );
});

test('a quoted, fenced or hidden comment says nothing, whatever it holds', () => {
  const harmless = nearMiss.filter((body) => !/[`~]{3}|-->|<!--/.test(body));
  fc.assert(
    fc.property(harmless, (body) => {
      const lines = body.split(/\r\n|\r|\n/);
      expect(readVote(lines.map((line) => `> ${line}`).join('\n')).kind).toBe('none');
      expect(readVote(`\`\`\`\n${body}\n\`\`\``).kind).toBe('none');
      expect(readVote(`<!--\n${body}\n-->`).kind).toBe('none');
    }),
    { numRuns: 20_000 },
  );
});

test('a comment of any length is read in a moment', () => {
  const started = performance.now();
  for (const piece of PIECES) readVote(piece.repeat(65_536));
  expect(performance.now() - started).toBeLessThan(5_000);
});
