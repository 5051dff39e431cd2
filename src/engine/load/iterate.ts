import type { ResolvedScenario } from '../../domain/load/load.ts';
import { type Duration, milliseconds } from '../../domain/duration.ts';
import { type Attempt, attempt, judgedAnswer } from '../checks/attempt.ts';
import { type ChecksTarget, plainCheck } from '../checks/probe-check.ts';
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
  /** Called when it has ended, however. */
  back(): void;
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
export async function iterate(run: Iteration, traveller: Traveller): Promise<number> {
  const { scenario, target, recorder } = run;
  const { start, tools, signal, single } = traveller;
  // Nothing is handed on where nothing follows.
  const state = scenario.steps.length === 1 ? single : newFlowState(run.secrets, tools);
  let late = run.began - run.planned;
  try {
    for (const step of scenario.steps) {
      if (step.kind === 'think') {
        await tools.clock.sleep(state.thinkTime(step), signal);
        continue;
      }
      const filled = step.fill(state.values);
      if (!filled.ok) {
        record(run, { waits: [late], late: 0, error: `${step.name}: ${filled.problem}` }, traveller);
        return 0;
      }
      const { check } = filled;
      const plain = plainCheck(check, target);
      const answer = plain && (await tools.prober.probe(plain, signal));
      // Most answers of a load pass by their status: for them nothing is made that would only be thrown away.
      if (answer?.kind === 'answered' && plain?.statusSuffices(answer.status) === true) {
        const { duration: service } = answer;
        recorder.add(
          { scenario: scenario.name, service, response: service + late, error: undefined, version: undefined },
          tools.stopwatch.elapsed() - start,
        );
      } else {
        const around = { target, secrets: state.secrets };
        const made = answer
          ? judgedAnswer(check, answer, around, tools.clock)
          : await attempt(check, around, tools, signal);
        record(run, { ...outcomeOf(made, check.timeout), late }, traveller);
        if (made.judgement.kind === 'fail') return made.ended === 'unanswered' ? 1 : 0;
        if (state !== single) state.remember(made);
      }
      late = 0;
    }
    return 0;
  } finally {
    run.back();
  }
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
function record(
  { scenario, recorder }: Iteration,
  { waits, late, error, version }: Outcome,
  { start, tools }: Traveller,
): void {
  const elapsed = tools.stopwatch.elapsed() - start;
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
