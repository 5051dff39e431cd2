import { completeProxies } from './proxies.ts';
import { setMaxListeners } from 'node:events';
import { systemClock } from '../adapters/system/clock.ts';
import type { Instant } from '../domain/duration.ts';
import { Failure, messageOf } from '../domain/failure.ts';
import { InvalidInput, type InputSpec } from '../domain/inputs.ts';
import type { Report } from '../domain/report.ts';
import type { ActionDefinition } from './action.ts';
import { type Stop, type StopWatch, watchForStop } from './cancellation.ts';
import { type End, type Ending, endingOf } from './ending.ts';
import { type RunnerLog, runnerLog } from './log.ts';
import { problemsBetween } from './between-inputs.ts';
import { type ResolvedInput, readInputs } from './read-inputs.ts';
import { runIdentity } from './run-identity.ts';
import { type RunnerFiles, openRunnerFiles, savedByMain } from './runner-files.ts';
import { renderSummary } from './summary.ts';
import { openTools } from './tools.ts';

export type Phase = 'main' | 'post';

/** State that tells `post` how far `main` came; see docs/reference/workflows-and-actions, "Sending values to the pre and post actions". */
const MAIN_STATE = 'sluice-main';
/** How long open handles (an idle connection, a forgotten timer) may hold the step after everything is written. Milliseconds. */
const LINGER = 500;

/** One run of one phase: what is made once and read by all parts below. */
interface Step {
  readonly action: string;
  readonly phase: Phase;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: RunnerLog;
  readonly watch: StopWatch;
  readonly startedAt: Instant;
  /** That were begun and not refused for certain. */
  writes: number;
  /** What goes on without it, as a sentence. */
  left: string | undefined;
  /** The work goes on although the run has ended: nothing but an exit stops it. */
  stuck: boolean;
}

/**
 * Runs one phase of an action from its variables to its exit code: the one place for catching, masking, cancellation,
 * outputs, summary and annotations. Never rejects. `post` is an entry of its own, because a state cannot tell it from a
 * `main` that was killed before it saved any.
 */
export async function runAction<S extends InputSpec, Request>(
  definition: ActionDefinition<S, Request>,
  phase: Phase,
): Promise<void> {
  completeProxies(process.env);
  const log = runnerLog({ write: (lines) => process.stdout.write(lines) });
  const watch = watchForStop((line) => log.info(line));
  setMaxListeners(0, watch.signal);
  const { name: action } = definition;
  const step: Step = {
    action,
    phase,
    environment: process.env,
    log,
    watch,
    startedAt: systemClock().now(),
    writes: 0,
    left: undefined,
    stuck: false,
  };
  const end = phase === 'main' ? await runMain(definition, step) : await runPost(definition, step);
  if (end !== undefined) {
    const ending = endingOf(end, {
      action,
      changing: step.writes > 0 ? 'yes' : 'no',
      ...(step.left === undefined ? {} : { left: step.left }),
      startedAt: step.startedAt,
      finishedAt: systemClock().now(),
      followedBy: phase === 'main' && definition.post !== undefined ? 'post' : 'next-run',
      ...issuesPage(step.environment),
    });
    await tell(ending, step);
  }
  watch.close();
  leave(step);
}

async function runMain<S extends InputSpec, Request>(
  definition: ActionDefinition<S, Request>,
  step: Step,
): Promise<End | undefined> {
  return supervise(step, async () => {
    const { request, resolved, dryRun } = await readRequest(definition, step);
    if (dryRun) step.log.verbatim('Inputs, as they are resolved', resolved.map(resolvedLine).join('\n'));
    const files = await openRunnerFiles(step.environment);
    // A dry run changes nothing, so its post has nothing to look after even when it is killed.
    if (!dryRun) files.saveState(MAIN_STATE, 'began');
    step.watch.signal.throwIfAborted();
    return definition.main(request, toolsOf(step, files));
  });
}

/** Looks after a `main` that began and did not end by itself. */
async function runPost<S extends InputSpec, Request>(
  definition: ActionDefinition<S, Request>,
  step: Step,
): Promise<End | undefined> {
  const { post, underWay } = definition;
  const main = savedByMain(step.environment, MAIN_STATE);
  const isUnderWay = underWay !== undefined && savedByMain(step.environment, underWay) !== undefined;
  if (post === undefined || (main !== 'began' && !isUnderWay)) {
    step.log.debug(`Nothing to look after: main ${main === undefined ? 'did not begin' : 'ended by itself'}`);
    return undefined;
  }
  return supervise(step, async () => {
    const tools = toolsOf(step, await openRunnerFiles(step.environment));
    await definition.sweep?.(tools);
    const { request } = await readRequest(definition, step);
    step.watch.signal.throwIfAborted();
    return post(request, tools);
  });
}

