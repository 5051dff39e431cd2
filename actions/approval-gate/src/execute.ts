import { type Grant, type Subject } from '../../../src/domain/approval/grant.ts';
import { type RequestWords, bodyOf, hintOf, titleOf } from '../../../src/domain/approval/request-text.ts';
import { type Ballot, type Comment, type Person, type Tally, tally } from '../../../src/domain/approval/tally.ts';
import { canonicalJson } from '../../../src/domain/canonical-json.ts';
import { type Instant, after, formatDuration, formatInstant, minutes, seconds } from '../../../src/domain/duration.ts';
import { Failure, messageOf } from '../../../src/domain/failure.ts';
import { reconcile } from '../../../src/engine/reconcile.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { Sha256 } from '../../../src/ports/digest.ts';
import type { Issue, IssueTracker, RunFacts } from '../../../src/ports/issue-tracker.ts';
import type { Log } from '../../../src/ports/log.ts';
import { type Move, type Observation, type Outcome, decide, statusOf } from './decide.ts';
import type { Request } from './inputs.ts';

export interface Ports {
  readonly tracker: IssueTracker;
  readonly clock: Clock;
  readonly log: Log;
  readonly sha256: Sha256;
  /** Told as soon as the request is open, so that `post` can close it when this process is killed. */
  readonly onOpened: (issue: number) => void;
}

export interface RunContext {
  readonly repository: string;
  readonly runId: string;
  readonly runUrl: string;
}

/** All that is fixed before the request is opened. */
export interface Gate {
  readonly words: RequestWords;
  readonly ballot: Omit<Ballot, 'openedAfter' | 'own'>;
  readonly run: RunFacts;
}

export interface GateResult {
  readonly outcome: Outcome | { readonly kind: 'planned' };
  readonly gate: Gate;
  readonly issue: Issue | undefined;
  readonly grant: Grant | undefined;
}

export async function execute(
  request: Request,
  context: RunContext,
  ports: Ports,
  signal: AbortSignal,
): Promise<GateResult> {
  const gate = await patiently(ports, signal, () => prepare(request, context, ports, signal));
  if (request.mode === 'dry-run') return { outcome: { kind: 'planned' }, gate, issue: undefined, grant: undefined };
  await patiently(ports, signal, () => closeEarlierAttempts(request, gate, context, ports, signal));
  const issue = await ports.tracker.openIssue(
    {
      title: titleOf(gate.words),
      body: bodyOf(gate.words, undefined),
      labels: [request.label],
      assignees: gate.ballot.eligible.map((person) => person.login),
    },
    signal,
  );
  ports.onOpened(issue.number);
  ports.log.info(`Request ${gate.words.id} is open: ${issue.url}`);
  const outcome = await new Waiting(request, gate, issue, ports).run(signal);
  const grant =
    outcome.kind === 'approved'
      ? grantOf(
          request,
          gate,
          outcome.by.map((vote) => vote.person.id),
          context,
          ports.clock.now(),
        )
      : undefined;
  await closeRequest(issue, gate, outcome, ports, signal);
  return { outcome, gate, issue, grant };
}

/** Faults that may pass are waited out for so long before the request is open; afterwards its own deadline holds. */
const PATIENCE = minutes(3);

/** Repeats work that is safe to repeat while what it throws may pass. */
async function patiently<T>(ports: Ports, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const deadline = after(ports.clock.now(), PATIENCE);
  for (;;) {
    try {
      return await work();
    } catch (cause) {
      signal.throwIfAborted();
      const pause = ports.tracker.retryAfter(cause) ?? seconds(5);
      if (!ports.tracker.mayPass(cause) || after(ports.clock.now(), pause) > deadline) throw cause;
      ports.log.warning(`${messageOf(cause)} Trying again in ${formatDuration(pause)}`);
      await ports.clock.sleep(pause, signal);
    }
  }
}

/** Resolves every seat and refuses a gate that nobody can pass, before anything is opened. */
async function prepare(request: Request, context: RunContext, ports: Ports, signal: AbortSignal): Promise<Gate> {
  const { tracker, sha256 } = ports;
  const run = await tracker.runFacts(context.runId, signal);
  const seats = await resolveSeats(request, tracker, signal);
  const excluded = seats.filter((person) => person.id === run.actor.id || person.id === run.triggeringActor.id);
  const eligible = seats.filter((person) => !excluded.includes(person));
  if (eligible.length < request.minimum) {
    throw new Failure({
      what: `The gate for ${request.environment} cannot be passed`,
      why: `it needs ${request.minimum} approvals and only ${eligible.length} of the ${seats.length} approvers may vote (${excluded.map((person) => person.login).join(', ') || 'nobody'} started this run)`,
      now: 'No request was opened and nothing was deployed',
      next: 'Name more approvers, or let somebody else start the run',
    });
  }
  const subject = subjectOf(request, context, seats, sha256);
  const id = sha256(
    canonicalJson({ ...subject, runId: context.runId, attempt: run.attempt, commit: run.commit }),
  ).slice(0, 12);
  const code = request.code === 'required' ? id.slice(0, 6) : undefined;
  const words: RequestWords = {
    id,
    subject,
    commit: run.commit,
    runUrl: context.runUrl,
    images: request.images,
    eligible,
    minimum: request.minimum,
    excluded,
    deadline: after(ports.clock.now(), request.timeout),
    code,
  };
  return { words, ballot: { eligible, minimum: request.minimum, ...(code === undefined ? {} : { code }) }, run };
}

