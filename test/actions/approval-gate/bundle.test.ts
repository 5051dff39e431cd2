import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type GitHubFaultRule, type SandboxGitHub, startGitHub } from '../../../sandbox/github/front.ts';
import type { Grant } from '../../../src/domain/approval/grant.ts';
import { type BundleResult, type BundleRun, runBundle } from '../../harness/run-bundle.ts';
import { kill, mainOnly, mainThenPost, onceItSays } from '../../harness/interrupt.ts';

const images = JSON.stringify({ web: { repository: 'acme/web', digest: `sha256:${'a'.repeat(64)}`, tag: '1.4.0' } });
let github: SandboxGitHub;
let runs = 100;

beforeAll(async () => {
  github = await startGitHub({
    repository: 'acme/shop',
    people: { alice: 'write', bob: 'read', carol: 'read', dave: 'write', mallory: 'read' },
  });
});
afterAll(async () => github.close());

/** A gate in a run of its own, started by dave; the clock is virtual, so waiting costs nothing. */
function gate(inputs: Record<string, string> = {}, run: { attempt?: number; id?: string } = {}): BundleRun {
  const id = run.id ?? String(++runs);
  const attempt = run.attempt ?? 1;
  github.setRun({ id, actor: 'dave', triggeringActor: 'dave', attempt, commit: 'c0ffee0123456789' });
  return {
    action: 'approval-gate',
    inputs: {
      environment: 'production',
      images,
      approvers: 'user:alice\nuser:bob\nuser:carol\nuser:dave',
      'minimum-approvals': '2',
      timeout: '30m',
      token: github.tokens['github-actions'] ?? '',
      ...inputs,
    },
    env: {
      GITHUB_API_URL: github.url,
      GITHUB_REPOSITORY: 'acme/shop',
      GITHUB_RUN_ID: id,
      GITHUB_RUN_ATTEMPT: String(attempt),
    },
    clock: { lockStepFrom: Math.max(Date.now(), github.world.now()) },
  };
}

const OPEN = /is open: \S+\/issues\/(\d+)/;
const REQUESTS = '/repos/acme/shop/issues';
const vote = (login: string, issue: string, body: string) =>
  github.as(login, `POST ${REQUESTS}/${issue}/comments`, { body });
const stateOf = async (issue: string): Promise<unknown> =>
  ((await github.as('alice', `GET ${REQUESTS}/${issue}`)).data as { state: string }).state;
const issueOf = (result: BundleResult): string => OPEN.exec(result.stdout)?.[1] ?? 'none';

type Votes = readonly (readonly [login: string, body: string])[];

/** Runs the gate; what people do happens at the moment when the request is opened, before the gate looks for the first time. */
async function played(run: BundleRun, votes: Votes, more?: (issue: string) => Promise<unknown>): Promise<BundleResult> {
  github.afterNext(`POST ${REQUESTS}`, async (data) => {
    const issue = String((data as { number: number }).number);
    for (const [login, body] of votes) await vote(login, issue, body);
    await more?.(issue);
  });
  return runBundle(run);
}

describe('two of three', () => {
  test('approve: the step is green, gives a grant bound to the images, and closes its request', async () => {
    const found = 'built from debian:12@sha256:bbbb; SBOM sha256:cccc; 0 critical, 2 high';
    const evidence = JSON.stringify([{ name: 'build', verdict: 'pass', summary: found, sha256: 'd'.repeat(64) }]);
    const result = await played(gate({ evidence }), [
      ['alice', 'approve'],
      ['bob', 'LGTM!'],
    ]);
    expect(result).toMatchObject({
      exitCode: 0,
      outputs: { outcome: 'approved', 'approved-by': 'alice,bob', changed: 'true' },
    });
    const grant = JSON.parse(result.outputs['approval'] ?? '') as Grant;
    expect(grant).toMatchObject({
      environment: 'production',
      repository: 'acme/shop',
      imagesSha256: result.outputs['images-sha256'],
    });
    expect(result.outputs['approval']?.length).toBeLessThan(4_000);
    expect(await stateOf(issueOf(result))).toBe('closed');
    expect(result.summary).toContain('sha256:aaaa');
    for (const each of ['build', 'pass', found, 'd'.repeat(12)]) expect(result.summary).toContain(each);
  });

  test('one denies: the step is red and there is no grant', async () => {
    const result = await played(gate(), [
      ['alice', 'approve'],
      ['bob', 'approve'],
      ['carol', 'deny'],
    ]);
    expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'denied', approval: '' } });
    expect(await stateOf(issueOf(result))).toBe('closed');
  });

  test('nobody in time: expired, red', async () => {
    const result = await played(gate({ timeout: '2m' }), [['alice', 'approve']]);
    expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'expired', approval: '' } });
    expect(result.annotations[0]?.message).toContain('1 more approval needed');
  });
});

