import { getOctokit } from '@actions/github';
import type { Comment, Person } from '../../domain/approval/tally.ts';
import { type Duration, instant, seconds } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import type { Account, Issue, IssueTracker, RunFacts } from '../../ports/issue-tracker.ts';
import { type GitHubFault, faultOf, failureOf, mayPass, retryAfter } from './faults.ts';

type Octokit = ReturnType<typeof getOctokit>;

interface Target {
  readonly token: string;
  /** `https://api.github.com`, or the API of a GitHub Enterprise Server. */
  readonly apiUrl: string;
  /** `owner/name`. */
  readonly repository: string;
}

const REQUEST_TIMEOUT = seconds(10);
const PAGE = 100;

/** Issues of one repository over GitHub's REST API, with an ETag per page: an unchanged page costs no rate limit. */
export function githubIssues({ token, apiUrl, repository }: Target): IssueTracker {
  const octokit = getOctokit(token, { baseUrl: apiUrl });
  const [owner = '', repo = ''] = repository.split('/');
  const send = sender(octokit, { owner, repo }, repository);
  const pages = new Map<string, { readonly etag: string; readonly data: readonly CommentData[] }>();

  async function page(number: number, index: number, signal: AbortSignal): Promise<readonly CommentData[]> {
    const key = `${number}/${index}`;
    const known = pages.get(key);
    const answer = await send(
      'GET /repos/{owner}/{repo}/issues/{number}/comments',
      { number, per_page: PAGE, page: index, ...(known ? { headers: { 'if-none-match': known.etag } } : {}) },
      `read the comments of issue ${number}`,
      signal,
    );
    if (answer === 'unchanged') return known?.data ?? [];
    const data = answer.data as CommentData[];
    if (answer.headers.etag) pages.set(key, { etag: answer.headers.etag, data });
    return data;
  }

  return {
    name: `${repository} on ${new URL(apiUrl).host}`,
    mayPass: (cause) => mayPass(faultIn(cause)),
    retryAfter: (cause): Duration | undefined => retryAfter(faultIn(cause)),
    async user(login, signal) {
      const { data } = await sent(send('GET /users/{login}', { login }, `look up the user ${login}`, signal));
      return accountOf(data as UserData);
    },
    async runFacts(runId, signal) {
      const { data } = await sent(
        send(
          'GET /repos/{owner}/{repo}/actions/runs/{run_id}',
          { run_id: runId },
          `read the workflow run ${runId}`,
          signal,
        ),
      );
      return runFactsOf(data as RunData);
    },
    async openIssue({ title, body, labels, assignees }, signal) {
      const { data } = await sent(
        send('POST /repos/{owner}/{repo}/issues', { title, body, labels }, 'open the request', signal),
      );
      const issue = issueOf(data as IssueData);
      await assign(send, issue.number, assignees, signal);
      return issue;
    },
    async issue(number, signal) {
      const { data } = await sent(
        send('GET /repos/{owner}/{repo}/issues/{number}', { number }, `read issue ${number}`, signal),
      );
      return issueOf(data as IssueData);
    },
    async comments(number, signal) {
      const all: Comment[] = [];
      // A full page always asks for the next one: page 1 stays unchanged for ever once comment 101 lands on page 2.
      for (let index = 1; ; index++) {
        const data = await page(number, index, signal);
        all.push(...data.map(commentOf));
        if (data.length < PAGE) return all;
      }
    },
    async comment(number, body, signal) {
      const { data } = await sent(
        send(
          'POST /repos/{owner}/{repo}/issues/{number}/comments',
          { number, body },
          `comment on issue ${number}`,
          signal,
        ),
      );
      return { id: (data as { id: number }).id };
    },
    async editBody(number, body, signal) {
      await send('PATCH /repos/{owner}/{repo}/issues/{number}', { number, body }, `update issue ${number}`, signal);
    },
    async close(number, reason, signal) {
      await send(
        'PATCH /repos/{owner}/{repo}/issues/{number}',
        { number, state: 'closed', state_reason: reason },
        `close issue ${number}`,
        signal,
      );
    },
    async reopen(number, signal) {
      await send(
        'PATCH /repos/{owner}/{repo}/issues/{number}',
        { number, state: 'open' },
        `open issue ${number} again`,
        signal,
      );
    },
    async openIssues(label, signal) {
      const parameters = { state: 'open', labels: label, per_page: PAGE, sort: 'created', direction: 'desc' };
      const { data } = await sent(
        send('GET /repos/{owner}/{repo}/issues', parameters, `list the open requests (label ${label})`, signal),
      );
      return (data as IssueData[]).map(issueOf);
    },
  };
}

