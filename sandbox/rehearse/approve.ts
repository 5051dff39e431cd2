import { type SandboxGitHub, startGitHub } from '../github/front.ts';
import { runStep } from './step.ts';
import type { Chain } from './chain.ts';
import type { StageStory } from './story.ts';

const REPOSITORY = 'rehearsal/charts';
/** Who starts the rehearsal's run, and therefore cannot approve it. */
const INITIATOR = 'rehearsal';

export interface ApprovalPlan {
  readonly stage: string;
  readonly approvers: readonly string[];
  readonly minimum: number;
}

/** Whether the stage asks for approval, and of whom. */
export function approvalOf(stage: string, values: Readonly<Record<string, unknown>>): ApprovalPlan | undefined {
  const listed = values['approvers'];
  if (!Array.isArray(listed)) return undefined;
  return { stage, approvers: listed.map(String), minimum: Number(values['minimum-approvals'] ?? 1) };
}

/** The gate as a step of the chain: a request in the sandbox's GitHub, and as many of the named people as are needed say yes. */
export async function approve(
  plan: ApprovalPlan,
  chain: Chain,
): Promise<{ readonly story: StageStory; readonly approval: string }> {
  const people = plan.approvers
    .filter((entry) => entry.startsWith('user:'))
    .map((entry) => entry.slice('user:'.length));
  const github = await startGitHub({
    repository: REPOSITORY,
    people: { ...Object.fromEntries(people.map((login) => [login, 'write' as const])), [INITIATOR]: 'write' },
  });
  const say = (line: string): void => chain.say(`${'approval'.padEnd(12)} | ${line}`);
  try {
    const runId = chain.env['GITHUB_RUN_ID'] ?? '1';
    github.setRun({ id: runId, actor: INITIATOR, triggeringActor: INITIATOR, attempt: 1, commit: '0'.repeat(40) });
    github.afterNext(`POST /repos/${REPOSITORY}/issues`, (data) =>
      voteYes(github, (data as { number: number }).number, people.slice(0, plan.minimum), say),
    );
    say(`approval-gate begins: ${plan.minimum} of ${people.join(', ')}`);
    const result = await runStep({
      action: 'approval-gate',
      inputs: {
        stage: plan.stage,
        images: chain.images,
        token: github.tokens['github-actions'] ?? '',
        'settle-for': '1s',
      },
      env: { ...chain.env, GITHUB_API_URL: github.url, GITHUB_REPOSITORY: REPOSITORY },
      workspace: chain.workspace,
      say,
      signal: chain.signal,
    });
    const approved = result.exitCode === 0;
    return {
      approval: result.outputs['approval'] ?? '',
      story: {
        stage: 'approval',
        outcome: result.outputs['outcome'] ?? `exit ${result.exitCode}`,
        headline: approved ? `approved by ${result.outputs['approved-by'] ?? ''}` : (result.error ?? 'not approved'),
        seconds: result.seconds,
        users: [],
        conclusion: approved ? 'success' : 'failure',
      },
    };
  } finally {
    await github.close();
  }
}

async function voteYes(
  github: SandboxGitHub,
  issue: number,
  people: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  for (const login of people) {
    await github.as(login, `POST /repos/${REPOSITORY}/issues/${issue}/comments`, { body: 'approve' });
    say(`${login} comments: approve`);
  }
}
