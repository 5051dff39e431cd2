import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { githubClient } from '../../../src/adapters/github/client.ts';
import { githubIssues } from '../../../src/adapters/github/issue-tracker.ts';
import { systemClock } from '../../../src/adapters/system/clock.ts';
import { Failure } from '../../../src/domain/failure.ts';
import type { IssueTracker } from '../../../src/ports/issue-tracker.ts';
import { type SandboxGitHub, startGitHub } from '../../../sandbox/github/front.ts';

const { signal } = new AbortController();
let github: SandboxGitHub;
let tracker: IssueTracker;

beforeAll(async () => {
  github = await startGitHub({ repository: 'acme/shop', people: { alice: 'write', bob: 'read' } });
  tracker = githubIssues(
    githubClient({
      auth: { kind: 'token', token: github.tokens['github-actions'] ?? '' },
      apiUrl: github.url,
      repository: 'acme/shop',
      clock: systemClock(),
    }),
  );
});
afterAll(async () => github.close());

const open = (title = 'Approve') =>
  tracker.openIssue({ title, body: 'text', labels: ['sluice-approval'], assignees: ['bob', 'nobody-here'] }, signal);
const says = (login: string, issue: number, body: string) =>
  github.as(login, `POST /repos/acme/shop/issues/${issue}/comments`, { body });
const thrownBy = async (work: Promise<unknown>): Promise<Failure> =>
  (await work.catch((thrown: unknown) => thrown)) as Failure;

describe('a request', () => {
  test('is opened, edited, closed, opened again, and read back each time', async () => {
    const issue = await open();
    expect(await tracker.issue(issue.number, signal)).toMatchObject({ state: 'open', title: 'Approve' });
    await tracker.editBody(issue.number, 'other', signal);
    await tracker.close(issue.number, 'completed', signal);
    expect((await tracker.issue(issue.number, signal)).state).toBe('closed');
    await tracker.reopen(issue.number, signal);
    expect((await tracker.issue(issue.number, signal)).state).toBe('open');
  });

  test('is found by its label while it is open', async () => {
    const issue = await open('Approve production: abc');
    expect((await tracker.openIssues('sluice-approval', signal)).map((each) => each.number)).toContain(issue.number);
    await tracker.close(issue.number, 'not_planned', signal);
    expect((await tracker.openIssues('sluice-approval', signal)).map((each) => each.number)).not.toContain(
      issue.number,
    );
  });

  test('names the person who closed it', async () => {
    const issue = await open();
    await github.as('alice', `PATCH /repos/acme/shop/issues/${issue.number}`, { state: 'closed' });
    expect((await tracker.issue(issue.number, signal)).closedBy?.login).toBe('alice');
  });
});

describe('comments', () => {
  test('of every page are read, also the one that opens a new page after the first was read', async () => {
    const issue = await open();
    for (let index = 0; index < 100; index++) await says('bob', issue.number, `talk ${index}`);
    expect(await tracker.comments(issue.number, signal)).toHaveLength(100);
    await says('alice', issue.number, 'approve');
    const comments = await tracker.comments(issue.number, signal);
    expect(comments).toHaveLength(101);
    expect(comments.at(-1)).toMatchObject({ authorLogin: 'alice', authorIsBot: false, viaApp: false, body: 'approve' });
  });

  test('that did not change are asked for by ETag and come out the same', async () => {
    const issue = await open();
    await says('bob', issue.number, 'approve');
    const first = await tracker.comments(issue.number, signal);
    expect(await tracker.comments(issue.number, signal)).toEqual(first);
    expect(github.calls().at(-1)?.status).toBe(304);
  });

  test('of the job itself are a bot’s', async () => {
    const issue = await open();
    const { id } = await tracker.comment(issue.number, 'approve', signal);
    expect(await tracker.comments(issue.number, signal)).toMatchObject([{ id, authorIsBot: true }]);
  });
});

describe('people and runs', () => {
  test('a person has a numeric id whatever the case of the login', async () => {
    const [lower, upper] = [
      await tracker.user('bob', signal),
      await tracker.user('Bob', signal).catch(() => undefined),
    ];
    expect(lower).toMatchObject({ login: 'bob', isBot: false });
    expect(upper?.id ?? lower.id).toBe(lower.id);
  });

  test('an unknown person is a failure that names him', async () => {
    expect((await thrownBy(tracker.user('nobody-here', signal))).message).toMatch(
      /Could not look up the user nobody-here in acme\/shop: GitHub answered 404/,
    );
  });

  test('a run names both people, attempt and commit', async () => {
    github.setRun({ id: '7', actor: 'alice', triggeringActor: 'bob', attempt: 2, commit: 'c0ffee' });
    expect(await tracker.runFacts('7', signal)).toMatchObject({
      actor: { login: 'alice' },
      triggeringActor: { login: 'bob' },
      attempt: 2,
      commit: 'c0ffee',
    });
  });
});

describe('faults', () => {
  test.each([
    ['a 502', { kind: 'status', status: 502 }, true, undefined],
    ['a 429 with Retry-After', { kind: 'status', status: 429, headers: { 'retry-after': '7' } }, true, 7_000],
    [
      'a secondary limit',
      { kind: 'status', status: 403, message: 'You have exceeded a secondary rate limit' },
      true,
      60_000,
    ],
    ['a reset', { kind: 'reset' }, true, undefined],
    [
      'a missing right',
      { kind: 'status', status: 403, message: 'Resource not accessible by integration' },
      false,
      undefined,
    ],
    ['a token that ended', { kind: 'status', status: 401 }, false, undefined],
    ['a deleted issue', { kind: 'status', status: 410 }, false, undefined],
  ] as const)('%s says whether it may pass', async (_name, fault, passes, wait) => {
    const issue = await open();
    github.addFault({ call: `GET /repos/acme/shop/issues/${issue.number}`, times: 1, ...fault });
    const thrown = await thrownBy(tracker.issue(issue.number, signal));
    expect(thrown).toBeInstanceOf(Failure);
    expect(tracker.mayPass(thrown)).toBe(passes);
    expect(tracker.retryAfter(thrown)).toBe(wait);
  });

  test('a missing right names what to grant', async () => {
    github.addFault({
      call: 'POST /repos/acme/shop/issues',
      kind: 'status',
      status: 403,
      times: 1,
      headers: { 'x-accepted-github-permissions': 'issues=write' },
    });
    expect((await thrownBy(open())).message).toContain('Grant the job what it needs: issues=write');
  });

  test('a bug of ours never passes for a fault of GitHub', () => {
    expect(tracker.mayPass(new TypeError('x is undefined'))).toBe(false);
  });
});
