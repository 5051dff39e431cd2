import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type SandboxGitHub, startGitHub } from '../../../sandbox/github/front.ts';

const ISSUES = '/repos/acme/shop/issues';
let github: SandboxGitHub;

beforeAll(async () => {
  github = await startGitHub({ repository: 'acme/shop', people: { alice: 'write', bob: 'read', mallory: 'read' } });
  await github.as('alice', `POST ${ISSUES}`, { title: 'first' });
});
afterAll(async () => github.close());

const withToken = (token: string, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${github.url}${path}`, { headers: { authorization: `Bearer ${token}`, ...headers } });

describe('who is asking', () => {
  test('a token that nobody was given is refused', async () => {
    expect((await withToken('ghp_unknown', '/user')).status).toBe(401);
    expect((await fetch(`${github.url}/user`)).status).toBe(401);
  });

  test('each token acts as its own person', async () => {
    const answer = await github.as('bob', 'GET /user');
    expect(answer.data).toMatchObject({ login: 'bob', type: 'User' });
  });

  test('the token of the job writes as a bot', async () => {
    const answer = await fetch(`${github.url}${ISSUES}/1/comments`, {
      method: 'POST',
      headers: { authorization: `Bearer ${github.tokens['github-actions']}`, 'content-type': 'application/json' },
      body: JSON.stringify({ body: 'hello' }),
    });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject({ user: { login: 'github-actions[bot]', type: 'Bot' } });
  });
});

describe('what emulate lets through and GitHub does not', () => {
  test.each([
    ['editing the comment of somebody else', 'PATCH'],
    ['deleting it', 'DELETE'],
  ])('%s needs write access', async (_name, method) => {
    const made = await github.as('bob', `POST ${ISSUES}/1/comments`, { body: 'approve' });
    const { id } = made.data as { id: number };
    expect((await github.as('mallory', `${method} ${ISSUES}/comments/${id}`, { body: 'deny' })).status).toBe(403);
    expect((await github.as('bob', `PATCH ${ISSUES}/comments/${id}`, { body: 'deny' })).status).toBe(200);
    expect((await github.as('alice', `${method} ${ISSUES}/comments/${id}`, { body: 'lgtm' })).status).toBeLessThan(300);
  });

  test('closing the issue of somebody else needs write access', async () => {
    expect((await github.as('mallory', `PATCH ${ISSUES}/1`, { state: 'closed' })).status).toBe(403);
  });

  test('a comment of more than 65,536 characters is refused', async () => {
    expect((await github.as('bob', `POST ${ISSUES}/1/comments`, { body: 'x'.repeat(65_537) })).status).toBe(422);
  });

  test('times have seconds only', async () => {
    const { data } = await github.as('alice', `GET ${ISSUES}/1`);
    expect((data as { created_at: string }).created_at).toMatch(/T\d\d:\d\d:\d\dZ$/);
  });
});

describe('workflow runs', () => {
  test('name who started them and who started this attempt', async () => {
    github.setRun({ id: '42', actor: 'alice', triggeringActor: 'bob', attempt: 2, commit: 'c0ffee' });
    const { data } = await github.as('alice', 'GET /repos/acme/shop/actions/runs/42');
    expect(data).toMatchObject({
      run_attempt: 2,
      head_sha: 'c0ffee',
      actor: { login: 'alice' },
      triggering_actor: { login: 'bob' },
    });
  });

  test('that never were are not found', async () => {
    expect((await github.as('alice', 'GET /repos/acme/shop/actions/runs/9')).status).toBe(404);
  });
});

describe('ETags', () => {
  test('an unchanged answer is 304, a changed one is whole, and another token knows nothing of it', async () => {
    const alice = github.tokens['alice'] ?? '';
    const first = await withToken(alice, `${ISSUES}/1/comments`);
    const etag = first.headers.get('etag') ?? '';
    expect((await withToken(alice, `${ISSUES}/1/comments`, { 'if-none-match': etag })).status).toBe(304);
    expect(
      (await withToken(github.tokens['bob'] ?? '', `${ISSUES}/1/comments`, { 'if-none-match': etag })).status,
    ).toBe(200);
    await github.as('bob', `POST ${ISSUES}/1/comments`, { body: 'new' });
    expect((await withToken(alice, `${ISSUES}/1/comments`, { 'if-none-match': etag })).status).toBe(200);
  });
});

describe('faults', () => {
  test('a status is answered as often as asked for, then the truth', async () => {
    github.addFault({ call: 'GET /repos/acme/shop/issues/*', kind: 'status', status: 502, times: 2 });
    const statuses = [];
    for (let look = 0; look < 3; look++) statuses.push((await github.as('alice', `GET ${ISSUES}/1`)).status);
    expect(statuses).toEqual([502, 502, 200]);
  });

  test('a reset drops the connection', async () => {
    github.addFault({ call: 'GET /repos/acme/shop/issues/*', kind: 'reset', times: 1 });
    await expect(github.as('alice', `GET ${ISSUES}/1`)).rejects.toThrow('fetch failed');
    expect(github.calls().at(-1)).toMatchObject({ call: 'GET /repos/acme/shop/issues/1', status: 0, who: 'alice' });
  });
});

describe('what is told only to those who may know', () => {
  const job = () => github.tokens['github-actions'] ?? '';

  test('the job’s token reads no team, and is told which right it lacks', async () => {
    github.world.teams.set('acme/security', ['alice', 'bob']);
    const answer = await withToken(job(), '/orgs/acme/teams/security/members');
    expect(answer.status).toBe(403);
    expect(answer.headers.get('x-accepted-github-permissions')).toBe('members=read');
  });

  test('a person reads all pages of a team by their links', async () => {
    github.world.teams.set('acme/security', ['alice', 'bob', 'mallory']);
    const first = await withToken(github.tokens['alice'] ?? '', '/orgs/acme/teams/security/members?per_page=2');
    expect(await first.json()).toHaveLength(2);
    expect(first.headers.get('link')).toContain('page=2');
  });

  test('a token of the job has no user', async () => {
    expect((await withToken(job(), '/user')).status).toBe(403);
  });
});

describe('the hourly limit', () => {
  test('counts what is new and not what is unchanged', async () => {
    const alice = github.tokens['alice'] ?? '';
    const left = (answer: Response) => Number(answer.headers.get('x-ratelimit-remaining'));
    const first = await withToken(alice, `${ISSUES}/1`);
    const etag = first.headers.get('etag') ?? '';
    expect(left(await withToken(alice, `${ISSUES}/1`, { 'if-none-match': etag }))).toBe(left(first));
    expect(left(await withToken(alice, `${ISSUES}/1`))).toBe(left(first) - 1);
  });

  test('ends in a refusal, for the job after 1,000 requests', async () => {
    const own = await startGitHub({ repository: 'acme/shop', people: { alice: 'write' } });
    const ask = () =>
      fetch(`${own.url}/repos/acme/shop`, { headers: { authorization: `Bearer ${own.tokens['github-actions']}` } });
    for (let index = 0; index < 1_000; index++) await (await ask()).arrayBuffer();
    const refused = await ask();
    expect([refused.status, refused.headers.get('x-ratelimit-remaining')]).toEqual([403, '0']);
    own.world.pass(3_600_000);
    expect((await ask()).status).toBe(200);
    await own.close();
  });
});

describe('comments', () => {
  const asked = async (ids: readonly string[]) => {
    const query =
      'query($ids: [ID!]!) { nodes(ids: $ids) { ... on IssueComment { databaseId lastEditedAt createdViaEmail } } }';
    return (await github.as('alice', 'POST /graphql', { query, variables: { ids } })).data;
  };

  test('that were edited within one second look untouched to REST, and not to GraphQL', async () => {
    github.world.beginAt(Date.parse('2030-01-01T00:00:00.100Z'));
    const { id, node_id: node } = (await github.as('bob', `POST ${ISSUES}/1/comments`, { body: 'hm' })).data as {
      id: number;
      node_id: string;
    };
    expect(await asked([node])).toMatchObject({ data: { nodes: [{ databaseId: id, lastEditedAt: null }] } });
    await github.as('alice', `PATCH ${ISSUES}/comments/${id}`, { body: 'approve' });
    const { data } = await github.as('alice', `GET ${ISSUES}/comments/${id}`);
    expect(data).toMatchObject({ created_at: '2030-01-01T00:00:00Z', updated_at: '2030-01-01T00:00:00Z' });
    expect(await asked([node])).toMatchObject({ data: { nodes: [{ lastEditedAt: '2030-01-01T00:00:00Z' }] } });
    await github.as('alice', `DELETE ${ISSUES}/comments/${id}`);
    expect(await asked([node])).toMatchObject({ data: { nodes: [null] }, errors: [{ type: 'NOT_FOUND' }] });
  });
});
