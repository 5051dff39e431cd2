/**
 * What one comment says to the gate. The grammar is closed: a comment is a vote only when its first line, quotes and
 * code taken out, is one of the words and nothing else. Whatever is not understood is `none`, never a vote.
 */
export type Vote =
  | { readonly kind: 'approve'; readonly code?: string }
  | { readonly kind: 'deny' }
  | { readonly kind: 'revoke' }
  | { readonly kind: 'none' };

const APPROVE = new Set(['approve', 'approved', 'lgtm', 'yes']);
const DENY = new Set(['deny', 'denied', 'reject', 'rejected', 'no']);
const REVOKE = new Set(['revoke', 'revoked', 'withdraw']);

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
/** Long comments are talk; a vote fits into a few words. Bounding the text bounds the work, too. */
const LONGEST_READ = 65_536;
const LONGEST_COMMAND = 64;

export function readVote(body: string): Vote {
  const line = firstSpokenLine(plain(body.slice(0, LONGEST_READ)));
  if (line === undefined || line.length > LONGEST_COMMAND) return { kind: 'none' };
  const words = undecorated(line)
    .toLowerCase()
    .split(/[ \t]+/);
  const [word = '', code, ...rest] = words;
  if (rest.length > 0) return { kind: 'none' };
  if (code !== undefined)
    return APPROVE.has(word) && /^[0-9a-f]{6}$/.test(code) ? { kind: 'approve', code } : { kind: 'none' };
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

/** The first line that the author says himself: outside code fences, quotes, indented code and HTML comments. */
function firstSpokenLine(text: string): string | undefined {
  let fence: string | undefined;
  for (const line of withoutHtmlComments(text).split('\n')) {
    const mark = FENCE.exec(line)?.[1];
    if (fence !== undefined) {
      if (mark !== undefined && mark.startsWith(fence) && line.trim() === mark) fence = undefined;
      continue;
    }
    if (mark !== undefined) {
      fence = mark;
      continue;
    }
    if (line.trim() === '' || /^ {0,3}>/.test(line) || /^(?: {4}|\t)/.test(line)) continue;
    return line.trim();
  }
  return undefined;
}

/** An HTML comment that is never closed hides everything behind it, as it does on the page. */
function withoutHtmlComments(text: string): string {
  let rest = text;
  let kept = '';
  for (;;) {
    const start = rest.indexOf('<!--');
    if (start < 0) return kept + rest;
    kept += rest.slice(0, start);
    const end = rest.indexOf('-->', start + 4);
    if (end < 0) return kept;
    rest = rest.slice(end + 3);
  }
}

/** `**Approve!**` is meant as `approve`; a question mark is not decoration. */
function undecorated(line: string): string {
  return line.replace(/^[\s*_~]+/, '').replace(/[\s*_~.!]+$/, '');
}
