import type { Stack } from '../world.ts';
import { type Users, startUsers } from '../users/start-users.ts';
import type { StagePlan } from './plan.ts';
import { type StepResult, runStep } from './step.ts';
import type { StageStory } from './story.ts';

/** What all stages of one rehearsal share. */
export interface Chain {
  readonly workspace: string;
  /** Credentials, end points, and the variables that policies and checks name. */
  readonly env: Readonly<Record<string, string>>;
  /** The new release as the build hands it on, and the registry it is pulled from. */
  readonly images: string;
  readonly registry: string;
  readonly version: string;
  /** The grant of the gate before this stage. */
  readonly approval?: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The header by which the sandbox's listener sends a request to one color alone. */
export const COLOR_HEADER = 'x-sandbox-color';
const PATHS = ['/', '/analytics/realtime-charts', '/version'];
/** After a stage its users stay a little: a fault that shows late is still theirs. */
const AFTERMATH = 1_000;

/** Releases one stage under the eyes of its users. */
export async function releaseStage(plan: StagePlan, stack: Stack, chain: Chain): Promise<StageStory> {
  const say = (line: string): void => chain.say(`${plan.name.padEnd(12)} | ${line}`);
  const users = startUsers({
    url: stack.url,
    ratePerSecond: plan.usersPerSecond,
    paths: PATHS,
    ...(plan.host === undefined ? {} : { host: plan.host }),
    ...(plan.release === 'blue-green' ? { websockets: 5, websocketPath: '/analyticsHub' } : {}),
  });
  const begin = performance.now();
  const watching = watchUsers(users, say);
  try {
    const result =
      plan.release === 'blue-green' ? await shift(plan, stack, chain, say) : await roll(plan, stack, chain, say);
    await new Promise((resolve) => setTimeout(resolve, AFTERMATH));
    return { stage: plan.name, seconds: (performance.now() - begin) / 1_000, users: await secondsOf(users), ...result };
  } finally {
    clearInterval(watching);
    await users.stop();
  }
}

/** What a configuration without checks is smoke-tested by: the front page answers. */
const FRONT_PAGE = { paths: '/' };

const released = (chain: Chain) => ({ images: chain.images, registry: chain.registry });

type Ending = Omit<StageStory, 'stage' | 'seconds' | 'users'>;

/** deploy-ecs, then smoke-test; what the smoke test refuses goes back. */
async function roll(plan: StagePlan, stack: Stack, chain: Chain, say: (line: string) => void): Promise<Ending> {
  const step = stepsOf(plan, chain, say);
  const deployed = await step('deploy-ecs', released(chain));
  if (deployed.exitCode !== 0) return ended('deploy-ecs', deployed);
  const smoked = await step('smoke-test', {
    url: stack.url,
    ...(plan.checks === undefined ? FRONT_PAGE : { 'expect-version': chain.version }),
  });
  const back = smoked.exitCode === 0 ? undefined : await goBack(deployed, step);
  return ended('smoke-test', smoked, (back ?? deployed).outputs['outcome']);
}

/** As deploy.yml does: a revision that is steady and wrong goes back; one that was there before stays. */
async function goBack(deployed: StepResult, step: ReturnType<typeof stepsOf>): Promise<StepResult | undefined> {
  const { outcome, 'previous-task-definition-arn': to } = deployed.outputs;
  return outcome === 'succeeded' && to ? await step('deploy-ecs', { mode: 'rollback', to }) : undefined;
}

async function shift(plan: StagePlan, stack: Stack, chain: Chain, say: (line: string) => void): Promise<Ending> {
  const step = stepsOf(plan, chain, say);
  const grant =
    chain.approval === undefined
      ? {}
      : { 'require-approval': 'true', approval: chain.approval, environment: plan.name };
  const candidate = JSON.stringify({ [COLOR_HEADER]: '{color}' });
  return ended(
    'blue-green',
    await step('blue-green', { ...released(chain), ...grant, url: stack.url, 'candidate-headers': candidate }),
  );
}

function stepsOf(plan: StagePlan, chain: Chain, say: (line: string) => void) {
  return (action: string, inputs: Readonly<Record<string, string>>): Promise<StepResult> => {
    say(`${action} begins`);
    return runStep({
      action,
      inputs: { stage: plan.name, ...inputs },
      env: chain.env,
      workspace: chain.workspace,
      say,
      signal: chain.signal,
    });
  };
}

function ended(action: string, result: StepResult, outcome?: string): Ending {
  const { outputs, exitCode, error } = result;
  const { 'detected-at': detectedAt, 'restored-at': restoredAt, 'rollback-seconds': rollbackSeconds } = outputs;
  return {
    conclusion: exitCode === 0 ? 'success' : 'failure',
    outcome: outcome ?? outputs['outcome'] ?? `exit ${exitCode}`,
    headline:
      exitCode === 0
        ? `${action} succeeded`
        : (error ?? `${action} ended with exit code ${exitCode}`).replace(/^error: /, ''),
    ...(detectedAt ? { detectedAt } : {}),
    ...(restoredAt ? { restoredAt } : {}),
    ...(rollbackSeconds ? { rollbackSeconds } : {}),
  };
}

/** A line now and then: who answers the users, and how many requests fail. */
function watchUsers(users: Users, say: (line: string) => void): NodeJS.Timeout {
  let mark = users.mark();
  return setInterval(() => {
    const { sent, failed, byVersion } = users.since(mark);
    mark = users.mark();
    const answered = Object.values(byVersion).reduce((sum, count) => sum + count, 0);
    const shares = Object.entries(byVersion).map(
      ([version, count]) => `${version} ${Math.round((count / answered) * 100)} %`,
    );
    say(`users: ${sent} requests, ${failed} failed, answered by ${shares.join(', ') || 'nobody'}`);
  }, 5_000);
}

async function secondsOf(users: Users): Promise<StageStory['users']> {
  await users.stop();
  return users
    .timeline()
    .map(({ second, sent, failed, slow }) => ({ at: users.startedAt + second * 1_000, sent, failed, slow }));
}
