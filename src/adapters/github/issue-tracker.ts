import type { Comment } from '../../domain/approval/tally.ts';
import type { Duration } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import type { Closing, IssueTracker, Origin, Permission } from '../../ports/issue-tracker.ts';
import { type Client, PAGE, asList, garbled } from './client.ts';
import { type GitHubFault, mayPass, missingRight, retryAfter } from './faults.ts';
import {
  type CommentData,
  type IssueData,
  type RunData,
  type UserData,
  accountOf,
  commentOf,
  issueOf,
  personOf,
  runFactsOf,
} from './shapes.ts';

const REPO = '/repos/{owner}/{repo}';
const ISSUE = `${REPO}/issues/{number}`;

/** Issues of one repository over GitHub's REST API, with an ETag per page: an unchanged page costs no rate limit. */
export function githubIssues(client: Client): IssueTracker {
  return {
    name: `${client.repository} on ${client.host}`,
    mayPass: (cause) => mayPass(faultIn(cause)),
    retryAfter: (cause): Duration | undefined => retryAfter(faultIn(cause)),
    missingRight: (cause) => missingRight(faultIn(cause)),
    serverTime: () => client.serverTime(),
    ...people(client),
    ...reading(client),
    ...writing(client),
  };
}

type People = Pick<IssueTracker, 'self' | 'user' | 'account' | 'permission' | 'team' | 'runFacts'>;

function people(client: Client): People {
  return {
    async self(signal) {
      try {
        const { data } = await client.send('GET /user', {}, 'ask whose token this is', signal);
        return personOf(data as UserData);
      } catch (cause) {
        // The token of a job or of an App has no user.
        if (faultIn(cause)?.status === 403 && !mayPass(faultIn(cause))) return undefined;
        throw cause;
      }
    },
    async user(login, signal) {
      const { data } = await client.send('GET /users/{login}', { login }, `look up the user ${login}`, signal);
      return accountOf(data as UserData);
    },
    async account(id, signal) {
      try {
        const { data } = await client.send('GET /user/{id}', { id }, `look up the account ${id}`, signal);
        return accountOf(data as UserData);
      } catch (cause) {
        if (faultIn(cause)?.status === 404) return undefined;
        throw cause;
      }
    },
    async permission(login, signal) {
      const route = `GET ${REPO}/collaborators/{login}/permission`;
      const { data } = await client.send(route, { login }, `read the permission of ${login}`, signal);
      return permissionOf((data as { permission?: unknown }).permission);
    },
    async team({ org, slug }, signal) {
      const route = 'GET /orgs/{org}/teams/{slug}/members';
      const members = await client.all(route, { org, slug }, { what: `read the members of ${org}/${slug}`, signal });
      return (members as readonly UserData[]).map(accountOf);
    },
    async runFacts(runId, signal) {
      const route = `GET ${REPO}/actions/runs/{run_id}`;
      const { data } = await client.send(route, { run_id: runId }, `read the workflow run ${runId}`, signal);
      return runFactsOf(data as RunData);
    },
  };
}

/** GitHub maps maintain and triage to write and read here (docs, "Get repository permissions for a user"). */
function permissionOf(said: unknown): Permission {
  if (said === 'admin' || said === 'write') return 'write';
  return said === 'read' ? 'read' : 'none';
}

type Reading = Pick<IssueTracker, 'issue' | 'comments' | 'origins' | 'closings' | 'openIssues'>;

