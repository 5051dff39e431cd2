import { milliseconds } from '../../domain/duration.ts';
import { arrivalTimes, arrivalsIn, lengthOf } from '../../domain/load/arrivals.ts';
import type { LoadModel } from '../../domain/load/load.ts';
import type { Traveller } from './iterate.ts';
import type { Departed, Journey } from './run-load.ts';

/** After the last arrival; whoever waits for a place then is given up, and counts as failed. */
const PATIENCE = 30_000;

/** Milliseconds by which an arrival may be early: less than any timer can wait. */
const CLOSE = 0.01;

/**
 * Users arrive at their planned moments, whatever the system does. One that finds the limit of concurrency reached waits
 * for its turn, in order; that wait is the system's, the one before it is the generator's lag.
 */
export async function runOpen(
  model: Extract<LoadModel, { kind: 'open' }>,
  journey: Journey,
  { start, tools: { stopwatch, clock }, signal }: Traveller,
): Promise<Departed> {
  const planned = arrivalsIn(model.phases);
  const end = lengthOf(model.phases);
  /** Planned moments of those who wait for a place. */
  const queue: number[] = [];
  let first = 0;
  let busy = 0;
  let started = 0;
  let waited = 0;
  let failure: { readonly thrown: unknown } | undefined;
  let idle: (() => void) | undefined;
  const back = (): void => {
    busy -= 1;
    while (first < queue.length && stopwatch.elapsed() - start > end + PATIENCE && failure === undefined) {
      journey.giveUp(queue[first] ?? 0);
      first += 1;
      started += 1;
    }
    const next = queue[first];
    if (next !== undefined && failure === undefined) {
      first += 1;
      depart(next);
    } else if (busy === 0) {
      idle?.();
    }
  };
  const depart = (at: number): void => {
    busy += 1;
    started += 1;
    journey.send(at, stopwatch.elapsed()).then(back, (thrown: unknown) => {
      failure ??= { thrown };
      back();
    });
  };
  let ended: Departed['ended'] = 'plan';
  for (const at of arrivalTimes(model.phases)) {
    for (let early = at - (stopwatch.elapsed() - start); early > CLOSE; early = at - (stopwatch.elapsed() - start))
      await clock.sleep(milliseconds(early), signal);
    if (failure !== undefined) break;
    if (!journey.mayStart()) {
      ended = 'budget';
      break;
    }
    journey.lag.record(stopwatch.elapsed() - start - at);
    if (busy < model.concurrency) depart(at);
    else {
      waited += 1;
      queue.push(at);
    }
  }
  if (busy > 0) await new Promise<void>((resolve) => (idle = resolve));
  if (failure !== undefined) throw failure.thrown;
  signal.throwIfAborted();
  return { planned, started, waited, ended };
}
