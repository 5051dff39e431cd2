import type { ResolvedScenario } from '../../domain/load/load.ts';
import { type Duration, milliseconds } from '../../domain/duration.ts';
import { type Attempt, attempt } from '../checks/attempt.ts';
import type { ChecksTarget } from '../checks/probe-check.ts';
import { type FlowState, newFlowState } from '../checks/run-flow.ts';
import type { Recorder } from './recorder.ts';
import type { LoadTools } from './run-load.ts';

export interface Iteration {
  readonly scenario: ResolvedScenario;
  readonly target: ChecksTarget;
  readonly secrets: readonly string[];
  /** When it was to start and when it did, in the time of the stopwatch. */
  readonly planned: number;
  readonly began: number;
  readonly recorder: Recorder;
}

export interface Traveller {
  /** Start of the load, in the time of the stopwatch. */
  readonly start: number;
  readonly tools: LoadTools;
  readonly signal: AbortSignal;
  /** Of scenarios with one step. */
  readonly single: FlowState;
}

/**
 * One user: the steps of a scenario, one after the other, until one fails. What the user waited for before the first one
 * (the generator, the limit of concurrency) is part of its response time. Gives the number of requests that nobody answered.
 */
export async function iterate(run: Iteration, { start, tools, signal, single }: Traveller): Promise<number> {
  const { scenario, target } = run;
  // Nothing is handed on where nothing follows.
  const state = scenario.steps.length === 1 ? single : newFlowState(run.secrets, tools);
  let late = run.began - run.planned;
  let dead = 0;
  for (const step of scenario.steps) {
    if (step.kind === 'think') {
      await tools.clock.sleep(state.thinkTime(step), signal);
      continue;
    }
    const filled = step.fill(state.values);
    if (!filled.ok) {
      record(
        run,
        { waits: [late], late: 0, error: `${step.name}: ${filled.problem}` },
        tools.stopwatch.elapsed() - start,
      );
      return dead;
    }
    const made = await attempt(filled.check, { target, secrets: state.secrets }, tools, signal);
    const failed = made.judgement.kind === 'fail';
    record(run, { ...outcomeOf(made, filled.check.timeout), late }, tools.stopwatch.elapsed() - start);
    if (made.ended === 'unanswered') dead += 1;
    if (failed) return dead;
    late = 0;
    if (state !== single) state.remember(made);
  }
  return dead;
}

interface Outcome {
  readonly waits: readonly number[];
  readonly late: number;
  readonly error: string | undefined;
  readonly version?: string;
}

/** A request that nobody answered took as long as its timeout, however fast it broke: it must not improve a percentile. */
function outcomeOf(made: Attempt, timeout: Duration): Omit<Outcome, 'late'> {
  const { judgement } = made;
  const waits =
    made.ended === 'unanswered'
      ? made.waits.with(-1, milliseconds(Math.max(made.waits.at(-1) ?? 0, timeout)))
      : made.waits;
  return {
    waits,
    error: judgement.kind === 'fail' ? judgement.reasons.join('; ') : undefined,
    ...(judgement.version === undefined ? {} : { version: judgement.version }),
  };
}

/** Only the last of several waits can be the one that failed. */
function record({ scenario, recorder }: Iteration, { waits, late, error, version }: Outcome, elapsed: number): void {
  const last = waits.length - 1;
  for (let index = 0; index <= last; index++) {
    const service = waits[index] ?? 0;
    recorder.add(
      {
        scenario: scenario.name,
        service,
        response: index === 0 ? service + late : service,
        error: index === last ? error : undefined,
        version: index === last ? version : undefined,
      },
      elapsed,
    );
  }
}
