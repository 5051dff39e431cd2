import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type SandboxGitHub, startGitHub } from '../../../sandbox/github/front.ts';
import { sha256 } from '../../../src/adapters/system/digest.ts';
import { checkChain } from '../../../src/domain/approval/record.ts';
import { type BundleResult, type BundleRun, runBundle } from '../../harness/run-bundle.ts';

const REQUESTS = '/repos/acme/shop/issues';
const JOB = 'github-actions[bot]';
const MARCH = Date.parse('2026-03-01T00:00:00Z');
const images = JSON.stringify({ web: { repository: 'acme/web', digest: `sha256:${'a'.repeat(64)}`, tag: '1.4.0' } });
const SECOND_SUNDAY = '[{ weekday: sun, nth: 2, at: "02:00", tz: America/New_York, duration: 2h }]';
let github: SandboxGitHub;

beforeEach(async () => {
  github = await startGitHub({
    repository: 'acme/shop',
    people: { alice: 'write', bob: 'read', carol: 'read', dave: 'write', nora: 'read' },
  });
  github.setRun({ id: '1', actor: 'dave', triggeringActor: 'dave', attempt: 1, commit: 'c0ffee0123456789' });
});
afterEach(async () => github.close());

/** A gate whose clock and whose GitHub begin at `from`. */
function gate(inputs: Record<string, string>, more: { from?: number; files?: Record<string, string> } = {}): BundleRun {
  const from = more.from ?? Date.now();
  github.world.beginAt(from);
  return {
    action: 'approval-gate',
    inputs: {
      environment: 'production',
      images,
      approvers: 'user:alice\nuser:bob\nuser:carol',
      'minimum-approvals': '2',
      timeout: '30m',
      token: github.tokens['github-actions'] ?? '',
      ...inputs,
    },
    env: { GITHUB_API_URL: github.url, GITHUB_REPOSITORY: 'acme/shop', GITHUB_RUN_ID: '1', GITHUB_RUN_ATTEMPT: '1' },
    clock: { lockStepFrom: from },
    ...(more.files === undefined ? {} : { files: more.files }),
  };
}

const says = (login: string, issue: number, body: string) =>
  github.as(login, `POST ${REQUESTS}/${issue}/comments`, { body });

/** People vote so many seconds after the opening. */
function voteAfter(seconds: number, logins: readonly string[] = ['alice', 'bob']): void {
  github.afterNext(`POST ${REQUESTS}`, async (data) => {
    const { number } = data as { number: number };
    github.at(github.world.now() + seconds * 1_000, async () => {
      for (const login of logins) await says(login, number, 'approve');
    });
  });
}
const endedAt = (result: BundleResult): string => result.outputs['finished-at'] ?? '';

describe('a token of an App', () => {
  const auth = () => ({ 'app-id': String(github.app.id), 'private-key': github.app.privateKey });

  test('is minted anew before it ends: a gate of three hours is approved', async () => {
    voteAfter(10_000);
    const result = await runBundle(gate({ ...auth(), timeout: '4h' }));
    expect(result.outputs['outcome']).toBe('approved');
    const minted = github.calls().filter(({ call }) => call.startsWith('POST /app/installations/'));
    expect(minted).toHaveLength(4);
    expect(github.calls().filter(({ status }) => status === 401)).toHaveLength(0);
  });

  test('that is withdrawn while the gate waits is replaced', async () => {
    voteAfter(600);
    github.at(github.world.now() + 300_000, async () => {
      for (const [shown, caller] of github.world.callers)
        if (caller.endsAt !== undefined) github.world.callers.delete(shown);
    });
    const result = await runBundle(gate(auth()));
    expect(result.outputs['outcome']).toBe('approved');
  });

  test('is masked, and so is the key', async () => {
    voteAfter(1);
    const result = await runBundle(gate(auth()));
    const shown = result.stdout.replace(/::add-mask::.*/g, '');
    expect(shown).not.toContain('ghs_');
    expect(shown).not.toContain('PRIVATE KEY');
  });

  test('with a key that is none says so', async () => {
    const result = await runBundle(gate({ ...auth(), 'private-key': 'nonsense' }));
    expect(result.annotations[0]?.message).toContain('private-key cannot be used');
  });
});

