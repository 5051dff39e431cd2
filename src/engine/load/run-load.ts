import type { RandomValues } from '../../domain/checks/document.ts';
import { type Duration, type Instant, formatDuration, milliseconds } from '../../domain/duration.ts';
import { lengthOf } from '../../domain/load/arrivals.ts';
import { type PairedBlocks, newPairedBlocks } from '../../domain/load/blocks.ts';
import { type ResolvedLoad, type ResolvedScenario, longestOf } from '../../domain/load/load.ts';
import type { Generator } from '../../domain/load/measured.ts';
import { weightedTurns } from '../../domain/load/weighted.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Histogram, Histograms } from '../../ports/histogram.ts';
import type { Log } from '../../ports/log.ts';
import type { Prober } from '../../ports/prober.ts';
import type { Stopwatch } from '../../ports/stopwatch.ts';
import type { ChecksTarget } from '../checks/probe-check.ts';
import { newFlowState } from '../checks/run-flow.ts';
import { iterate } from './iterate.ts';
import { type Recorder, SLICE, newRecorder } from './recorder.ts';
import { runClosed } from './run-closed.ts';
import { runOpen } from './run-open.ts';

export interface LoadTools {
  readonly prober: Prober;
  readonly clock: Clock;
  readonly stopwatch: Stopwatch;
  readonly histograms: Histograms;
  readonly log: Log;
  readonly random: RandomValues;
  readonly mask: (secret: string) => void;
}

export interface LoadRequest {
  readonly load: ResolvedLoad;
  readonly target: ChecksTarget;
  /** The release before, when the load is shared with it. */
  readonly stable?: ChecksTarget;
  readonly secrets: readonly string[];
}

export interface LoadRun {
  readonly recorder: Recorder;
  readonly stable?: Recorder;
  /** Of both, when there is a stable one. */
  readonly blocks?: PairedBlocks;
  readonly generator: Generator;
  /** Between plan and start of the arrivals. */
  readonly lag: Histogram;
  readonly started: Instant;
  readonly ended: Instant;
  /** From the start to the last answer. */
  readonly length: Duration;
}

/** What the two models need to send users on their way. */
export interface Journey {
  /** Sends one user; resolves when it is back, with the number of requests that nobody answered. */
  send(planned: number, began: number): Promise<number>;
  /** A user who waited for a place until the end. */
  giveUp(planned: number): void;
  /** Whether the budget allows another user. */
  mayStart(): boolean;
  readonly lag: Histogram;
}

export interface Departed {
  readonly planned?: number;
  readonly started: number;
  readonly waited: number;
  readonly ended: Generator['ended'];
}

