import type { GateRequest } from '../../domain/approval/gate-inputs.ts';
import { bodyOf, hintOf } from '../../domain/approval/request-text.ts';
import { type Seated, entriesOf, seat, stillSeated } from '../../domain/approval/seats.ts';
import { type Ballot, type Comment, type Person, type Tally, tally } from '../../domain/approval/tally.ts';
import { type Instant, after, between, instant, seconds } from '../../domain/duration.ts';
import { messageOf } from '../../domain/failure.ts';
import { reconcile } from '../reconcile.ts';
import type { Closing, Issue } from '../../ports/issue-tracker.ts';
import {
  type Move,
  type Observation,
  type Outcome,
  type Rules,
  type VerdictSince,
  decide,
  statusOf,
} from '../../domain/approval/decide.ts';
import { checksTurned } from './await-checks.ts';
import { Memory } from './memory.ts';
import type { Ports, RunContext } from './ports.ts';
import type { Gate } from './prepare.ts';
import { resolveSeatsAgain } from './resolve-seats.ts';

interface WaitingFor {
  readonly request: GateRequest;
  readonly context: RunContext;
  readonly gate: Gate;
  readonly issue: Issue;
  readonly ports: Ports;
}

/** The open request: what the loop remembers between two looks. It can only make the gate stricter, politer or settled. */
export class Waiting {
  readonly memory: Memory;
  /** Comments that the gate wrote. */
  readonly own = new Set<number>();
  /** Who was found at the last confirmation, out of those who were there when the request was opened. */
  seatedNow: ReturnType<typeof stillSeated>;
  readonly openedAt: Instant;
  private readonly hinted = new Set<number>();
  private shown = '';
  private since: VerdictSince | undefined;
  private lastLook: Instant;
  private problem: string | undefined;
  private closingDenial: Person | undefined;
  private readonly jitter: number;
  private readonly what: WaitingFor;

  constructor(what: WaitingFor) {
    const { ports, gate } = what;
    this.what = what;
    this.memory = new Memory(ports.sha256);
    this.seatedNow = stillSeated(gate.seated, gate.seated);
    this.openedAt = ports.clock.now();
    this.lastLook = this.openedAt;
    this.jitter = 2 * ports.random.fraction() - 1;
  }

  run(signal: AbortSignal): Promise<Outcome> {
    const { clock, log } = this.what.ports;
    return reconcile<Observation, Move, Outcome>({
      clock,
      log,
      signal,
      observe: (inner) => this.observe(inner),
      decide: (seen, now) => decide(this.rules(), seen, now),
      act: (move, _seen, inner) => this.act(move, inner),
      progressEvery: seconds(300),
    });
  }

  ballot(): Ballot {
    const { words } = this.what.gate;
    const { eligible, groups, overriders } = this.seatedNow;
    return this.memory.apply({
      eligible,
      groups: groups ?? [],
      minimum: words.minimum,
      ...(words.code === undefined ? {} : { code: words.code }),
      ...(words.overriders.length === 0 ? {} : { override: { eligible: overriders, code: words.id.slice(0, 6) } }),
      openedAfter: 0,
      own: this.own,
    });
  }

  private rules(): Rules {
    const { request, gate } = this.what;
    return {
      ballot: this.ballot(),
      deadline: gate.words.deadline,
      settle: request.settle,
      openedAt: this.openedAt,
      environment: request.environment,
      schedule: gate.schedule,
      outside: request.outside,
      jitter: this.jitter,
    };
  }

  /** A fault of the API is an observation, not an end: it has said neither yes nor no. */
  private async observe(signal: AbortSignal): Promise<Observation> {
    const { tracker } = this.what.ports;
    const { number, title } = this.what.issue;
    if (this.problem !== undefined) return { kind: 'void', why: this.problem };
    try {
      const [issue, comments] = await Promise.all([tracker.issue(number, signal), tracker.comments(number, signal)]);
      this.memory.look(comments);
      const unasked = this.memory.unasked(this.ballot(), comments);
      if (unasked.length > 0) this.memory.learn(unasked, await tracker.origins(unasked, signal));
      this.remember(comments);
      if (issue.title !== title) this.what.ports.log.debug(`The title was changed to ${JSON.stringify(issue.title)}`);
      const closedBy = issue.state === 'closed' ? (issue.closedBy ?? 'unknown') : this.closingDenial;
      return { kind: 'seen', closedBy, comments, hinted: this.hinted, shown: this.shown, verdictSince: this.since };
    } catch (cause) {
      return this.blind(cause, signal);
    }
  }

  private blind(cause: unknown, signal: AbortSignal): Observation {
    const { tracker, log } = this.what.ports;
    signal.throwIfAborted();
    if (!tracker.mayPass(cause)) throw cause;
    this.since = undefined;
    log.debug(`Could not read the request: ${messageOf(cause)}`);
    return { kind: 'unreachable', why: messageOf(cause), retryAfter: tracker.retryAfter(cause) };
  }