describe('who does not count', () => {
  test.each([
    ['the person who started the run', 'dave', 'approve'],
    ['a stranger', 'mallory', 'approve'],
    ['the same person again', 'alice', 'approve'],
    ['a comment that is no vote', 'bob', 'approve it when you are ready'],
  ])('%s', async (_name, login, body) => {
    const result = await played(gate({ timeout: '2m' }), [
      ['alice', 'approve'],
      [login, body],
    ]);
    expect(result.outputs['outcome']).toBe('expired');
  });

  test('an approval that was edited by somebody with write access', async () => {
    const result = await played(gate({ timeout: '2m' }), [['alice', 'approve']], async (issue) => {
      const { data } = await vote('bob', issue, 'approve it, please');
      github.world.pass(2_000);
      await github.as('dave', `PATCH ${REQUESTS}/comments/${(data as { id: number }).id}`, { body: 'approve' });
    });
    expect(result.outputs['outcome']).toBe('expired');
  });
});

describe('before anything is opened', () => {
  test('a gate that nobody can pass is refused and says who is missing', async () => {
    const result = await runBundle(gate({ approvers: 'user:alice\nuser:dave' }));
    expect(result.exitCode).toBe(1);
    expect(result.annotations[0]?.message).toContain(
      'needs 2 approvals and only 1 of the 2 approvers may vote (dave started this run)',
    );
    expect(result.outputs['issue-number'] ?? '').toBe('');
  });

  test('every bad input is named in one message, and the token is in none', async () => {
    const result = await runBundle(
      gate({
        images: '{"web":{"repository":"acme/web","digest":""}}',
        approvers: 'alice',
        'minimum-approvals': '0',
        timeout: '90',
      }),
    );
    expect(result.exitCode).toBe(1);
    const message = result.annotations.map((annotation) => annotation.message).join('\n');
    for (const words of ['images.web.digest is empty', 'minimum-approvals', 'timeout'])
      expect(message).toContain(words);
    expect(result.stdout.replace(/::add-mask::.*/g, '')).not.toContain(github.tokens['github-actions']);
  });

  test('a dry run names who would be asked and opens nothing', async () => {
    const before = github.calls().filter((call) => call.call.startsWith('POST')).length;
    const result = await runBundle(gate({ 'dry-run': 'true' }));
    expect(result).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned', changed: 'false', approval: '' } });
    expect(github.calls().filter((call) => call.call.startsWith('POST'))).toHaveLength(before);
  });
});

describe('faults of the API', () => {
  const approvals: Votes = [
    ['alice', 'approve'],
    ['bob', 'approve'],
  ];
  const failing = (fault: Omit<GitHubFaultRule, 'call'>) => async (issue: string) =>
    github.addFault({ call: `GET ${REQUESTS}/${issue}/comments`, ...fault });

  test.each<[string, Omit<GitHubFaultRule, 'call'>]>([
    ['502 three times', { kind: 'status', status: 502, times: 3 }],
    ['429 with Retry-After', { kind: 'status', status: 429, headers: { 'retry-after': '30' }, times: 1 }],
    ['a reset connection', { kind: 'reset', times: 2 }],
  ])('%s while waiting delays the approval and nothing else', async (_name, fault) => {
    const result = await played(gate(), approvals, failing(fault));
    expect(result.outputs['outcome']).toBe('approved');
  });

  test('that last to the deadline end in error: neither approved nor denied, red', async () => {
    const result = await played(
      gate({ timeout: '2m' }),
      approvals,
      failing({ kind: 'status', status: 502, times: Number.POSITIVE_INFINITY }),
    );
    expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'error', approval: '' } });
  });

  test('a token that ended is an error at once', async () => {
    const result = await played(gate(), approvals, failing({ kind: 'status', status: 401, times: 1 }));
    expect(result.exitCode).toBe(1);
    expect(result.outputs['approval'] ?? '').toBe('');
    expect(result.annotations[0]?.message).toContain('The token is not valid (any more)');
  });
});

describe('a run that ends before its gate', () => {
  test('killed: post closes the request, and there is no grant', async () => {
    const { main, post } = await mainThenPost({ ...gate(), clock: 'real' }, onceItSays(OPEN, kill));
    expect(main.outputs['approval'] ?? '').toBe('');
    expect(post.stdout).toMatch(/Request \d+ is closed: the run ended before there was a verdict/);
    expect(await stateOf(issueOf(main))).toBe('closed');
  });

  test('with its runner: the next attempt closes the old request, and votes in it count for nothing', async () => {
    const first = await mainOnly({ ...gate({}, { id: '900' }), clock: 'real' }, onceItSays(OPEN, kill));
    const old = issueOf(first);
    await vote('alice', old, 'approve');
    await vote('bob', old, 'approve');
    const second = await runBundle(gate({ timeout: '2m' }, { id: '900', attempt: 2 }));
    expect(second.outputs['outcome']).toBe('expired');
    expect(issueOf(second)).not.toBe(old);
    expect(await stateOf(old)).toBe('closed');
  });
});
