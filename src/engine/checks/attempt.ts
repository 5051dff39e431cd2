import type { ResolvedCheck } from '../../domain/checks/document.ts';
import { type Answer, type JudgeContext, type Judgement, judge } from '../../domain/checks/judge.ts';
import { destinationOf } from '../../domain/checks/redirect.ts';
import { type Duration, milliseconds } from '../../domain/duration.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ProbeResult, Prober } from '../../ports/prober.ts';
import { type ChecksTarget, probeCheck } from './probe-check.ts';
import { trySocket } from './socket-check.ts';
import { type CapturedNow, NOTHING_TAKEN, secretsOf, take } from './take-captures.ts';

/** One try of a check and what it came to. */
export interface Attempt {
  readonly answer: Answer;
  readonly judgement: Judgement;
  readonly warned?: Judgement | undefined;
  readonly captured: readonly CapturedNow[];
  /** What somebody waited for, one after the other: an answer; an open WebSocket and each turn on it. */
  readonly waits: readonly Duration[];
  /** Whether the peer answered to the end, however. */
  readonly ended: 'answered' | 'unanswered';
}

export interface AttemptRun {
  readonly target: ChecksTarget;
  /** Never shown. */
  readonly secrets: readonly string[];
}

export interface AttemptTools {
  readonly prober: Prober;
  readonly clock: Clock;
}

export function attempt(
  check: ResolvedCheck,
  run: AttemptRun,
  tools: AttemptTools,
  signal: AbortSignal,
): Promise<Attempt> {
  return check.addresses === 'any'
    ? attemptAt(check, run, tools, signal)
    : attemptEverywhere(check, run, tools, signal);
}

async function attemptEverywhere(
  check: ResolvedCheck,
  run: AttemptRun,
  tools: AttemptTools,
  signal: AbortSignal,
): Promise<Attempt> {
  const { connect } = destinationOf(run.target, check.path);
  const found = await tools.prober.addresses(connect.href, signal);
  if (found.kind === 'failed') return unanswered(found.message);
  const each: (Attempt & { readonly address: string })[] = [];
  for (const address of found.addresses) {
    each.push({ address, ...(await attemptAt(check, run, { ...tools, address }, signal)) });
  }
  return allOf(each);
}

function attemptAt(
  check: ResolvedCheck,
  run: AttemptRun,
  tools: AttemptTools & { readonly address?: string },
  signal: AbortSignal,
): Promise<Attempt> {
  return check.socket === undefined
    ? attemptRequest(check, run, tools, signal)
    : trySocket(
        { ...check, socket: check.socket },
        { target: run.target, context: contextOf(run, tools.clock) },
        tools,
        signal,
      );
}

const contextOf = ({ target, secrets }: AttemptRun, clock: Clock): JudgeContext =>
  target.expectVersion === undefined
    ? { secrets, now: clock.now() }
    : { secrets, now: clock.now(), expectVersion: target.expectVersion };

async function attemptRequest(
  check: ResolvedCheck,
  run: AttemptRun,
  tools: AttemptTools & { readonly address?: string },
  signal: AbortSignal,
): Promise<Attempt> {
  return judgedAnswer(check, await probeCheck(check, run.target, tools, signal), run, tools.clock);
}

/** What the answer to the request of a check comes to. */
export function judgedAnswer(check: ResolvedCheck, answer: ProbeResult, run: AttemptRun, clock: Clock): Attempt {
  // Taken before anything is judged: what an answer gives away is never part of what is said of it.
  const taken = answer.kind === 'answered' ? take(check.captures, answer, contextOf(run, clock)) : NOTHING_TAKEN;
  const context = contextOf({ ...run, secrets: [...run.secrets, ...secretsOf(taken)] }, clock);
  const judged = judge(check.expect, answer, context);
  const problems = judged.kind === 'pass' ? taken.problems : [];
  const warned = check.warn && judge(check.warn, answer, context);
  return {
    answer,
    judgement: problems.length === 0 ? judged : { ...judged, kind: 'fail', reasons: problems },
    warned,
    captured: taken.captured,
    waits: [answer.duration],
    ended: answer.kind === 'answered' ? 'answered' : 'unanswered',
  };
}

export const unanswered = (message: string, duration: Duration = milliseconds(0)): Attempt => ({
  answer: { kind: 'failed', fault: 'other', message },
  judgement: { kind: 'fail', reasons: [message] },
  captured: [],
  waits: [duration],
  ended: 'unanswered',
});

/** Every address must pass; the reasons say which ones did not. */
function allOf(each: readonly (Attempt & { readonly address: string })[]): Attempt {
  const wrong = each.flatMap(({ address, judgement }) =>
    judgement.kind === 'fail' ? judgement.reasons.map((reason) => `${reason} (at ${address})`) : [],
  );
  const warnings = each.flatMap(({ address, warned }) =>
    warned?.kind === 'fail' ? warned.reasons.map((reason) => `${reason} (at ${address})`) : [],
  );
  const last = each.findLast(({ judgement }) => judgement.kind === 'fail') ?? each.at(-1);
  if (last === undefined) return unanswered('the name resolves to no address');
  return {
    ...last,
    judgement: wrong.length === 0 ? last.judgement : { ...last.judgement, kind: 'fail', reasons: wrong },
    ...(last.warned === undefined
      ? {}
      : { warned: warnings.length === 0 ? { kind: 'pass' } : { kind: 'fail', reasons: warnings } }),
    waits: each.flatMap(({ waits }) => waits),
    ended: each.some(({ ended }) => ended === 'answered') ? 'answered' : 'unanswered',
  };
}
