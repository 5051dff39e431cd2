import type { Person } from '../../domain/approval/tally.ts';
import type { CheckRun, CodeHost } from '../../ports/code-host.ts';
import { type Client, garbled } from './client.ts';
import { type UserData, personOf } from './shapes.ts';

const REPO = '/repos/{owner}/{repo}';
/** GitHub lists no more files of a comparison than this (docs, "Compare two commits"), and says so nowhere in the answer. */
const MOST_COMPARED_FILES = 300;
const MOST_PULL_FILES = 3_000;

interface CommitData {
  readonly author: UserData | null;
  readonly committer: UserData | null;
  readonly commit: { readonly message: string };
}
interface PullData {
  readonly number: number;
  readonly user: UserData | null;
  readonly labels: readonly { readonly name: string }[];
}

export function githubCode(client: Client): CodeHost {
  return {
    async change(commit, since, signal) {
      const route = `GET ${REPO}/commits/{commit}/pulls`;
      const pulls = (await client.all(
        route,
        { commit },
        { what: `read the pull requests of ${commit}`, signal },
      )) as PullData[];
      const parts =
        since === undefined
          ? await ofPulls(client, commit, pulls, signal)
          : await compared(client, since, commit, signal);
      const authors = authorsOf(parts.commits);
      return {
        paths: [...new Set(parts.paths)],
        complete: parts.complete,
        labels: [...new Set(pulls.flatMap(({ labels }) => labels.map(({ name }) => name)))],
        pullRequestAuthors: pulls.flatMap(({ user }) => (user === null ? [] : [personOf(user)])),
        commitAuthors: authors.known,
        unknownAuthors: authors.unknown,
      };
    },
    async checks(commit, name, signal) {
      const route = `GET ${REPO}/commits/{commit}/check-runs`;
      const pick = (data: unknown): unknown => (data as { check_runs?: unknown }).check_runs;
      const parameters = { commit, check_name: name, filter: 'latest' };
      const runs = await client.all(route, parameters, { what: `read the check ${name} of ${commit}`, signal }, pick);
      return (runs as CheckData[]).map(checkOf);
    },
    async trustedFile(path, signal) {
      const what = `read ${path} of the default branch`;
      try {
        const { data } = await client.send(`GET ${REPO}/contents/{+path}`, { path }, what, signal);
        const file = data as { type?: unknown; encoding?: unknown; content?: unknown };
        if (file.type !== 'file' || file.encoding !== 'base64') throw garbled(what, client.repository);
        return Buffer.from(String(file.content), 'base64').toString('utf8');
      } catch (cause) {
        if ((cause as { cause?: { status?: number } }).cause?.status === 404) return undefined;
        throw cause;
      }
    },
  };
}

interface Parts {
  readonly paths: readonly string[];
  readonly commits: readonly CommitData[];
  readonly complete: boolean;
}

async function compared(client: Client, since: string, commit: string, signal: AbortSignal): Promise<Parts> {
  const paths: string[] = [];
  const route = `GET ${REPO}/compare/{range}`;
  const commits = await client.all(
    route,
    { range: `${since}...${commit}` },
    { what: `compare ${since} with ${commit}`, signal },
    (data) => {
      const page = data as { commits?: unknown; files?: readonly { filename: string }[] };
      paths.push(...(page.files ?? []).map(({ filename }) => filename));
      return page.commits;
    },
  );
  return { paths, commits: commits as readonly CommitData[], complete: paths.length < MOST_COMPARED_FILES };
}

/** Without a commit to compare with, what the pull requests of the commit changed; without one of these, nobody knows. */
async function ofPulls(
  client: Client,
  commit: string,
  pulls: readonly PullData[],
  signal: AbortSignal,
): Promise<Parts> {
  const paths: string[] = [];
  const commits: CommitData[] = [];
  let complete = pulls.length > 0;
  for (const { number } of pulls) {
    const what = `read pull request ${number}`;
    const files = await client.all(`GET ${REPO}/pulls/{number}/files`, { number }, { what, signal });
    complete &&= files.length < MOST_PULL_FILES;
    paths.push(...(files as { filename: string }[]).map(({ filename }) => filename));
    const found = await client.all(`GET ${REPO}/pulls/{number}/commits`, { number }, { what, signal });
    commits.push(...(found as CommitData[]));
  }
  if (pulls.length === 0) {
    const { data } = await client.send(`GET ${REPO}/commits/{commit}`, { commit }, `read the commit ${commit}`, signal);
    commits.push(data as CommitData);
  }
  return { paths, commits, complete };
}

/** GitHub's own addresses carry the id: `Co-authored-by: Bob <42+bob@users.noreply.github.com>`. */
const CO_AUTHOR = /^co-authored-by:.*<(?:(\d+)\+)?([^<>]+)>\s*$/gim;

function authorsOf(commits: readonly CommitData[]): { readonly known: readonly Person[]; readonly unknown: number } {
  const known = new Map<number, Person>();
  let unknown = 0;
  for (const { author, committer, commit } of commits) {
    if (author === null) unknown += 1;
    for (const user of [author, committer]) if (user !== null) known.set(user.id, personOf(user));
    for (const [, id, address = ''] of commit.message.matchAll(CO_AUTHOR)) {
      if (id === undefined) unknown += 1;
      else known.set(Number(id), { id: Number(id), login: address.split('@')[0] ?? address });
    }
  }
  return { known: [...known.values()], unknown };
}

interface CheckData {
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly app?: { readonly slug?: string } | null;
}

/** Only `success` is green: a check that was skipped or neutral has shown nothing. */
function checkOf({ name, status, conclusion, app }: CheckData): CheckRun {
  const state = status !== 'completed' ? 'pending' : conclusion === 'success' ? 'green' : 'red';
  return { name, app: app?.slug ?? '', state, said: conclusion ?? status };
}
