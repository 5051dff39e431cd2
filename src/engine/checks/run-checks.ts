import type { ResolvedCheck, ResolvedChecks } from '../../domain/checks/document.ts';
import { type Judgement, judge } from '../../domain/checks/judge.ts';
import { type CheckResult, type ChecksResult, verdictOf } from '../../domain/checks/result.ts';
import { redact } from '../../domain/checks/shown-text.ts';
import { type Instant, after, between, formatDuration, milliseconds, seconds } from '../../domain/duration.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Prober, ProbeResult } from '../../ports/prober.ts';
import { type ChecksTarget, probeCheck } from './probe-check.ts';

export type { ChecksTarget } from './probe-check.ts';

export interface ChecksRequest {
  readonly document: ResolvedChecks;
  readonly target: ChecksTarget;
}

export interface ChecksTools {
  readonly prober: Prober;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Makes the checks one after the other, in the order of the file, because the first ones often wait for what the later
 * ones need. Once nothing answered in all the tries of a check, the following ones are tried again only after an answer:
 * a dead target is reported after one patience, not after one for each check.
 * Rejects with the signal's reason when it is aborted; nothing is left to undo.
 */
export async function runChecks(
  request: ChecksRequest,
  tools: ChecksTools,
  signal: AbortSignal,
): Promise<ChecksResult> {
  const checks: CheckResult[] = [];
  let patience: Patience = 'full';
  for (const check of request.document.checks) {
    const { result, answered } = await runCheck({ ...request, check, patience }, tools, signal);
    checks.push(result);
    patience = answered ? 'full' : 'after-an-answer';
    tools.log.info(lineOf(result));
  }
  return { verdict: verdictOf(checks), checks };
}

type Patience = 'full' | 'after-an-answer';

interface CheckRun extends ChecksRequest {
  readonly check: ResolvedCheck;
  readonly patience: Patience;
}

interface Try {
  readonly answer: ProbeResult;
  readonly judgement: Judgement;
}

async function runCheck(
  run: CheckRun,
  tools: ChecksTools,
  signal: AbortSignal,
): Promise<{ readonly result: CheckResult; readonly answered: boolean }> {
  const { check, patience } = run;
  const { count, interval, consecutive } = check.retry;
  const started = tools.clock.now();
  const progress = progressOf(check, tools);
  let answered = false;
  let inRow = 0;
  let failure: readonly string[] = [];
  for (let tries = 1; ; tries++) {
    const made = await tryOnce(run, tools, signal);
    answered ||= made.answer.kind === 'answered';
    inRow = made.judgement.kind === 'pass' ? inRow + 1 : 0;
    if (made.judgement.kind === 'fail') failure = made.judgement.reasons;
    const over = tries >= count || (patience === 'after-an-answer' && !answered);
    if (inRow >= consecutive || over) {
      const tooFew = `${inRow} good of ${consecutive} in a row`;
      const reasons = inRow >= consecutive ? [] : inRow > 0 ? [tooFew, ...failure] : failure;
      return { result: resultOf(run, made, { tries, started, ended: tools.clock.now(), reasons }), answered };
    }
    progress(made.judgement, tries, inRow);
    await tools.clock.sleep(interval, signal);
  }
}

async function tryOnce(
  { check, target, document }: CheckRun,
  { prober }: ChecksTools,
  signal: AbortSignal,
): Promise<Try> {
  signal.throwIfAborted();
  const answer = await probeCheck(check, target, prober, signal);
  return { answer, judgement: judge(check.expect, answer, contextOf({ target, document })) };
}

const contextOf = ({ target, document }: ChecksRequest) => ({
  secrets: document.secrets,
  ...(target.expectVersion === undefined ? {} : { expectVersion: target.expectVersion }),
});

interface Ending {
  readonly tries: number;
  readonly started: Instant;
  readonly ended: Instant;
  /** Empty: the check passed. */
  readonly reasons: readonly string[];
}

function resultOf(run: CheckRun, { answer, judgement }: Try, ending: Ending): CheckResult {
  const { check } = run;
  const warned = ending.reasons.length === 0 && check.warn ? judge(check.warn, answer, contextOf(run)) : undefined;
  const warnings = warned?.kind === 'fail' ? warned.reasons : [];
  const verdict = ending.reasons.length > 0 ? 'fail' : warnings.length > 0 ? 'warn' : 'pass';
  const version = judgement.version === undefined ? {} : { version: judgement.version };
  return {
    name: check.name,
    at: check.at,
    method: check.method,
    path: redact(check.path, run.document.secrets),
    verdict,
    tries: ending.tries,
    durationMs: Math.round(between(ending.started, ending.ended)),
    reasons: verdict === 'fail' ? ending.reasons : warnings,
    ...(answer.kind === 'answered'
      ? { answer: { status: answer.status, durationMs: Math.round(answer.duration), ...version } }
      : {}),
  };
}

/** Says why it goes on trying: at once, then when the reason changes, else every 30 s. */
function progressOf(check: ResolvedCheck, { clock, log }: ChecksTools) {
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

function lineOf({ name, verdict, tries, durationMs, reasons }: CheckResult): string {
  const effort = `${formatDuration(milliseconds(durationMs))}${tries === 1 ? '' : `, ${tries} tries`}`;
  const word = { pass: 'passed', warn: 'passed with a warning', fail: 'failed' }[verdict];
  return `${name}: ${word} (${effort})${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`;
}
