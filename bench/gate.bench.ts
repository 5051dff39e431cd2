import { type GitHubCall, type SandboxGitHub, startGitHub } from '../sandbox/github/front.ts';
import { type BundleResult, type BundleRun, runBundle } from '../test/harness/run-bundle.ts';
import type { Bench, Figure } from './figures.ts';

/** One look every 10 s, none of them conditional: trstringer/manual-approval 1.13, read and measured. */
const PEER_CALLS = 360;
/** Of the job's own token: 1,000 requests an hour for the whole repository (docs, "Rate limits for the REST API"). */
const HOURLY_QUOTA = 1_000;
const REQUESTS = '/repos/acme/shop/issues';
const JOB = 'github-actions[bot]';
/** Seconds after the opening at which the deciding comment is written; the looks come every two seconds, jittered. */
const MOMENTS = [1, 9.4, 17.7, 26.1, 38.9, 51.3, 64.2, 77.7, 90.5, 101.9, 110.1, 117.6];

const bench: Bench = {
  title:
    'approval-gate: what waiting costs, and how soon a verdict is one (lock-step time, 120 ms for every answer of the server)',
  async run() {
    return [await waitingHour(), await timeToDecide(), await sideBySide()];
  },
};
export default bench;

async function withGitHub<T>(work: (github: SandboxGitHub) => Promise<T>): Promise<T> {
  const people = { alice: 'write', bob: 'read', carol: 'read', dave: 'write' } as const;
  const github = await startGitHub({ repository: 'acme/shop', people });
  return work(github).finally(() => github.close());
}

function gateOf(github: SandboxGitHub, run: string, timeout: string): BundleRun {
  github.setRun({ id: run, actor: 'dave', triggeringActor: 'dave', attempt: 1, commit: 'c0ffee0123456789' });
  const images = JSON.stringify({ web: { repository: 'acme/web', digest: `sha256:${'a'.repeat(64)}`, tag: '1.4.0' } });
  return {
    action: 'approval-gate',
    inputs: {
      environment: 'production',
      images,
      approvers: 'user:alice\nuser:bob\nuser:carol',
      'minimum-approvals': '2',
      timeout,
      token: github.tokens['github-actions'] ?? '',
    },
    env: { GITHUB_API_URL: github.url, GITHUB_REPOSITORY: 'acme/shop', GITHUB_RUN_ID: run, GITHUB_RUN_ATTEMPT: '1' },
    clock: { lockStepFrom: Math.max(Date.now(), github.world.now()) },
    timeout: 300_000,
  };
}

const counted = (calls: readonly GitHubCall[]): number =>
  calls.filter(({ who, status }) => who === JOB && status !== 304).length;

function expectOutcome(result: BundleResult, outcome: string): void {
  if (result.outputs['outcome'] !== outcome)
    throw new Error(
      `The gate ended with ${result.outputs['outcome']} instead of ${outcome}:\n${result.stdout}${result.stderr}`,
    );
}

/** One vote comes, the other never does. Opening and closing are counted, too. */
const waitingHour = (): Promise<Figure> =>
  withGitHub(async (github) => {
    github.afterNext(`POST ${REQUESTS}`, async (data) => {
      const { number } = data as { number: number };
      await github.as('alice', `POST ${REQUESTS}/${number}/comments`, { body: 'approve' });
    });
    expectOutcome(await runBundle(gateOf(github, '1', '1h')), 'expired');
    return {
      name: 'calls that count, in an hour of waiting',
      value: counted(github.calls()),
      unit: 'calls',
      goal: 40,
      comparison: { name: 'manual-approval', value: PEER_CALLS },
    };
  });

const timeToDecide = (): Promise<Figure> =>
  withGitHub(async (github) => {
    const times: number[] = [];
    for (const [index, moment] of MOMENTS.entries())
      times.push(await decidedAfter(github, String(100 + index), moment));
    return { name: 'deciding comment to the end, slowest of 12', value: Math.max(...times), unit: 's', goal: 6 };
  });

async function decidedAfter(github: SandboxGitHub, run: string, moment: number): Promise<number> {
  let written = 0;
  github.afterNext(`POST ${REQUESTS}`, async (data) => {
    const { number } = data as { number: number };
    await github.as('alice', `POST ${REQUESTS}/${number}/comments`, { body: 'approve' });
    github.at(github.world.now() + moment * 1_000, async () => {
      written = github.world.now();
      await github.as('bob', `POST ${REQUESTS}/${number}/comments`, { body: 'approve' });
    });
  });
  expectOutcome(await runBundle(gateOf(github, run, '10m')), 'approved');
  return ((github.calls().at(-1)?.at ?? Number.NaN) - written) / 1_000;
}

const sideBySide = (): Promise<Figure> =>
  withGitHub(async (github) => {
    const gates = ['201', '202', '203'].map((run) => gateOf(github, run, '6h'));
    for (const result of await Promise.all(gates.map((gate) => runBundle(gate)))) expectOutcome(result, 'expired');
    return {
      name: 'three gates of 6 h: share of the hourly quota',
      value: (100 * counted(github.calls())) / 6 / HOURLY_QUOTA,
      unit: '%',
      goal: 10,
      comparison: { name: 'three of manual-approval', value: (100 * 3 * PEER_CALLS) / HOURLY_QUOTA },
    };
  });
