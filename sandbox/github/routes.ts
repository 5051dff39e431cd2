import { type Reply, json, paged, problem } from './reply.ts';
import type { Caller, CommitSeed, PullSeed, World } from './world.ts';

/** What a token of a job or an app needs for a call; undefined: metadata, which everybody has. */
export function neededGrant(call: string): readonly [name: string, level: 'read' | 'write'] | undefined {
  const level = call.startsWith('GET ') ? 'read' : 'write';
  if (/ \/repos\/[^/]+\/[^/]+\/issues/.test(call)) return ['issues', level];
  if (call === 'POST /graphql') return ['issues', 'read'];
  if (/ \/orgs\/[^/]+\/teams/.test(call)) return ['members', 'read'];
  if (/\/actions\/runs\//.test(call)) return ['actions', 'read'];
  if (/\/check-runs$/.test(call)) return ['checks', 'read'];
  if (/\/pulls(?:\/|$)/.test(call)) return ['pull_requests', 'read'];
  if (/\/(?:commits|compare|contents)\//.test(call)) return ['contents', 'read'];
  return undefined;
}

export interface People {
  /** As `GET /users/LOGIN` shows an account; undefined: there is none. */
  byLogin(login: string): Promise<Record<string, unknown> | undefined>;
  byId(id: number): Promise<Record<string, unknown> | undefined>;
}

/** Routes that emulate lacks, or answers from data of its own that no test could set. undefined: not one of them. */
export async function ownAnswer(
  call: string,
  url: URL,
  { world, people, caller, body }: { world: World; people: People; caller: Caller; body: string },
): Promise<Reply | undefined> {
  const path = call.replace(/^\w+ /, '');
  const part = (pattern: RegExp): string | undefined => pattern.exec(call)?.[1];
  const run = part(/^GET \/repos\/[^/]+\/[^/]+\/actions\/runs\/([^/]+)$/);
  if (run !== undefined) return runAnswer(world, people, run);
  const login = part(/^GET \/users\/([^/]+)$/);
  if (login !== undefined) return orNotFound(await people.byLogin(login));
  const id = part(/^GET \/user\/(\d+)$/);
  if (id !== undefined) return orNotFound(await people.byId(Number(id)));
  const member = part(/^GET \/repos\/[^/]+\/[^/]+\/collaborators\/([^/]+)\/permission$/);
  if (member !== undefined) return permissionAnswer(world, people, member);
  const team = part(/^GET \/orgs\/([^/]+\/teams\/[^/]+)\/members$/);
  if (team !== undefined) return teamAnswer(world, people, team.replace('/teams/', '/'), url);
  const pulls = part(/^GET \/repos\/[^/]+\/[^/]+\/commits\/([^/]+)\/pulls$/);
  if (pulls !== undefined) return pullsAnswer(world, people, pulls, url);
  const checked = part(/^GET \/repos\/[^/]+\/[^/]+\/commits\/([^/]+)\/check-runs$/);
  if (checked !== undefined) return checksAnswer(world, checked, url);
  const pullPart = /^GET \/repos\/[^/]+\/[^/]+\/pulls\/(\d+)\/(files|commits)$/.exec(call);
  if (pullPart !== null) return pullAnswer(world, people, pullPart, url);
  const compared = part(/^GET \/repos\/[^/]+\/[^/]+\/compare\/(.+)$/);
  if (compared !== undefined) return comparisonAnswer(world, people, decodeURIComponent(compared), url);
  const commit = part(/^GET \/repos\/[^/]+\/[^/]+\/commits\/([^/]+)$/);
  if (commit !== undefined) {
    const known = world.commits.get(commit);
    return known === undefined ? undefined : json(await commitData(people, known));
  }
  const file = part(/^GET \/repos\/[^/]+\/[^/]+\/contents\/(.+)$/);
  if (file !== undefined) return fileAnswer(world, decodeURIComponent(file));
  if (path === '/user' && caller.grants !== undefined) return problem(403, 'Resource not accessible by integration');
  if (call === 'POST /graphql') return graphqlAnswer(world, body);
  return undefined;
}

const orNotFound = (data: unknown): Reply => (data === undefined ? problem(404, 'Not Found') : json(data));

async function runAnswer(world: World, people: People, id: string): Promise<Reply> {
  const run = world.runs.get(id);
  if (run === undefined) return problem(404, 'Not Found');
  return json({
    id: Number(id),
    run_attempt: run.attempt,
    head_sha: run.commit,
    actor: (await people.byLogin(run.actor)) ?? null,
    triggering_actor: (await people.byLogin(run.triggeringActor)) ?? null,
  });
}

async function permissionAnswer(world: World, people: People, login: string): Promise<Reply> {
  const user = await people.byLogin(login);
  if (user === undefined) return problem(404, `${login} is not a user`);
  const permission = world.permissions.get(world.original(String(user['login']))) ?? 'none';
  return json({ permission, role_name: permission, user });
}

async function teamAnswer(world: World, people: People, team: string, url: URL): Promise<Reply> {
  const members = world.teams.get(team.toLowerCase());
  if (members === undefined) return problem(404, 'Not Found');
  const known = await Promise.all(members.map((login) => people.byLogin(login)));
  return paged(
    known.filter((member) => member !== undefined),
    url,
  );
}

async function pullsAnswer(world: World, people: People, commit: string, url: URL): Promise<Reply> {
  const data = await Promise.all((world.pulls.get(commit) ?? []).map((pull) => pullData(people, pull)));
  return paged(data, url);
}

const pullData = async (people: People, pull: PullSeed): Promise<unknown> => ({
  number: pull.number,
  user: (await people.byLogin(pull.author)) ?? null,
  labels: pull.labels.map((name) => ({ name })),
  merged_at: '2026-01-01T00:00:00Z',
});

async function pullAnswer(world: World, people: People, found: RegExpExecArray, url: URL): Promise<Reply> {
  const pull = [...world.pulls.values()].flat().find(({ number }) => number === Number(found[1]));
  if (pull === undefined) return problem(404, 'Not Found');
  if (found[2] === 'files')
    return paged(
      pull.files.map((filename) => ({ filename })),
      url,
    );
  return paged(await Promise.all(pull.commits.map((commit) => commitData(people, commit))), url);
}

const commitData = async (people: People, commit: CommitSeed): Promise<unknown> => ({
  sha: commit.sha,
  author: commit.author === undefined ? null : ((await people.byLogin(commit.author)) ?? null),
  committer: commit.committer === undefined ? null : ((await people.byLogin(commit.committer)) ?? null),
  commit: { message: commit.message ?? '' },
});

/** Pages hold commits; the files (300 at most) stand on the first page alone (docs, "Compare two commits"). */
async function comparisonAnswer(world: World, people: People, range: string, url: URL): Promise<Reply> {
  const known = world.comparisons.get(range);
  if (known === undefined) return problem(404, 'Not Found');
  const commits = await Promise.all(known.commits.map((commit) => commitData(people, commit)));
  const first = (url.searchParams.get('page') ?? '1') === '1';
  const files = first ? known.files.slice(0, 300).map((filename) => ({ filename })) : undefined;
  return paged(commits, url, (page) => ({ total_commits: commits.length, commits: page, ...(files ? { files } : {}) }));
}

function checksAnswer(world: World, commit: string, url: URL): Reply {
  const wanted = url.searchParams.get('check_name');
  const runs = (world.checks.get(commit) ?? []).filter(({ name }) => wanted === null || name === wanted);
  const data = runs.map(({ name, status, conclusion, app }, index) => ({
    id: index + 1,
    name,
    status,
    conclusion: conclusion ?? null,
    app: { slug: app ?? 'github-actions' },
  }));
  return paged(data, url, (page) => ({ total_count: data.length, check_runs: page }));
}

function fileAnswer(world: World, path: string): Reply {
  const text = world.files.get(path);
  if (text === undefined) return problem(404, 'Not Found');
  return json({ type: 'file', path, encoding: 'base64', content: Buffer.from(text, 'utf8').toString('base64') });
}

/** Only the one question that this project asks: edits and origin of comments, by their node ids. */
function graphqlAnswer(world: World, body: string): Reply {
  const { query = '', variables = {} } = JSON.parse(body || '{}') as {
    query?: string;
    variables?: { ids?: readonly string[] };
  };
  const ids = variables.ids ?? [];
  if (!query.includes('nodes(ids: $ids)') || ids.length > 100)
    return json({ errors: [{ type: 'INVALID', message: 'the sandbox answers nodes(ids: $ids) only, 100 at most' }] });
  const lost = ids.filter((id) => commentOf(world, id) === undefined);
  const nodes = ids.map((id) => {
    const [databaseId, facts] = commentOf(world, id) ?? [];
    if (facts === undefined) return null;
    const lastEditedAt = facts.editedAt === undefined ? null : world.second(facts.editedAt);
    return { databaseId, lastEditedAt, createdViaEmail: facts.byEmail === true };
  });
  const errors = lost.map((id) => ({
    type: 'NOT_FOUND',
    message: `Could not resolve to a node with the global id of '${id}'.`,
  }));
  return json({ data: { nodes }, ...(errors.length > 0 ? { errors } : {}) });
}

const commentOf = (world: World, nodeId: string) =>
  [...world.comments].find(([, facts]) => facts.nodeId === nodeId && facts.deleted !== true);
