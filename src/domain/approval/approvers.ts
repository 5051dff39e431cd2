import type { FieldResult } from '../inputs.ts';

/** One entry of `approvers`, as written. Entries are typed, because a team's slug may be the login of a stranger. */
export type ApproverEntry =
  | { readonly kind: 'user'; readonly login: string }
  | { readonly kind: 'team'; readonly org: string; readonly slug: string };

const LOGIN = /^[a-z\d](?:[a-z\d]|-(?=[a-z\d])){0,38}(?:_[a-z\d]+)?$/i;
const TEAM = /^([a-z\d](?:[a-z\d-]*[a-z\d])?)\/([a-z\d](?:[\w.-]*[\w])?)$/i;
export const ACCEPTED_APPROVERS = 'user:LOGIN or team:ORG/SLUG, one a line';
/** For editors: what an entry looks like at least. */
export const APPROVER_SHAPE = /user:[A-Za-z\d][\w-]*|team:[A-Za-z\d][A-Za-z\d-]*\/[A-Za-z\d][\w.-]*/;

export const entryText = (entry: ApproverEntry): string =>
  entry.kind === 'user' ? `user:${entry.login}` : `team:${entry.org}/${entry.slug}`;

/** Reads `user:alice` and `team:acme/security` entries; anything untyped is refused, for a guess would admit strangers. */
export function readApprovers(entries: readonly string[]): FieldResult<readonly ApproverEntry[]> {
  const approvers: ApproverEntry[] = [];
  for (const entry of entries) {
    const read = readEntry(entry);
    if (read === undefined) {
      const nearest = LOGIN.test(entry) ? `user:${entry}` : TEAM.test(entry) ? `team:${entry}` : undefined;
      return {
        ok: false,
        problem: `has the entry ${JSON.stringify(entry)}, which is not an approver`,
        accepted: ACCEPTED_APPROVERS,
        ...(nearest ? { nearest } : {}),
      };
    }
    approvers.push(read);
  }
  if (approvers.length === 0) return { ok: false, problem: 'names nobody', accepted: ACCEPTED_APPROVERS };
  return { ok: true, value: approvers };
}

function readEntry(entry: string): ApproverEntry | undefined {
  const [kind, name = ''] = entry.split(/:(.*)/s);
  if (kind === 'user') return LOGIN.test(name) ? { kind: 'user', login: name } : undefined;
  const [, org, slug] = TEAM.exec(name) ?? [];
  return kind === 'team' && org !== undefined && slug !== undefined ? { kind: 'team', org, slug } : undefined;
}