  private remember(comments: readonly Comment[]): void {
    const counted = tally(this.ballot(), comments);
    this.memory.keep(counted.standing);
    const now = this.what.ports.clock.now();
    if (this.since?.verdict !== counted.verdict)
      this.since = { verdict: counted.verdict, at: this.cameAbout(counted, comments), confirmedAt: undefined };
    this.lastLook = now;
  }

  /**
   * When a verdict that is seen for the first time came about: with the newest comment that counts, if it is younger
   * than the last look. Else it changed by something without a time (an edit, a deletion), and counts from now.
   */
  private cameAbout({ standing, override }: Tally, comments: readonly Comment[]): Instant {
    const { clock, tracker } = this.what.ports;
    const now = clock.now();
    const ids = new Set([...standing, ...(override ? [override] : [])].map(({ commentId }) => commentId));
    const newest = Math.max(0, ...comments.filter(({ id }) => ids.has(id)).map(({ createdAt }) => createdAt));
    const ahead = between(now, tracker.serverTime() ?? now);
    const here = newest - ahead;
    // The server's times have whole seconds: a second of tolerance on both sides.
    if (here < this.lastLook - seconds(1) || here > now + seconds(1)) return now;
    return instant(Math.min(here, now));
  }

  /** Writes may fail for the same passing reasons as reads; the next look decides anew whether they are still wanted. */
  private async act(move: Move, signal: AbortSignal): Promise<void> {
    const { tracker, clock, log } = this.what.ports;
    try {
      await this.make(move, signal);
    } catch (cause) {
      signal.throwIfAborted();
      if (!tracker.mayPass(cause)) throw cause;
      const pause = tracker.retryAfter(cause) ?? seconds(5);
      if (after(clock.now(), pause) > this.what.gate.words.deadline) {
        this.problem = messageOf(cause);
        return;
      }
      log.warning(`${messageOf(cause)} It is tried again.`);
      await clock.sleep(pause, signal);
    }
  }

  private async make(move: Move, signal: AbortSignal): Promise<void> {
    const { ports, gate, issue } = this.what;
    switch (move.kind) {
      case 'reopen':
        await ports.tracker.reopen(issue.number, signal);
        ports.log.warning(`The request was ${move.because}; it is open again`);
        return;
      case 'hint': {
        const words = hintOf(move.comment.authorLogin, move.reason, gate.words.code);
        const said = await ports.tracker.comment(issue.number, words, signal);
        this.own.add(said.id);
        this.hinted.add(move.comment.id);
        ports.log.info(`Comment ${move.comment.id} by ${move.comment.authorLogin} does not count: ${move.reason}`);
        return;
      }
      case 'show':
        await ports.tracker.editBody(issue.number, bodyOf(gate.words, move.tally), signal);
        this.shown = statusOf(move.tally);
        ports.log.info(`Votes: ${votesOf(move.tally)}`);
        return;
      case 'confirm':
        await this.confirm(move.tally, signal);
        return;
    }
  }

  /** Reads again all that the verdict rests on; whatever is different takes votes away or ends the request in error. */
  private async confirm(counted: Tally, signal: AbortSignal): Promise<void> {
    const { request, context, gate, issue, ports } = this.what;
    const { tracker } = ports;
    const votes = [...counted.standing, ...(counted.override ? [counted.override] : [])];
    const comments = this.memory
      .all()
      .flatMap(({ comment }) => (votes.some(({ commentId }) => commentId === comment.id) ? [comment] : []));
    const voters = new Set(votes.map(({ person }) => person.id));
    const [run, seats, origins, closings, turned] = await Promise.all([
      tracker.runFacts(context.runId, signal),
      resolveSeatsAgain(entriesOf(gate.electorate), gate.seats, { tracker, voters }, signal),
      tracker.origins(comments, signal),
      tracker.closings(issue.number, signal),
      checksTurned(request, gate.run.commit, ports, signal),
    ]);
    if (run.attempt !== gate.run.attempt || run.commit !== gate.run.commit)
      this.problem = `attempt ${run.attempt} of this run has begun, and votes are bound to attempt ${gate.run.attempt}.`;
    else if (turned !== undefined && counted.override === undefined) this.problem = `${turned} at the decision.`;
    this.seatedNow = stillSeated(gate.seated, seat(gate.electorate, seats, gate.exclusions));
    this.memory.learn(comments, origins);
    this.closingDenial = closedByVoter(closings, this.seatedNow);
    if (this.since !== undefined) this.since = { ...this.since, confirmedAt: ports.clock.now() };
  }
}

/** Whoever may vote and closed the request has denied it, though somebody else opened it again; himself, he takes it back. */
function closedByVoter(closings: readonly Closing[], { eligible }: Pick<Seated, 'eligible'>): Person | undefined {
  const denied = new Map<number, Person>();
  for (const { kind, by } of closings) {
    const person = eligible.find(({ id }) => id === by.id);
    if (person === undefined) continue;
    if (kind === 'closed') denied.set(person.id, person);
    else denied.delete(person.id);
  }
  return [...denied.values()][0];
}

const votesOf = ({ standing }: Tally): string =>
  standing.map(({ person, vote }) => `${person.login} ${vote}`).join(', ') || 'none';
