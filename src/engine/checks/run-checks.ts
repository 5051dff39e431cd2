import type { RandomValues, ResolvedCheck, ResolvedChecks } from '../../domain/checks/document.ts';
import { type CheckResult, type ChecksResult, verdictOf, wayOf } from '../../domain/checks/result.ts';
import { redact } from '../../domain/checks/shown-text.ts';
import { between, formatDuration, milliseconds } from '../../domain/duration.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Prober } from '../../ports/prober.ts';
import type { AttemptRun } from './attempt.ts';
import type { ChecksTarget } from './probe-check.ts';
import { runFlow } from './run-flow.ts';
import { type Patience, tryUntilGood } from './try-until-good.ts';

export type { ChecksTarget } from './probe-check.ts';

export interface ChecksRequest {
  readonly document: ResolvedChecks;
  readonly target: ChecksTarget;
}

export interface ChecksTools {
  readonly prober: Prober;
  readonly clock: Clock;
  readonly log: Log;
  /** For flows that use random values. */
  readonly random: RandomValues;
  /** Called with every captured secret before it is used. */
  readonly mask: (secret: string) => void;
}

/**
 * Makes the checks one after the other, in the order of the file, because the first ones often wait for what the later
 * ones need; then the flows, each once. Once nothing answered in all the tries of a check, the following ones are tried
 * again only after an answer: a dead target is reported after one patience, not after one for each check.
 * Rejects with the signal's reason when it is aborted; nothing is left to undo.
 */
export async function runChecks(
  request: ChecksRequest,
  tools: ChecksTools,
  signal: AbortSignal,
): Promise<ChecksResult> {
  const { document, target } = request;
  const run = { target, secrets: document.secrets };
  const checks: CheckResult[] = [];
  let patience: Patience = 'full';
  for (const check of document.checks) {
    const { result, answered } = await runCheck(check, { ...run, patience }, tools, signal);
    checks.push(result);
    patience = answered ? 'full' : 'after-an-answer';
    tools.log.info(lineOf(result));
  }
  for (const flow of document.flows ?? []) {
    const result = await runFlow(flow, run, tools, signal);
    checks.push(result);
    tools.log.info(lineOf(result));
  }
  return { verdict: verdictOf(checks), checks };
}

async function runCheck(
  check: ResolvedCheck,
  run: AttemptRun & { readonly patience: Patience },
  tools: ChecksTools,
  signal: AbortSignal,
): Promise<{ readonly result: CheckResult; readonly answered: boolean }> {
  const tried = await tryUntilGood(check, run, tools, signal);
  const { made, tries, reasons } = tried;
  const warnings = reasons.length === 0 && made.warned?.kind === 'fail' ? made.warned.reasons : [];
  const verdict = reasons.length > 0 ? 'fail' : warnings.length > 0 ? 'warn' : 'pass';
  const version = made.judgement.version === undefined ? {} : { version: made.judgement.version };
  const { answer } = made;
  return {
    answered: tried.answered,
    result: {
      name: check.name,
      at: check.at,
      method: wayOf(check),
      path: redact(check.path, run.secrets),
      verdict,
      tries,
      durationMs: Math.round(between(tried.started, tools.clock.now())),
      reasons: verdict === 'fail' ? reasons : warnings,
      ...(answer.kind === 'answered'
        ? { answer: { status: answer.status, durationMs: Math.round(answer.duration), ...version } }
        : {}),
    },
  };
}

function lineOf({ name, verdict, tries, durationMs, reasons }: CheckResult): string {
  const effort = `${formatDuration(milliseconds(durationMs))}${tries === 1 ? '' : `, ${tries} tries`}`;
  const word = { pass: 'passed', warn: 'passed with a warning', fail: 'failed' }[verdict];
  return `${name}: ${word} (${effort})${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`;
}