/** Rejects with the signal's reason when it is aborted; every request that is under way is then given up. */
export async function runLoad(request: LoadRequest, tools: LoadTools, signal: AbortSignal): Promise<LoadRun> {
  const { load, secrets } = request;
  const { clock, stopwatch, histograms } = tools;
  const names = load.scenarios.map(({ name }) => name);
  const slice = sliceOf(load);
  const blocks = request.stable && newPairedBlocks();
  const recorderOf = (side: 'own' | 'stable'): Recorder =>
    newRecorder(histograms, names, { slice, ...(blocks && { also: (sample, at) => blocks.add(side, sample, at) }) });
  const recorder = recorderOf('own');
  const stableRecorder = request.stable && recorderOf('stable');
  const lag = histograms.create();
  const started = clock.now();
  stopwatch.busy();
  const start = stopwatch.elapsed();
  const requestsSoFar = (): number => recorder.requests + (stableRecorder?.requests ?? 0);
  const next = weightedTurns<ResolvedScenario>(load.scenarios);
  const masking = { ...tools, mask: fewMasks(tools.mask) };
  const traveller = { start, tools: masking, signal, single: newFlowState(secrets, masking) };
  const own = { target: request.target, recorder };
  const stable = stableRecorder && request.stable && { target: request.stable, recorder: stableRecorder };
  const turns = new Map(names.map((name) => [name, 0]));
  // In turn for each scenario: together with their own order one side could get always the same one.
  const sideOf = (scenario: string): typeof own => {
    const turn = (turns.get(scenario) ?? 0) + 1;
    turns.set(scenario, turn);
    return stable !== undefined && turn % 2 === 0 ? stable : own;
  };
  const longest = longestOf(load.scenarios);
  let underWay = 0;
  const back = (): void => void (underWay -= 1);
  const journey: Journey = {
    lag,
    // Whoever is under way may still make every step.
    mayStart: () => requestsSoFar() + (underWay + 1) * longest <= load.budget,
    giveUp(planned) {
      const elapsed = stopwatch.elapsed() - start;
      const waited = elapsed - planned;
      const scenario = next()?.name ?? '';
      const sample = { scenario, response: waited, service: waited, error: NO_PLACE, version: undefined };
      sideOf(scenario).recorder.add(sample, elapsed);
    },
    send(planned, began) {
      const scenario = next();
      if (scenario === undefined) return Promise.resolve(0);
      underWay += 1;
      const { target, recorder: to } = sideOf(scenario.name);
      return iterate({ scenario, target, recorder: to, secrets, planned: start + planned, began, back }, traveller);
    },
  };
  const watching = new AbortController();
  const progress = tellProgress(
    { recorder, name: load.name, start },
    tools,
    AbortSignal.any([signal, watching.signal]),
  );
  try {
    const model = load.model;
    const departed =
      model.kind === 'closed' ? await runClosed(model, journey, traveller) : await runOpen(model, journey, traveller);
    const length = milliseconds(stopwatch.elapsed() - start);
    const generator: Generator = { ...departed, lagP99: lag.at(99), busy: stopwatch.busy() };
    return {
      recorder,
      ...(stableRecorder === undefined || blocks === undefined ? {} : { stable: stableRecorder, blocks }),
      generator,
      lag,
      started,
      ended: clock.now(),
      length,
    };
  } finally {
    watching.abort();
    await progress;
  }
}

/** Each is a line of the log, and is looked for in every later one. The captured ones above it are never shown: reasons are redacted. */
const MOST_MASKED = 100;

function fewMasks(mask: LoadTools['mask']): (secret: string) => void {
  const masked = new Set<string>();
  return (secret) => {
    if (masked.size >= MOST_MASKED || masked.has(secret)) return;
    masked.add(secret);
    mask(secret);
  };
}

const NO_PLACE = 'no place among the users that are served at the same time';

const MOST_SLICES = 120;

/** A load of a day must not keep a thousand pieces. */
function sliceOf({ model }: ResolvedLoad): Duration {
  const length = model.kind === 'open' ? lengthOf(model.phases) : (model.duration ?? milliseconds(0));
  return milliseconds(Math.max(SLICE, Math.ceil(length / MOST_SLICES / SLICE) * SLICE));
}

const PROGRESS = milliseconds(5_000);

/** A line every five seconds, until it is aborted. */
async function tellProgress(
  { recorder, name, start }: { readonly recorder: Recorder; readonly name: string; readonly start: number },
  { clock, stopwatch, log }: LoadTools,
  signal: AbortSignal,
): Promise<void> {
  let before = { requests: 0, at: start };
  for (;;) {
    try {
      await clock.sleep(PROGRESS, signal);
    } catch {
      return;
    }
    const { requests, errors, response } = recorder.all;
    const now = stopwatch.elapsed();
    const rate = ((requests - before.requests) * 1_000) / Math.max(1, now - before.at);
    const elapsed = formatDuration(milliseconds(Math.round((now - start) / 1_000) * 1_000));
    log.info(
      `${name}: ${elapsed}, ${rate.toFixed(rate < 10 ? 1 : 0)}/s, ${requests} answers, ${errors} errors, p95 ${Math.round(response.at(95))}ms so far`,
    );
    before = { requests, at: now };
  }
}