function reading(client: Client): Reading {
  return {
    async issue(number, signal) {
      const what = `read issue ${number}`;
      const { data } = await client.look(`GET ${ISSUE}`, { number }, what, signal);
      const issue = data as IssueData;
      if (issue.number !== number) throw garbled(what, client.repository);
      return issueOf(issue);
    },
    async comments(number, signal) {
      const what = `read the comments of issue ${number}`;
      const all = await client.all(`GET ${ISSUE}/comments`, { number }, { what, signal });
      return (all as readonly CommentData[]).map(commentOf);
    },
    origins: (comments, signal) => originsOf(client, comments, signal),
    async closings(number, signal) {
      const all = await client.all(
        `GET ${ISSUE}/events`,
        { number },
        { what: `read the events of issue ${number}`, signal },
      );
      return (all as readonly { event: string; actor: UserData | null }[]).flatMap(({ event, actor }): Closing[] =>
        event === 'closed' || event === 'reopened'
          ? [{ kind: event, by: actor === null ? { id: 0, login: 'ghost' } : personOf(actor) }]
          : [],
      );
    },
    async openIssues(label, signal) {
      const parameters = { state: 'open', labels: label, per_page: PAGE, sort: 'created', direction: 'desc' };
      const what = `list the open requests (label ${label})`;
      const { data } = await client.send(`GET ${REPO}/issues`, parameters, what, signal);
      return (asList(data, what, client.repository) as readonly IssueData[]).map(issueOf);
    },
  };
}

const ORIGINS =
  'query($ids: [ID!]!) { nodes(ids: $ids) { ... on IssueComment { databaseId lastEditedAt createdViaEmail } } }';

interface OriginNode {
  readonly databaseId?: number;
  readonly lastEditedAt?: string | null;
  readonly createdViaEmail?: boolean;
}

async function originsOf(
  client: Client,
  comments: readonly Comment[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Origin>> {
  const what = 'ask whether comments were edited';
  const found = new Map<number, Origin>();
  for (let start = 0; start < comments.length; start += PAGE) {
    const ids = comments.slice(start, start + PAGE).map(({ nodeId }) => nodeId ?? '');
    const answer = (await client.graphql(ORIGINS, { ids }, what, signal)) as { data?: { nodes?: unknown } };
    // Of a comment that is gone the node is null, and an error stands beside it; without nodes nothing was answered.
    for (const node of asList(answer.data?.nodes, what, client.repository) as readonly (OriginNode | null)[]) {
      if (node?.databaseId === undefined || node.lastEditedAt === undefined) continue;
      found.set(node.databaseId, { edited: node.lastEditedAt !== null, byEmail: node.createdViaEmail !== false });
    }
  }
  return found;
}

type Writing = Pick<IssueTracker, 'openIssue' | 'comment' | 'editBody' | 'close' | 'reopen' | 'addLabels'>;

function writing(client: Client): Writing {
  const patch = async (number: number, change: Record<string, string>, what: string, signal: AbortSignal) => {
    await client.send(`PATCH ${ISSUE}`, { number, ...change }, what, signal);
  };
  return {
    async openIssue({ title, body, labels, assignees }, signal) {
      const { data } = await client.send(`POST ${REPO}/issues`, { title, body, labels }, 'open the request', signal);
      const issue = issueOf(data as IssueData);
      await assign(client, issue.number, assignees, signal);
      return issue;
    },
    async comment(number, body, signal) {
      const { data } = await client.send(
        `POST ${ISSUE}/comments`,
        { number, body },
        `comment on issue ${number}`,
        signal,
      );
      return { id: (data as { id: number }).id };
    },
    editBody: (number, body, signal) => patch(number, { body }, `update issue ${number}`, signal),
    close: (number, reason, signal) =>
      patch(number, { state: 'closed', state_reason: reason }, `close issue ${number}`, signal),
    reopen: (number, signal) => patch(number, { state: 'open' }, `open issue ${number} again`, signal),
    async addLabels(number, labels, signal) {
      await client.send(`POST ${ISSUE}/labels`, { number, labels }, `label issue ${number}`, signal);
    },
  };
}

/** Assigning is how people hear of the request; who cannot be assigned can vote all the same. */
async function assign(
  client: Client,
  number: number,
  assignees: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const assignee of assignees.slice(0, 10)) {
    try {
      await client.send(`POST ${ISSUE}/assignees`, { number, assignees: [assignee] }, `assign ${assignee}`, signal);
    } catch (cause) {
      if (!(cause instanceof Failure)) throw cause;
    }
  }
}

const faultIn = (thrown: unknown): GitHubFault | undefined =>
  thrown instanceof Failure ? (thrown.cause as GitHubFault | undefined) : undefined;