async function resolveSeats(request: Request, tracker: IssueTracker, signal: AbortSignal): Promise<readonly Person[]> {
  const seats = new Map<number, Person>();
  for (const entry of request.approvers) {
    const account = await tracker.user(entry.login, signal);
    if (account.isBot)
      throw new Failure({
        what: `approvers names ${entry.login}`,
        why: 'this account is a bot',
        next: 'Name a person',
      });
    seats.set(account.id, { id: account.id, login: account.login });
  }
  return [...seats.values()];
}

function subjectOf(request: Request, context: RunContext, seats: readonly Person[], sha256: Sha256): Subject {
  const policy = {
    approvers: seats.map((person) => person.id).sort((a, b) => a - b),
    minimum: request.minimum,
    code: request.code,
  };
  return {
    repository: context.repository,
    environment: request.environment,
    imagesSha256: sha256(canonicalJson(request.images)),
    policySha256: sha256(canonicalJson(policy)),
  };
}

/** Votes are bound to the attempt: what an earlier attempt of this run left open (its runner died) is closed, unread. */
async function closeEarlierAttempts(
  request: Request,
  gate: Gate,
  context: RunContext,
  ports: Ports,
  signal: AbortSignal,
): Promise<void> {
  const earlier = new Set<string>();
  for (let attempt = 1; attempt < gate.run.attempt; attempt++) {
    const bound = { ...gate.words.subject, runId: context.runId, attempt, commit: gate.run.commit };
    earlier.add(titleOf({ ...gate.words, id: ports.sha256(canonicalJson(bound)).slice(0, 12) }));
  }
  if (earlier.size === 0) return;
  for (const issue of await ports.tracker.openIssues(request.label, signal)) {
    if (!earlier.has(issue.title)) continue;
    ports.log.info(`Closing ${issue.url}: an earlier attempt of this run left it open`);
    await ports.tracker.close(issue.number, 'not_planned', signal);
  }
}

/** The open request: what the loop remembers between two looks. None of it is needed to be right, only to be polite and settled. */
class Waiting {
  private readonly hinted = new Set<number>();
  private readonly own = new Set<number>();
  private shown = '';
  private since: { verdict: Tally['verdict']; at: Instant; seatsResolved: boolean } | undefined;
  private readonly lost = new Set<number>();
  private readonly request: Request;
  private readonly gate: Gate;
  private readonly issue: Issue;
  private readonly ports: Ports;
  private readonly openedAt: Instant;

  constructor(request: Request, gate: Gate, issue: Issue, ports: Ports) {
    this.request = request;
    this.gate = gate;
    this.issue = issue;
    this.ports = ports;
    this.openedAt = ports.clock.now();
  }

  run(signal: AbortSignal): Promise<Outcome> {
    return reconcile<Observation, Move, Outcome>({
      clock: this.ports.clock,
      log: this.ports.log,
      signal,
      observe: (inner) => this.observe(inner),
      decide: (seen, now) => decide(this.rules(), seen, now),
      act: (move, _seen, inner) => this.act(move, inner),
      progressEvery: seconds(300),
    });
  }

  private ballot(): Ballot {
    const eligible = this.gate.ballot.eligible.filter((person) => !this.lost.has(person.id));
    return { ...this.gate.ballot, eligible, openedAfter: 0, own: this.own };
  }

  private rules() {
    return {
      ballot: this.ballot(),
      deadline: this.gate.words.deadline,
      settle: this.request.settle,
      openedAt: this.openedAt,
    };
  }

  /** A fault of the API is an observation, not an end: it has said neither yes nor no. */
  private async observe(signal: AbortSignal): Promise<Observation> {
    try {
      const issue = await this.ports.tracker.issue(this.issue.number, signal);
      const comments = await this.ports.tracker.comments(this.issue.number, signal);
      this.remember(comments);
      const closedBy = issue.state === 'closed' ? (issue.closedBy ?? 'unknown') : undefined;
      return { kind: 'seen', closedBy, comments, hinted: this.hinted, shown: this.shown, verdictSince: this.since };
    } catch (cause) {
      return this.blind(cause, signal);
    }
  }

