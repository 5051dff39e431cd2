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
