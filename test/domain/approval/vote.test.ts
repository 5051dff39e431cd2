import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readVote } from '../../../src/domain/approval/vote.ts';

describe('a comment that is a vote', () => {
  test.each([
    ['the bare word', 'approve', { kind: 'approve' }],
    ['capitals', 'Approved', { kind: 'approve' }],
    ['an exclamation mark', 'LGTM!', { kind: 'approve' }],
    ['bold', '**approve**', { kind: 'approve' }],
    ['leading blank', ' approve', { kind: 'approve' }],
    ['Windows line ends', 'approve\r\n\r\nthanks', { kind: 'approve' }],
    ['full-width letters', 'ａｐｐｒｏｖｅ', { kind: 'approve' }],
    ['a zero-width mark inside', 'app\u200Brove', { kind: 'approve' }],
    ['a quote above it', '> deny\n\napprove', { kind: 'approve' }],
    ['a code of six hex digits', 'approve 0a1b2c', { kind: 'approve', code: '0a1b2c' }],
    ['a denial', 'deny', { kind: 'deny' }],
    ['a denial in a word of its own', 'No.', { kind: 'deny' }],
    ['taking it back', 'revoke', { kind: 'revoke' }],
  ])('%s', (_name, body, vote) => {
    expect(readVote(body)).toEqual(vote);
  });
});

describe('a comment that is no vote', () => {
  test.each([
    ['nothing', ''],
    ['a sentence that begins with the word', 'approve this later'],
    ['a denial in words', 'do not approve'],
    ['a longer word', 'disapproved'],
    ['a question', 'approve?'],
    ['only a quote', '> approve'],
    ['only a code fence', '```\napprove\n```'],
    ['a fence that is never closed', '```\napprove'],
    ['a fence closed by a shorter one', '````\n```\napprove'],
    ['indented code', '    approve'],
    ['an HTML comment', '<!-- x -->\n<!--\napprove\n-->'],
    ['an HTML comment that is never closed', '<!-- \napprove'],
    ['a Cyrillic letter', 'аpprove'],
    ['a word behind other text', 'I think so\napprove'],
    ['a code that is not hex', 'approve zzzzzz'],
    ['a code of the wrong length', 'approve 0a1b2'],
    ['two codes', 'approve 0a1b2c 0a1b2c'],
    ['a denial with a code', 'deny 0a1b2c'],
    ['a digit', '1'],
    ['a thumbs-up', '+1'],
    ['dots', '...'],
    ['a link text', '[approve](http://x)'],
    ['a heading', '# approve'],
    ['a list entry', '- approve'],
  ])('%s', (_name, body) => {
    expect(readVote(body)).toEqual({ kind: 'none' });
  });
});

test('text whose letters are not those of a word never approves', () => {
  const words = ['approve', 'approved', 'lgtm', 'yes'];
  const outside = fc.string({ unit: 'grapheme' }).filter((body) => {
    const letters = body
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]/gu, '');
    return !words.some((word) => letters.startsWith(word));
  });
  fc.assert(
    fc.property(outside, (body) => readVote(body).kind !== 'approve'),
    { numRuns: 2_000 },
  );
});
