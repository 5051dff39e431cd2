import { afterEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SandboxGitHub, startGitHub } from '../../sandbox/github/front.ts';
import type { CheckSeed, PullSeed } from '../../sandbox/github/world.ts';
import { type BundleResult, runBundle } from '../harness/run-bundle.ts';

const COMMIT = 'c0ffee0123456789c0ffee0123456789c0ffee01';
const IMAGES = JSON.stringify({ api: { repository: 'a/b', digest: `sha256:${'a'.repeat(64)}`, tag: '1.4.0' } });

let github: SandboxGitHub | undefined;
afterEach(async () => github?.close());

interface Play {
  readonly system: 'mdreader' | 'accunode' | 'financeanalyst-pro';
  readonly stage: string;
  /** When the run starts; dave starts each one. */
  readonly at?: string;
  readonly world?: (github: SandboxGitHub) => void;
  /** Comments in their order, an hour before the deadline at the latest. `CODE` becomes that of the request. */
  readonly says?: readonly (readonly [login: string, words: string])[];
  readonly asks?: 'the job' | 'the App';
  readonly mode?: 'wait' | 'notices';
}

/** The gate of an example as its own sluice.yml configures it, asked of the sandbox's GitHub. */
async function play({
  system,
  stage,
  at = '2026-11-25T12:00:00Z',
  world,
  says = [],
  asks = 'the job',
  mode = 'wait',
}: Play): Promise<BundleResult> {
  const owner = system === 'financeanalyst-pro' ? 'financeanalyst' : system;
  github = await startGitHub({
    repository: `${owner}/app`,
    people: { alice: 'write', bob: 'write', carol: 'write', dave: 'write', nora: 'write', mallory: 'read' },
  });
  const hub = github;
  hub.setRun({ id: '1', actor: 'dave', triggeringActor: 'dave', attempt: 1, commit: COMMIT });
  hub.world.beginAt(Date.parse(at));
  world?.(hub);
  hub.afterNext(`POST /repos/${owner}/app/issues`, async (data) => {
    const { number, body } = data as { number: number; body: string };
    const code = /`\/override ([0-9a-f]{6}) REASON`/.exec(body)?.[1] ?? '';
    for (const [login, words] of says)
      await hub.as(login, `POST /repos/${owner}/app/issues/${number}/comments`, { body: words.replace('CODE', code) });
  });
  const folder = join(import.meta.dirname, '../../examples', system);
  return runBundle({
    action: 'approval-gate',
    inputs: {
      mode,
      stage,
      images: IMAGES,
      token: hub.tokens['github-actions'] ?? '',
      timeout: '30m',
      ...(asks === 'the App' ? { 'app-id': String(hub.app.id), 'private-key': hub.app.privateKey } : {}),
    },
    files: { 'sluice.yml': readFileSync(join(folder, 'sluice.yml'), 'utf8') },
    env: {
      GITHUB_API_URL: hub.url,
      GITHUB_REPOSITORY: `${owner}/app`,
      GITHUB_RUN_ID: '1',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_SHA: COMMIT,
    },
    clock: { lockStepFrom: Date.parse(at) },
  });
}

const outcomeOf = ({ outputs }: BundleResult) => [outputs['outcome'], outputs['approved-by']];
const pull = (more: Partial<PullSeed>): PullSeed => ({
  number: 7,
  author: 'mallory',
  labels: [],
  files: ['api/main.ts'],
  commits: [{ sha: COMMIT, author: 'mallory' }],
  ...more,
});

describe('mdreader: three named approvers, two must approve', () => {
  const gate = (...says: readonly (readonly [string, string])[]) => play({ system: 'mdreader', stage: 'prod', says });

  test('two do, and the request names the digest that will be deployed', async () => {
    const result = await gate(['alice', 'approve'], ['carol', 'lgtm']);
    expect(outcomeOf(result)).toEqual(['approved', 'alice,carol']);
    const { data } = (await github?.as('alice', 'GET /repos/mdreader/app/issues/1')) as { data: { body: string } };
    expect(data.body).toContain(`sha256:${'a'.repeat(64)}`);
  });
  test('one and somebody who is not named are not two', async () => {
    expect(outcomeOf(await gate(['alice', 'approve'], ['mallory', 'approve'], ['dave', 'approve']))[0]).toBe('expired');
  });
});

