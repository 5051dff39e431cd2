import type { ResolvedCheck } from '../../domain/checks/document.ts';
import type { Judgement } from '../../domain/checks/judge.ts';
import { type Instant, after, formatDuration, seconds } from '../../domain/duration.ts';
import type { Log } from '../../ports/log.ts';
import { type Attempt, type AttemptRun, type AttemptTools, attempt } from './attempt.ts';

/** `after-an-answer`: as long as nothing answers it is tried once. */
export type Patience = 'full' | 'after-an-answer';

export interface Tried {
  /** The last try. */
  readonly made: Attempt;
  readonly tries: number;
  readonly started: Instant;
  /** Whether anything answered in one of the tries. */
  readonly answered: boolean;
  /** Empty: it passed. */
  readonly reasons: readonly string[];
}

/** Tries a check as often as its `retry` says. */
export async function tryUntilGood(
  check: ResolvedCheck,
  run: AttemptRun & { readonly patience: Patience },
  tools: AttemptTools & { readonly log: Log },
  signal: AbortSignal,
): Promise<Tried> {
  const { count, interval, consecutive } = check.retry;
  const started = tools.clock.now();
  const progress = progressOf(check, tools);
  let answered = false;
  let inRow = 0;
  let failure: readonly string[] = [];
  for (let tries = 1; ; tries++) {
    const made = await attempt(check, run, tools, signal);
    answered ||= made.ended === 'answered';
    inRow = made.judgement.kind === 'pass' ? inRow + 1 : 0;
    if (made.judgement.kind === 'fail') failure = made.judgement.reasons;
    const over = tries >= count || (run.patience === 'after-an-answer' && !answered);
    if (inRow >= consecutive || over) {
      const tooFew = `${inRow} good of ${consecutive} in a row`;
      const reasons = inRow >= consecutive ? [] : inRow > 0 ? [tooFew, ...failure] : failure;
      return { made, tries, started, answered, reasons };
    }
    progress(made.judgement, tries, inRow);
    await tools.clock.sleep(interval, signal);
  }
}

/** Says why it goes on trying: at once, then when the reason changes, else every 30 s. */
function progressOf(check: ResolvedCheck, { clock, log }: AttemptTools & { readonly log: Log }) {
  let said: { readonly text: string; readonly at: Instant } | undefined;
  return (judgement: Judgement, tries: number, inRow: number): void => {
    const { count, interval, consecutive } = check.retry;
    const text =
      judgement.kind === 'fail' ? judgement.reasons.join('; ') : `good answer ${inRow} of ${consecutive} in a row`;
    if (said !== undefined && said.text === text && clock.now() < after(said.at, seconds(30))) return;
    said = { text, at: clock.now() };
    log.info(`${check.name}: ${text}. Try ${tries + 1} of ${count} in ${formatDuration(interval)}`);
  };
}
