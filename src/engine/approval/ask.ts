import type { Outcome } from '../../domain/approval/decide.ts';
import type { GateRequest } from '../../domain/approval/gate-inputs.ts';
import { bodyOf, titleOf } from '../../domain/approval/request-text.ts';
import type { Person } from '../../domain/approval/tally.ts';
import { type Instant, between, milliseconds } from '../../domain/duration.ts';
import { Failure, messageOf } from '../../domain/failure.ts';
import type { Issue } from '../../ports/issue-tracker.ts';
import { closeRequest, openReview } from './close-request.ts';
import { closeOthers, openRequest } from './open-request.ts';
import { type Ports, type RunContext, patiently } from './ports.ts';
import { type Gate, prepare } from './prepare.ts';
import { type Adopted, Waiting } from './waiting.ts';

/** What is asked beside other work, which goes on meanwhile. */
export interface Question {
  readonly request: Omit<GateRequest, 'timeout'>;
  readonly context: RunContext;
  /** When the request ends, whoever asks. */
  readonly until: Instant;
  /** Number of the request that an earlier run opened for the same question, as this product itself noted it. */
  readonly found: number | undefined;
  onOpened(issue: Issue, asked: readonly Person[]): void;
  /** Told of what is waited for, at every look. */
  sayWait(wait: string): void;
}

/**
 * Asks, waits, closes. Faults that may pass are waited out to the end of the request, for they have said neither yes nor
 * no; every other one is the outcome `error`. Throws only when it is told to stop, and leaves the request open then.
 */
export async function ask(question: Question, ports: Ports, signal: AbortSignal): Promise<Outcome> {
  try {
    return await askOnce(question, ports, signal);
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof Failure)) throw cause;
    return errorOf(cause);
  }
}

async function askOnce(question: Question, ports: Ports, signal: AbortSignal): Promise<Outcome> {
  const { context, until, found } = question;
  const asked = (): GateRequest => ({
    ...question.request,
    timeout: milliseconds(Math.max(0, between(ports.clock.now(), until))),
  });
  const request = asked();
  const gate = await patiently(ports, signal, () => prepare(asked(), context, ports, signal), until);
  const { issue, adopted } =
    found === undefined
      ? { issue: await openAlone(request, { gate, until }, ports, signal), adopted: undefined }
      : await patiently(ports, signal, () => adopt(found, gate, ports, signal), until);
  question.onOpened(issue, gate.words.eligible);
  const waiting = new Waiting({ request, context, gate, issue, ports, adopted, sayWait: question.sayWait });
  const outcome = await waiting.run(signal).catch((cause: unknown): Outcome => {
    signal.throwIfAborted();
    if (!(cause instanceof Failure)) throw cause;
    return errorOf(cause);
  });
  const ended = { request, gate, issue, waiting, outcome };
  await openReview(ended, ports, signal);
  await closeRequest(ended, ports, signal);
  return outcome;
}

/** What is true now and what to do next is for whoever asks to say: this gate stands in the middle of other work. */
const errorOf = (cause: Failure): Outcome => {
  const { what, why } = cause.facts;
  return { kind: 'error', why: why === undefined ? what : `${what}: ${why}` };
};

/** A run that died between opening its request and noting it left one behind: it is closed, unread. */
async function openAlone(
  request: GateRequest,
  { gate, until }: { readonly gate: Gate; readonly until: Instant },
  ports: Ports,
  signal: AbortSignal,
): Promise<Issue> {
  const issue = await openRequest({ words: gate.words, label: request.label, until }, ports, signal);
  const titles = new Set([titleOf(gate.words)]);
  await patiently(ports, signal, () => closeOthers({ label: request.label, own: issue, titles }, ports, signal), until);
  return issue;
}

/**
 * Goes on with a request that another run opened. What that run had seen of it is lost, so approvals of before count for
 * nothing; denials of before stand.
 */
async function adopt(
  number: number,
  { words }: Gate,
  { tracker, log }: Ports,
  signal: AbortSignal,
): Promise<{ readonly issue: Issue; readonly adopted: Adopted }> {
  const [issue, before] = await Promise.all([tracker.issue(number, signal), tracker.comments(number, signal)]);
  await tracker.editBody(number, bodyOf(words, undefined), signal);
  const says = `[Another run](${words.runUrl}) goes on with this request, because the first one died. Please approve anew: approvals above count no more, denials do.`;
  const said = await tracker.comment(number, says, signal);
  log.info(`Going on with the request that an earlier run opened: ${issue.url}`);
  return { issue, adopted: { comment: said.id, before } };
}

/** Ends a request that nobody waits for any more. */
export async function withdraw(
  { number, says, until }: { readonly number: number; readonly says: string; readonly until: Instant },
  ports: Pick<Ports, 'tracker' | 'clock' | 'log'>,
  signal: AbortSignal,
): Promise<'closed' | { readonly open: string }> {
  try {
    await patiently(
      ports,
      signal,
      async () => {
        const { tracker } = ports;
        if ((await tracker.issue(number, signal)).state === 'closed') return;
        await tracker.comment(number, says, signal);
        await tracker.close(number, 'not_planned', signal);
      },
      until,
    );
    return 'closed';
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof Failure)) throw cause;
    return { open: messageOf(cause) };
  }
}
