import type { FieldResult } from '../inputs.ts';

/** One entry of `approvers`, as written. Entries are typed, because a team's slug may be the login of a stranger. */
export type ApproverEntry = { readonly kind: 'user'; readonly login: string };

const LOGIN = /^[a-z\d](?:[a-z\d]|-(?=[a-z\d])){0,38}$/i;

/** Reads `user:alice` entries. Teams are refused by name: this version does not resolve them, and a guess would admit strangers. */
export function readApprovers(entries: readonly string[]): FieldResult<readonly ApproverEntry[]> {
  const approvers: ApproverEntry[] = [];
  for (const entry of entries) {
    const [kind, name = ''] = entry.split(/:(.*)/s);
    if (kind === 'team')
      return {
        ok: false,
        problem: `names a team (${entry}), and teams are not supported by this version`,
        accepted: 'user:LOGIN entries',
      };
    if (kind !== 'user' || !LOGIN.test(name)) {
      const nearest = LOGIN.test(entry) ? `user:${entry}` : undefined;
      return {
        ok: false,
        problem: `has the entry ${JSON.stringify(entry)}, which is not an approver`,
        accepted: 'user:LOGIN, one a line',
        ...(nearest ? { nearest } : {}),
      };
    }
    approvers.push({ kind: 'user', login: name });
  }
  if (approvers.length === 0) return { ok: false, problem: 'names nobody', accepted: 'user:LOGIN, one a line' };
  return { ok: true, value: approvers };
}
