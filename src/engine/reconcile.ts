import {
  type Duration,
  type Instant,
  after,
  between,
  formatDuration,
  formatTimeOfDay,
  milliseconds,
  seconds,
} from '../domain/duration.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';

/** What a pure `decide` answers: the one next move, a wait, or the end. */
export type Decision<Move, Outcome> =
  | { readonly kind: 'move'; readonly move: Move }
  /** `for` completes "waiting for ..."; `until` is when the wait ends at the latest, as far as is known. */
  | {
      readonly kind: 'wait';
      readonly for: string;
      /** Shown with the line when it is due; a new detail alone does not make it due. */
      readonly detail?: string;
      readonly every: Duration;
      readonly until?: Instant;
    }
  | { readonly kind: 'done'; readonly outcome: Outcome };

export interface Loop<Observation, Move, Outcome> {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Reads what is true now. Everything that may be retried is retried in here; what it throws ends the loop. */
  observe(signal: AbortSignal): Promise<Observation>;
  /** PURE. Sees the deadline itself: the loop has no judgement of its own. */
  decide(observation: Observation, now: Instant): Decision<Move, Outcome>;
  /** Makes one move and reads it back. */
  act(move: Move, observation: Observation, signal: AbortSignal): Promise<void>;
  /** A progress line is repeated when nothing else was said for this long. */
  readonly progressEvery?: Duration;
  /** Told of every wait in place of the log. */
  readonly sayWait?: (wait: string) => void;
  /** Moves that say nothing in the log (a measurement, a renewal): the progress line is not repeated because of them. */
  isSilent?(move: Move): boolean;
}

/** Observe, decide, act on one thing, again, until `decide` is done. The first run, a re-run and a resume are the same call. */
export async function reconcile<Observation, Move, Outcome>(loop: Loop<Observation, Move, Outcome>): Promise<Outcome> {
  const { clock, log, signal } = loop;
  let said: { text: string; at: Instant } | undefined;
  for (;;) {
    signal.throwIfAborted();
    const observation = await loop.observe(signal);
    const decision = loop.decide(observation, clock.now());
    switch (decision.kind) {
      case 'done':
        return decision.outcome;
      case 'move':
        await loop.act(decision.move, observation, signal);
        if (loop.isSilent?.(decision.move) !== true) said = undefined;
        break;
      case 'wait': {
        loop.sayWait?.(decision.for);
        const due =
          loop.sayWait === undefined &&
          (said === undefined ||
            said.text !== decision.for ||
            clock.now() >= after(said.at, loop.progressEvery ?? seconds(30)));
        if (due) {
          log.info(progressLine(decision, clock.now()));
          said = { text: decision.for, at: clock.now() };
        }
        const left = decision.until === undefined ? decision.every : between(clock.now(), decision.until);
        // A wait whose end has passed still waits one interval: a decide that forgets its deadline must not spin.
        await clock.sleep(left > 0 ? milliseconds(Math.min(decision.every, left)) : decision.every, signal);
        break;
      }
    }
  }
}

function progressLine(
  wait: { readonly for: string; readonly detail?: string; readonly until?: Instant },
  now: Instant,
): string {
  const detail = wait.detail === undefined || wait.detail === '' ? '' : `: ${wait.detail}`;
  if (wait.until === undefined) return `Waiting for ${wait.for}${detail}`;
  const left = `${formatDuration(between(now, wait.until))} at most (until ${formatTimeOfDay(wait.until)} UTC)`;
  return `Waiting for ${wait.for}, ${left}${detail}`;
}