describe('a window', () => {
  test('is waited for after the approval, and the change to summer time is minded', async () => {
    voteAfter(60);
    const result = await runBundle(
      gate({ windows: SECOND_SUNDAY, timeout: '5h' }, { from: Date.parse('2026-03-08T04:00:00Z') }),
    );
    expect(result.outputs['outcome']).toBe('approved');
    expect(endedAt(result)).toMatch(/^2026-03-08T07:00:/);
    expect(result.stdout).toContain('the window to open at 2026-03-08T07:00:00Z');
  });

  test('a denial while it is waited for still denies', async () => {
    github.afterNext(`POST ${REQUESTS}`, async (data) => {
      const { number } = data as { number: number };
      for (const login of ['alice', 'bob']) await says(login, number, 'approve');
      github.at(github.world.now() + 3_600_000, async () => void (await says('carol', number, 'deny')));
    });
    const result = await runBundle(
      gate({ windows: SECOND_SUNDAY, timeout: '5h' }, { from: Date.parse('2026-03-08T04:00:00Z') }),
    );
    expect(result.outputs['outcome']).toBe('denied');
  });

  test('that closes before the approval comes lets nobody in', async () => {
    voteAfter(3_600);
    const result = await runBundle(
      gate({ windows: SECOND_SUNDAY, timeout: '3h' }, { from: Date.parse('2026-03-08T08:30:00Z') }),
    );
    expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'outside-window', approval: '' } });
  });

  test('beyond the limit of the gate is refused with what to do instead', async () => {
    const result = await runBundle(gate({ windows: SECOND_SUNDAY, timeout: '5h' }, { from: MARCH }));
    expect(result.exitCode).toBe(1);
    expect(result.annotations[0]?.message).toContain(
      'start the run by a schedule shortly before 2026-03-08T07:00:00Z, or raise timeout',
    );
    expect(result.outputs['issue-number'] ?? '').toBe('');
  });

  test('outside of it with warn, the approval holds and the warning stands at the run', async () => {
    voteAfter(1);
    const result = await runBundle(gate({ windows: SECOND_SUNDAY, 'outside-window': 'warn' }, { from: MARCH }));
    expect(result.outputs['outcome']).toBe('approved');
    expect(result.annotations.map(({ message }) => message).join()).toContain('Approved outside of the window');
  });

  test('and a freeze on the default branch: the freeze wins', async () => {
    github.world.files.set(
      'freezes.yml',
      '- { from: 2026-03-07, to: 2026-03-09, tz: America/New_York, reason: audit }',
    );
    const inputs = { windows: SECOND_SUNDAY, 'freeze-file': 'freezes.yml', 'outside-window': 'fail' };
    const result = await runBundle(gate(inputs, { from: Date.parse('2026-03-08T07:30:00Z') }));
    expect(result.annotations[0]?.message).toContain('frozen: audit');
  });
});

describe('notices', () => {
  const runAt = (moment: string) =>
    runBundle(gate({ mode: 'notices', windows: SECOND_SUNDAY, notify: 'acme/on-call' }, { from: Date.parse(moment) }));

  test('go out one week, a day and an hour before, each once', async () => {
    const told: string[] = [];
    for (const moment of ['02-28T00:00', '03-01T07:30', '03-01T09:00', '03-07T07:30', '03-08T06:10', '03-08T06:40']) {
      const result = await runAt(`2026-${moment}:00Z`);
      told.push(
        `${result.outputs['outcome']} ${(JSON.parse(result.outputs['notice'] || '{}') as { lead?: string }).lead ?? ''}`.trim(),
      );
    }
    expect(told).toEqual([
      'nothing-due',
      'notified 1 week',
      'nothing-due',
      'notified 24 hours',
      'notified 1 hour',
      'nothing-due',
    ]);
  });

  test('stand in one issue of the window and mention whom they should', async () => {
    const { outputs } = await runAt('2026-03-01T07:30:00Z');
    const { data } = await github.as('alice', `GET ${REQUESTS}/${outputs['issue-number']}`);
    expect(data).toMatchObject({
      title: 'Maintenance window of production at 2026-03-08T07:00:00Z',
      body: expect.stringContaining('@acme/on-call'),
    });
  });
});