describe('accunode: a person, after scan and tests of this commit', () => {
  const GREEN: readonly CheckSeed[] = ['unit', 'security scan'].map((name) => ({
    name,
    status: 'completed',
    conclusion: 'success',
    app: 'github-actions',
  }));
  const gate = (checks: readonly CheckSeed[], login = 'alice') =>
    play({
      system: 'accunode',
      stage: 'production',
      says: [[login, 'approve']],
      world: ({ world }) => {
        world.checks.set(COMMIT, checks);
        world.pulls.set(COMMIT, [pull({ author: 'bob', commits: [{ sha: COMMIT, author: 'bob' }] })]);
      },
    });

  test('approves', async () => {
    expect(outcomeOf(await gate(GREEN))).toEqual(['approved', 'alice']);
  });
  test('nobody is asked while the scan is red', async () => {
    const red = GREEN.map((check) => (check.name === 'unit' ? check : { ...check, conclusion: 'failure' }));
    const result = await gate(red);
    expect(result.exitCode).toBe(1);
    expect(result.annotations[0]?.message).toContain(
      'The gate for production was not opened: security scan@github-actions is failure',
    );
    expect(result.outputs['issue-number'] ?? '').toBe('');
  });
  test('who wrote the commit does not approve it', async () => {
    expect(outcomeOf(await gate(GREEN, 'bob'))[0]).toBe('expired');
  });
});

describe('financeanalyst-pro: windows, change control, emergencies', () => {
  const IN_WINDOW = '2026-12-13T07:10:00Z';
  const teams = (hub: SandboxGitHub): void => {
    hub.world.teams.set('financeanalyst/releasers', ['alice', 'dave']);
    hub.world.teams.set('financeanalyst/business', ['bob']);
    hub.world.teams.set('financeanalyst/security', ['carol']);
    hub.world.teams.set('financeanalyst/on-call', ['nora']);
  };
  const gate = async (
    change: PullSeed,
    more: Pick<Play, 'at' | 'says' | 'mode' | 'asks'> & { readonly freezes?: string },
  ) => {
    const { freezes = '[]', ...rest } = more;
    return play({
      system: 'financeanalyst-pro',
      stage: 'production',
      at: IN_WINDOW,
      asks: 'the App',
      ...rest,
      world: (hub) => {
        teams(hub);
        hub.world.pulls.set(COMMIT, [change]);
        hub.world.files.set('.github/freezes.yml', freezes);
      },
    });
  };

  test.each([
    ['a change behind both needs a releaser alone', pull({}), ['alice'], 'approved'],
    ['what users see needs the business, too', pull({ labels: ['user-facing'] }), ['alice'], 'expired'],
    ['and has it', pull({ labels: ['user-facing'] }), ['alice', 'bob'], 'approved'],
    [
      'infrastructure needs security, and the business is not security',
      pull({ files: ['infra/vpc.tf'] }),
      ['alice', 'bob'],
      'expired',
    ],
    ['and has it', pull({ files: ['infra/vpc.tf'] }), ['alice', 'carol'], 'approved'],
  ])('%s', async (_, change, logins, outcome) => {
    const result = await gate(change, { says: logins.map((login) => [login, 'approve'] as const) });
    expect(outcomeOf(result)[0]).toBe(outcome);
  });

  test('outside of the window nothing is asked, and the next one is named', async () => {
    const result = await gate(pull({}), { at: '2026-12-07T12:00:00Z' });
    expect(result.exitCode).toBe(1);
    expect(result.annotations[0]?.message).toContain('2026-12-13T07:00:00Z');
  });

  test('a freeze of the default branch wins over the window', async () => {
    const text = readFileSync(
      join(import.meta.dirname, '../../examples/financeanalyst-pro/.github/freezes.yml'),
      'utf8',
    );
    const result = await gate(pull({}), { freezes: text, says: [['alice', 'approve']] });
    expect(result.exitCode).toBe(1);
    expect(result.annotations[0]?.message).toContain('end of the year');
  });

  test('an emergency is let in by whoever is on call, told to all, and reviewed within a day', async () => {
    const result = await gate(pull({}), {
      at: '2026-12-07T12:00:00Z',
      says: [['nora', '/override CODE payments are down since 11:40']],
    });
    expect(outcomeOf(result)).toEqual(['overridden', 'nora']);
    const review = (await github?.as(
      'alice',
      `GET /repos/financeanalyst/app/issues/${result.outputs['review-url']?.split('/').at(-1)}`,
    )) as { data: { title: string; body: string } };
    expect(review.data.title).toMatch(/by 2026-12-08T12:00:/);
    expect(review.data.body).toContain('@financeanalyst/everybody');
  });

  test('a week before, people hear of the window by the workflow of the notices', async () => {
    const result = await gate(pull({}), { at: '2026-12-06T07:30:00Z', mode: 'notices' });
    expect(JSON.parse(result.outputs['notice'] ?? '')).toMatchObject({ lead: '1 week', from: '2026-12-13T07:00:00Z' });
  });

  test('without an App, teams cannot be read, and one sentence says so', async () => {
    const result = await gate(pull({}), { asks: 'the job' });
    expect(result.annotations[0]?.message.split('members=read for the approvers')).toHaveLength(2);
  });
});
