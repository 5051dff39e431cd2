import type { Comment, Person } from '../../domain/approval/tally.ts';
import { instant } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import type { Account, Issue, RunFacts } from '../../ports/issue-tracker.ts';

export interface UserData {
  readonly id: number;
  readonly login: string;
  readonly type?: string;
}
export interface RunData {
  readonly actor: UserData | null;
  readonly triggering_actor: UserData | null;
  readonly run_attempt: number;
  readonly head_sha: string;
}
export interface IssueData {
  readonly number: number;
  readonly html_url: string;
  readonly title: string;
  readonly state: string;
  readonly closed_by?: UserData | null;
  readonly user: UserData | null;
}
export interface CommentData {
  readonly id: number;
  readonly node_id?: string;
  readonly user: UserData | null;
  readonly body?: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly performed_via_github_app?: unknown;
}

export const personOf = (data: UserData): Person => ({ id: data.id, login: data.login });
export const accountOf = (data: UserData): Account => ({ ...personOf(data), isBot: data.type !== 'User' });

export function runFactsOf(data: RunData): RunFacts {
  // A run without its people cannot be judged: who started it could then approve it.
  if (!data.actor || !data.triggering_actor) {
    throw new Failure({
      what: 'The workflow run does not name who started it',
      why: 'actor or triggering_actor is empty',
      next: 'Start the run anew with an account that exists',
    });
  }
  return {
    actor: personOf(data.actor),
    triggeringActor: personOf(data.triggering_actor),
    attempt: data.run_attempt,
    commit: data.head_sha,
  };
}

export const issueOf = (data: IssueData): Issue => ({
  number: data.number,
  url: data.html_url,
  title: data.title,
  state: data.state === 'open' ? 'open' : 'closed',
  authorId: data.user?.id ?? 0,
  ...(data.closed_by ? { closedBy: personOf(data.closed_by) } : {}),
});

/** A deleted account ("ghost") has no user: id 0 is nobody's. */
export const commentOf = (data: CommentData): Comment => ({
  id: data.id,
  ...(data.node_id === undefined ? {} : { nodeId: data.node_id }),
  authorId: data.user?.id ?? 0,
  authorLogin: data.user?.login ?? 'ghost',
  authorIsBot: data.user?.type !== 'User',
  viaApp: data.performed_via_github_app !== null && data.performed_via_github_app !== undefined,
  body: data.body ?? '',
  createdAt: instant(Date.parse(data.created_at)),
  updatedAt: instant(Date.parse(data.updated_at)),
});