interface Answer {
  readonly data: unknown;
  readonly headers: { readonly etag?: string | undefined };
}
type Send = (
  route: string,
  parameters: Record<string, unknown>,
  what: string,
  signal: AbortSignal,
) => Promise<Answer | 'unchanged'>;

function sender(octokit: Octokit, place: { readonly owner: string; readonly repo: string }, repository: string): Send {
  return async (route, parameters, what, signal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT)]);
    try {
      const { data, headers } = await octokit.request(route, { ...place, ...parameters, request: { signal: limit } });
      return { data: data as unknown, headers };
    } catch (cause) {
      signal.throwIfAborted();
      const fault = faultOf(cause);
      if (fault.status === 304) return 'unchanged';
      throw failureOf(fault, { what, repository });
    }
  };
}

/** The answer of a request that carried no ETag. */
async function sent(answer: Promise<Answer | 'unchanged'>): Promise<Answer> {
  const got = await answer;
  if (got === 'unchanged')
    throw new Failure({
      what: 'GitHub answered 304 to a request without an ETag',
      why: 'a proxy in between may be caching',
    });
  return got;
}

/** Assigning is how people hear of the request; who cannot be assigned can vote all the same. */
async function assign(send: Send, number: number, assignees: readonly string[], signal: AbortSignal): Promise<void> {
  for (const assignee of assignees.slice(0, 10)) {
    try {
      await send(
        'POST /repos/{owner}/{repo}/issues/{number}/assignees',
        { number, assignees: [assignee] },
        `assign ${assignee}`,
        signal,
      );
    } catch (cause) {
      if (!(cause instanceof Failure)) throw cause;
    }
  }
}

const faultIn = (thrown: unknown): GitHubFault | undefined =>
  thrown instanceof Failure ? (thrown.cause as GitHubFault | undefined) : undefined;

interface UserData {
  readonly id: number;
  readonly login: string;
  readonly type?: string;
}
interface RunData {
  readonly actor: UserData | null;
  readonly triggering_actor: UserData | null;
  readonly run_attempt: number;
  readonly head_sha: string;
}
interface IssueData {
  readonly number: number;
  readonly html_url: string;
  readonly title: string;
  readonly state: string;
  readonly closed_by?: UserData | null;
  readonly user: UserData | null;
}
interface CommentData {
  readonly id: number;
  readonly user: UserData | null;
  readonly body?: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly performed_via_github_app?: unknown;
}

const personOf = (data: UserData): Person => ({ id: data.id, login: data.login });
const accountOf = (data: UserData): Account => ({ ...personOf(data), isBot: data.type !== 'User' });

function runFactsOf(data: RunData): RunFacts {
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

const issueOf = (data: IssueData): Issue => ({
  number: data.number,
  url: data.html_url,
  title: data.title,
  state: data.state === 'open' ? 'open' : 'closed',
  authorId: data.user?.id ?? 0,
  ...(data.closed_by ? { closedBy: personOf(data.closed_by) } : {}),
});

/** A deleted account ("ghost") has no user: id 0 is nobody's. */
const commentOf = (data: CommentData): Comment => ({
  id: data.id,
  authorId: data.user?.id ?? 0,
  authorLogin: data.user?.login ?? 'ghost',
  authorIsBot: data.user?.type !== 'User',
  viaApp: data.performed_via_github_app !== null && data.performed_via_github_app !== undefined,
  body: data.body ?? '',
  createdAt: instant(Date.parse(data.created_at)),
  updatedAt: instant(Date.parse(data.updated_at)),
});
