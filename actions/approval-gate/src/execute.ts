import type { Grant } from '../../../src/domain/approval/grant.ts';
import type { Outcome } from '../../../src/domain/approval/decide.ts';
import type { SealedRecord } from '../../../src/domain/approval/record.ts';
import { titleOf } from '../../../src/domain/approval/request-text.ts';
import { Failure, messageOf } from '../../../src/domain/failure.ts';
import { closeRequest, openReview } from '../../../src/engine/approval/close-request.ts';
import { closeOthers, openRequest } from '../../../src/engine/approval/open-request.ts';
import { type RunContext, patiently } from '../../../src/engine/approval/ports.ts';
import { type Gate, prepare, requestId } from '../../../src/engine/approval/prepare.ts';
import { Waiting } from '../../../src/engine/approval/waiting.ts';
import type { Issue } from '../../../src/ports/issue-tracker.ts';
import { type Ended, checkRecordFile, grantOf, keepRecord } from './execute/end.ts';
import type { Ports } from './execute/ports.ts';
import type { Request } from './inputs.ts';

export type { Ports } from './execute/ports.ts';

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
  await checkRecordFile(ports);
  const gate = await patiently(ports, signal, () => prepare(request, context, ports, signal));
  const nothing = { issue: undefined, grant: undefined, record: undefined, review: undefined };
  if (request.dryRun === 'plan') return { outcome: { kind: 'planned' }, gate, ...nothing };
  await patiently(ports, signal, () => closeEarlierAttempts({ request, gate, context }, ports, signal));
  const issue = await openRequest({ words: gate.words, label: request.label }, ports, signal);
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
  if (earlier.size > 0) await closeOthers({ label: request.label, own: undefined, titles: earlier }, ports, signal);
}