async function readRequest<S extends InputSpec, Request>(definition: ActionDefinition<S, Request>, step: Step) {
  const inputs = await readInputs(definition.spec, {
    action: step.action,
    environment: step.environment,
    workspace: runIdentity(step.environment).workspace,
    mask: step.log.mask,
  });
  if (!inputs.ok) {
    const between = 'rest' in inputs && inputs.rest !== undefined ? problemsBetween(definition, inputs.rest) : [];
    throw new InvalidInput(`The inputs of ${step.action}`, [...inputs.problems, ...between]);
  }
  const { values, resolved, given } = inputs.value;
  const request = definition.toRequest(values, given);
  if (!request.ok) throw new InvalidInput(`The inputs of ${step.action}`, request.problems);
  return {
    request: request.value,
    resolved,
    dryRun: Object.entries(values).some(([name, value]) => name === 'dry-run' && value === true),
  };
}

const toolsOf = (step: Step, files: RunnerFiles) =>
  openTools({
    environment: step.environment,
    log: step.log,
    watch: step.watch,
    files,
    onChange() {
      step.writes += 1;
      return () => void (step.writes -= 1);
    },
    onLeave: (said) => (step.left = said),
  });

const resolvedLine = ({ name, shown, origin }: ResolvedInput): string =>
  origin === 'not given' ? `${name}: not given` : `${name}: ${shown}  (${origin})`;

type Settled =
  | { readonly kind: 'reported'; readonly report: Report | undefined }
  | { readonly kind: 'threw'; readonly thrown: unknown };

/** Waits for the work or for a reason to stop it. On a stop the work may settle first, then the restoring call is made. */
async function supervise(step: Step, work: () => Promise<Report | undefined>): Promise<End | undefined> {
  const { watch } = step;
  const settled = work().then<Settled, Settled>(
    (report) => ({ kind: 'reported', report }),
    (thrown: unknown) => ({ kind: 'threw', thrown }),
  );
  const first = await Promise.race([settled, watch.stopped]);
  if (watch.stop === undefined && (first.kind === 'reported' || first.kind === 'threw')) return endOf(first, watch);
  const stop: Stop = await watch.stopped;
  const late = await Promise.race([settled, pause(stop.budget.settle)]);
  step.stuck = late === undefined;
  // It came to its own end while the signal was on its way: that end holds, and nothing is taken back.
  if (late?.kind === 'reported' && stop.kind === 'cancelled') return endOf(late, watch);
  const restored = await watch.restore(stop.budget.restore);
  return { kind: 'stopped', stop, restored, ...(late?.kind === 'threw' ? { alsoThrown: late.thrown } : {}) };
}

async function endOf(settled: Settled, watch: StopWatch): Promise<End | undefined> {
  if (settled.kind === 'reported') return settled.report && { kind: 'reported', report: settled.report };
  const { thrown } = settled;
  // A Failure says itself what is true and what to do; after a bug nobody knows, so the safe state is restored at once.
  const restored =
    thrown instanceof Failure ? ({ kind: 'nothing-to-restore' } as const) : await watch.restore(RESTORE_AFTER_BUG);
  return { kind: 'threw', thrown, restored };
}

const RESTORE_AFTER_BUG = 5_000;

const pause = (length: number): Promise<undefined> => new Promise((resolve) => setTimeout(resolve, length, undefined));

/** Says the end and writes it to the runner's files. What cannot be written is said, and makes the step red. */
async function tell(ending: Ending, step: Step): Promise<void> {
  const { log } = step;
  process.exitCode = ending.exitCode;
  for (const line of ending.lines) log.info(line);
  for (const annotation of ending.annotations) log.annotate(annotation);
  for (const line of ending.debug) log.debug(line);
  const attempt = async (what: string, write: () => void | Promise<void>): Promise<void> => {
    try {
      await write();
    } catch (thrown) {
      process.exitCode ||= 1;
      log.annotate({ level: 'error', title: step.action, message: `Could not write ${what}: ${messageOf(thrown)}` });
    }
  };
  const files = await openRunnerFiles(step.environment);
  if (step.phase === 'main' && ending.endedByItself) {
    await attempt('that main ended', () => files.saveState(MAIN_STATE, 'ended'));
  }
  for (const [name, value] of Object.entries(ending.outputs)) {
    await attempt(`output ${name}`, () => files.setOutput(name, log.hide(value)));
  }
  await attempt('the summary', () => files.writeSummary(log.hide(renderSummary(ending.summary))));
}

/** Ends the process soon, with the exit code that is set, whatever is still open. */
function leave(step: Step): void {
  // A main that ignores the stop must not write after the safe state was restored.
  if (step.stuck) process.exit();
  setTimeout(() => process.exit(), LINGER).unref();
}

function issuesPage(environment: NodeJS.ProcessEnv): { readonly issues?: string } {
  const server = environment['GITHUB_SERVER_URL'];
  const repository = environment['GITHUB_ACTION_REPOSITORY'];
  return server && repository ? { issues: `${server}/${repository}/issues` } : {};
}