  private blind(cause: unknown, signal: AbortSignal): Observation {
    signal.throwIfAborted();
    if (!this.ports.tracker.mayPass(cause)) throw cause;
    this.since = undefined;
    this.ports.log.debug(`Could not read the request: ${messageOf(cause)}`);
    return { kind: 'unreachable', why: messageOf(cause), retryAfter: this.ports.tracker.retryAfter(cause) };
  }

  private remember(comments: readonly Comment[]): void {
    const { verdict } = tally(this.ballot(), comments);
    if (this.since?.verdict !== verdict) this.since = { verdict, at: this.ports.clock.now(), seatsResolved: false };
  }

  /** Writes may fail for the same passing reasons as reads; the next look decides anew whether they are still wanted. */
  private async act(move: Move, signal: AbortSignal): Promise<void> {
    try {
      await this.make(move, signal);
    } catch (cause) {
      signal.throwIfAborted();
      if (!this.ports.tracker.mayPass(cause)) throw cause;
      this.ports.log.warning(`${messageOf(cause)} It is tried again.`);
      await this.ports.clock.sleep(this.ports.tracker.retryAfter(cause) ?? seconds(5), signal);
    }
  }

  private async make(move: Move, signal: AbortSignal): Promise<void> {
    const { tracker, log } = this.ports;
    switch (move.kind) {
      case 'reopen':
        await tracker.reopen(this.issue.number, signal);
        log.warning(`The request was ${move.because}; it is open again`);
        return;
      case 'hint': {
        const said = await tracker.comment(
          this.issue.number,
          hintOf(move.comment.authorLogin, move.reason, this.gate.words.code),
          signal,
        );
        this.own.add(said.id);
        this.hinted.add(move.comment.id);
        log.info(`Comment ${move.comment.id} by ${move.comment.authorLogin} does not count: ${move.reason}`);
        return;
      }
      case 'show':
        await tracker.editBody(this.issue.number, bodyOf(this.gate.words, move.tally), signal);
        this.shown = statusOf(move.tally);
        log.info(
          `Votes: ${move.tally.standing.map((vote) => `${vote.person.login} ${vote.vote}`).join(', ') || 'none'}`,
        );
        return;
      case 'resolve-seats':
        await this.resolveSeatsAgain(signal);
        return;
    }
  }

  /** A login that was renamed, deleted or taken by somebody else since the request was opened has lost its seat. */
  private async resolveSeatsAgain(signal: AbortSignal): Promise<void> {
    const now = new Set((await resolveSeats(this.request, this.ports.tracker, signal)).map((person) => person.id));
    for (const person of this.gate.ballot.eligible) if (!now.has(person.id)) this.lost.add(person.id);
    if (this.since !== undefined) this.since = { ...this.since, seatsResolved: true };
  }
}

/** The verdict stands whether or not its issue could be closed; that it stays open is said. */
async function closeRequest(
  issue: Issue,
  gate: Gate,
  outcome: Outcome,
  ports: Ports,
  signal: AbortSignal,
): Promise<void> {
  try {
    await ports.tracker.comment(issue.number, closingWords(gate, outcome), signal);
    await ports.tracker.close(issue.number, outcome.kind === 'approved' ? 'completed' : 'not_planned', signal);
  } catch (cause) {
    signal.throwIfAborted();
    ports.log.warning(
      `${issue.url} could not be closed: ${messageOf(cause)} The verdict is ${outcome.kind} all the same.`,
    );
  }
}

function closingWords(gate: Gate, outcome: Outcome): string {
  switch (outcome.kind) {
    case 'approved':
      return `Approved by ${outcome.by.map((vote) => vote.person.login).join(', ')}. Later comments change nothing.`;
    case 'denied':
      return `Denied by ${outcome.by.login}.`;
    case 'expired':
      return `Not approved by ${formatInstant(gate.words.deadline)}: ${outcome.missing} more needed.`;
    case 'error':
      return 'Ended by a fault, neither approved nor denied. Re-run the job to ask again.';
  }
}

function grantOf(
  request: Request,
  gate: Gate,
  approvedBy: readonly number[],
  context: RunContext,
  now: Instant,
): Grant {
  return {
    schema: 'sluice/approval/v1',
    id: gate.words.id,
    ...gate.words.subject,
    approvedBy,
    commit: gate.run.commit,
    runId: context.runId,
    attempt: gate.run.attempt,
    grantedAt: formatInstant(now),
    expiresAt: formatInstant(after(now, request.grantValidFor)),
  };
}
