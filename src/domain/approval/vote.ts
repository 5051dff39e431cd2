/**
 * What one comment says to the gate. The grammar is closed: a comment is a vote only when its first line, quotes and
 * code taken out, is one of the words and nothing else. Whatever is not understood is `none`, never a vote.
 */
export type Vote =
  | { readonly kind: 'approve'; readonly code?: string }
  | { readonly kind: 'deny' }
  | { readonly kind: 'revoke' }
  /** An emergency: `/override 0a1b2c reason`. It is worth something only from a named override approver. */
  | { readonly kind: 'override'; readonly code: string; readonly reason: string }
  | { readonly kind: 'none' };

const APPROVE = new Set(['approve', 'approved', 'lgtm', 'yes']);
const DENY = new Set(['deny', 'denied', 'reject', 'rejected', 'no']);
const REVOKE = new Set(['revoke', 'revoked', 'withdraw']);

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
/**
 * One word, perhaps a code, perhaps bold or italic as a whole, perhaps `.` or `!` behind it. A question mark is a
 * question, a leading bullet makes it an item of a list, and `~~approve~~` is struck out: none of them is a vote.
 */
const COMMAND = /^(\*{1,3}|_{1,3}|)([a-z]+)(?:[ \t]+([0-9a-f]{6}))?[.!]{0,3}\1[.!]{0,3}$/;
const OVERRIDE = /^\/override[ \t]+([0-9a-f]{6})[ \t]+(\S.*)$/i;
/** Long comments are talk; a vote fits into a few words. Bounding the text bounds the work, too. */
const LONGEST_READ = 65_536;
const LONGEST_COMMAND = 64;
const LONGEST_OVERRIDE = 1_000;
/** A reason that says nothing is none: `hotfix` is not, `payments are down since 14:05` is. */
export const SHORTEST_REASON = 20;

export function readVote(body: string): Vote {
  const line = firstSpokenLine(plain(body.slice(0, LONGEST_READ)));
  if (line === undefined || line.length > LONGEST_OVERRIDE) return { kind: 'none' };
  const [, overrideCode, reason] = OVERRIDE.exec(line) ?? [];
  if (overrideCode !== undefined && reason !== undefined) {
    return reason.length < SHORTEST_REASON
      ? { kind: 'none' }
      : { kind: 'override', code: overrideCode.toLowerCase(), reason };
  }
  if (line.length > LONGEST_COMMAND) return { kind: 'none' };
  const [, , word = '', code] = COMMAND.exec(line.toLowerCase()) ?? [];
  if (code !== undefined) return APPROVE.has(word) ? { kind: 'approve', code } : { kind: 'none' };
  if (APPROVE.has(word)) return { kind: 'approve' };
  if (DENY.has(word)) return { kind: 'deny' };
  if (REVOKE.has(word)) return { kind: 'revoke' };
  return { kind: 'none' };
}

/** Full-width letters become ASCII (NFKC); zero-width and direction marks go: what a reader cannot see must not count. */
const plain = (body: string): string =>
  body
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/\r\n?/g, '\n');

/**
 * The first line that the author says himself: outside code fences, quotes, indented code and HTML comments. A comment
 * hides whole lines (CommonMark 4.6, kind 2); within a line it is text, as it is on the page when it is never closed,
 * and makes the line something else than a command.
 */
function firstSpokenLine(text: string): string | undefined {
  let hidden: 'no' | 'quote' | 'comment' | { readonly fence: string } = 'no';
  for (const line of text.split('\n')) {
    if (hidden === 'comment') {
      if (!line.includes('-->')) continue;
      hidden = 'no';
      if (!/-->\s*$/.test(line)) return line.trim();
      continue;
    }
    const mark = FENCE.exec(line)?.[1];
    if (typeof hidden === 'object') {
      if (mark?.startsWith(hidden.fence) === true && line.trim() === mark) hidden = 'no';
      continue;
    }
    if (line.trim() === '') {
      hidden = 'no';
    } else if (mark !== undefined) {
      hidden = { fence: mark };
    } else if (/^ {0,3}>/.test(line)) {
      hidden = 'quote';
    } else if (/^ {0,3}<!--/.test(line)) {
      hidden = line.includes('-->') ? 'no' : 'comment';
      if (hidden === 'no' && !/-->\s*$/.test(line)) return line.trim();
      // A line right below a quote still belongs to it on the page (CommonMark 5.1, laziness).
    } else if (hidden !== 'quote' && !/^(?: {4}|\t)/.test(line)) {
      return line.trim();
    }
  }
  return undefined;
}
