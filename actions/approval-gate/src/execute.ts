import type { Grant } from '../../../src/domain/approval/grant.ts';
import type { SealedRecord } from '../../../src/domain/approval/record.ts';
import { bodyOf, titleOf } from '../../../src/domain/approval/request-text.ts';
import { after, seconds } from '../../../src/domain/duration.ts';
import { Failure, messageOf } from '../../../src/domain/failure.ts';
import type { Issue } from '../../../src/ports/issue-tracker.ts';
import type { Outcome } from './decide.ts';
import { type Ended, closeRequest, grantOf, keepRecord, openReview } from './execute-end.ts';
import { type Ports, type RunContext, patiently } from './execute-ports.ts';
import { type Gate, prepare, requestId } from './execute-prepare.ts';
import { Waiting } from './execute-wait.ts';
import type { Request } from './inputs.ts';

export type { Ports, RunContext } from './execute-ports.ts';
export type { Gate } from './execute-prepare.ts';

export interface GateResult {
  readonly outcome: Outcome | { readonly kind: 'planned' };
  readonly gate: Gate;
  readonly issue: Issue | undefined;
  readonly grant: Grant | undefined;
  readonly record: SealedRecord | undefined;
  /** Of an emergency. */
  readonly review: Issue | undefined;
}

export async function execute(
  request: Request,
  context: RunContext,
  ports: Ports,
  signal: AbortSignal,
): Promise<GateResult> {
  const gate = await patiently(ports, signal, () => prepare(request, context, ports, signal));
  const nothing = { issue: undefined, grant: undefined, record: undefined, review: undefined };
  if (request.dryRun === 'plan') return { outcome: { kind: 'planned' }, gate, ...nothing };
  await patiently(ports, signal, () => closeEarlierAttempts({ request, gate, context }, ports, signal));
  const issue = await openRequest(request, gate, ports, signal);
  ports.onOpened(issue.number);
  ports.log.info(`Request ${gate.words.id} is open: ${issue.url}`);
  const waiting = new Waiting({ request, context, gate, issue, ports });
  const ended: Ended = { request, context, gate, issue, waiting, outcome: await outcomeOf(waiting, signal) };
  return finish(ended, ports, signal);
}

/** What cannot be waited out (a token that ended, a deleted issue) ends the request in error, not the process in a throw. */
async function outcomeOf(waiting: Waiting, signal: AbortSignal): Promise<Outcome> {
  try {
    return await waiting.run(signal);
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof Failure)) throw cause;
    return { kind: 'error', why: messageOf(cause) };
  }
}

/** Review and record come before the grant: an approval that nobody can show later is none. */
async function finish(ended: Ended, ports: Ports, signal: AbortSignal): Promise<GateResult> {
  const { gate, issue } = ended;
  try {
    const grant = grantOf(ended, ports.clock.now());
    const review = await openReview(ended, ports, signal);
    const record = await keepRecord(ended, review, ports);
    await closeRequest(ended, ports, signal);
    return { outcome: ended.outcome, gate, issue, grant, record, review };
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof Failure)) throw cause;
    const outcome: Outcome = { kind: 'error', why: messageOf(cause) };
    await closeRequest({ ...ended, outcome }, ports, signal);
    return { outcome, gate, issue, grant: undefined, record: undefined, review: undefined };
  }
}

/**
 * Opening is the one write that must not happen twice. When its answer was lost, the issue may be there: the next try
 * opens another, and every other one of this title is closed unread. It is never adopted, for anybody may open an issue
 * of this title.
 */
async function openRequest(request: Request, gate: Gate, ports: Ports, signal: AbortSignal): Promise<Issue> {
  const { tracker, clock, log } = ports;
  const deadline = after(clock.now(), seconds(180));
  const title = titleOf(gate.words);
  for (let lost = 0; ; lost++) {
    try {
      const issue = await tracker.openIssue(
        {
          title,
          body: bodyOf(gate.words, undefined),
          labels: [request.label],
          assignees: gate.words.eligible.map((person) => person.login),
        },
        signal,
      );
      if (lost > 0)
        await patiently(ports, signal, () =>
          closeOthers({ request, own: issue, titles: new Set([title]) }, ports, signal),
        );
      return issue;
    } catch (cause) {
      signal.throwIfAborted();
      const pause = tracker.retryAfter(cause) ?? seconds(5);
      if (!tracker.mayPass(cause) || after(clock.now(), pause) > deadline) throw cause;
      log.warning(`${messageOf(cause)} Trying again.`);
      await clock.sleep(pause, signal);
    }
  }
}

/** Votes are bound to the attempt: what an earlier attempt of this run left open (its runner died) is closed, unread. */
async function closeEarlierAttempts(
  { request, gate, context }: { readonly request: Request; readonly gate: Gate; readonly context: RunContext },
  ports: Ports,
  signal: AbortSignal,
): Promise<void> {
  const earlier = new Set<string>();
  for (let attempt = 1; attempt < gate.run.attempt; attempt++) {
    const bound = { ...gate.words.subject, runId: context.runId, attempt, commit: gate.run.commit };
    earlier.add(titleOf({ ...gate.words, id: requestId(bound, ports) }));
  }
  if (earlier.size > 0) await closeOthers({ request, own: undefined, titles: earlier }, ports, signal);
}

async function closeOthers(
  {
    request,
    own,
    titles,
  }: { readonly request: Request; readonly own: Issue | undefined; readonly titles: ReadonlySet<string> },
  { tracker, log }: Ports,
  signal: AbortSignal,
): Promise<void> {
  for (const issue of await tracker.openIssues(request.label, signal)) {
    if (!titles.has(issue.title) || issue.number === own?.number) continue;
    log.info(`Closing ${issue.url}: an earlier attempt of this run left it open`);
    await tracker.close(issue.number, 'not_planned', signal);
  }
}