describe('an emergency', () => {
  test('is let in with a mark, a warning and a review that is due within a day', async () => {
    github.afterNext(`POST ${REQUESTS}`, async (data) => {
      const { number, body } = data as { number: number; body: string };
      const code = /`\/override ([0-9a-f]{6}) REASON`/.exec(body)?.[1];
      await says('nora', number, `/override ${code} payments are down since 14:05`);
    });
    const inputs = { 'override-approvers': 'user:nora', windows: SECOND_SUNDAY, timeout: '5h' };
    const result = await runBundle(gate(inputs, { from: MARCH }));
    expect(result).toMatchObject({
      exitCode: 0,
      outputs: { outcome: 'overridden', override: 'true', 'approved-by': 'nora' },
    });
    expect(JSON.parse(result.outputs['approval'] ?? '')).toMatchObject({ override: true });
    expect(JSON.parse(result.outputs['record'] ?? '')).toMatchObject({
      outcome: 'overridden',
      override: { reason: 'payments are down since 14:05' },
    });
    const { data } = await github.as('alice', `GET ${REQUESTS}/${result.outputs['review-url']?.split('/').at(-1)}`);
    expect(data).toMatchObject({ state: 'open', title: expect.stringMatching(/by 2026-03-02T00:00:/) });
  });
});

describe('the record', () => {
  test('says who, what and when by ids, and carries on the chain of the file', async () => {
    let file = '';
    for (const run of ['1', '2']) {
      github.setRun({ id: run, actor: 'dave', triggeringActor: 'dave', attempt: 1, commit: 'c0ffee0123456789' });
      voteAfter(5);
      const { written, outputs } = await runBundle(
        gate(
          { 'record-file': 'approvals.jsonl' },
          { from: github.world.now(), files: file === '' ? {} : { 'approvals.jsonl': file } },
        ),
      );
      file = written['approvals.jsonl'] ?? '';
      expect(sha256(outputs['record'] ?? '')).toBe(outputs['record-sha256']);
    }
    expect(checkChain(file, sha256)).toMatchObject({ ok: true, length: 2 });
    const [first] = file
      .split('\n')
      .map((line) => (line === '' ? undefined : (JSON.parse(line) as { record: object }).record));
    expect(first).toMatchObject({
      outcome: 'approved',
      eligibleAtOpening: [3, 4, 5],
      comments: [
        { authorId: 3, counted: 'approve' },
        { authorId: 4, counted: 'approve' },
      ],
    });
  });

  test('a file whose chain is broken is found before anybody is asked', async () => {
    const result = await runBundle(
      gate({ 'record-file': 'approvals.jsonl' }, { files: { 'approvals.jsonl': 'hello\n' } }),
    );
    expect(result.annotations[0]?.message).toContain('The record file is broken in line 1');
    expect(github.calls().filter(({ call, who }) => call === `POST ${REQUESTS}` && who === JOB)).toHaveLength(0);
  });
});

describe('rights', () => {
  test('that are missing are all named at once, before anything is opened', async () => {
    const token = await startGitHub({
      repository: 'acme/shop',
      people: { alice: 'write', bob: 'read', carol: 'read', dave: 'write' },
      jobGrants: { actions: 'read' },
    });
    token.setRun({ id: '1', actor: 'dave', triggeringActor: 'dave', attempt: 1, commit: 'c0ffee' });
    const run = gate({ token: token.tokens['github-actions'] ?? '', exclude: 'commit-authors' });
    const result = await runBundle({ ...run, env: { ...run.env, GITHUB_API_URL: token.url } }).finally(() =>
      token.close(),
    );
    const message = result.annotations[0]?.message;
    expect(message).toContain('pull_requests=read');
    expect(message).toContain('issues=read for the requests');
    expect(message).toContain('Grant the job pull-requests: read, issues: read');
  });
});
