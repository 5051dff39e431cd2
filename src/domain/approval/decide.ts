import {
  type Duration,
  type Instant,
  after,
  between,
  formatInstant,
  milliseconds,
  minutes,
  seconds,
} from '../duration.ts';
import { type RequestWords, escapeMarkdown } from './request-text.ts';
import type { Comment, Override, Person, Standing, Tally } from './tally.ts';
import { type Ballot, tally } from './tally.ts';
import { type Opening, type Schedule, openingAt } from '../schedule/window.ts';
import { unreachable } from '../unreachable.ts';

/*
 * Safe states. Process dead (post runs): nothing was approved; post closes the request. Runner dead (post does not run):
 * nothing was approved, the request stays open and its votes are void, because votes are bound to the attempt; the next
 * attempt closes it. An API fault is never an approval and never a denial.
 */

export interface Rules {
  readonly ballot: Ballot;
  readonly deadline: Instant;
  /** A verdict must stand this long and be read again before it is final: races between votes end here. */
  readonly settle: Duration;
  readonly openedAt: Instant;
  readonly environment: string;
  readonly schedule: Schedule;
  readonly outside: 'wait' | 'fail' | 'warn';
  /** Between -1 and 1: gates that began together do not ask together. */
  readonly jitter: number;
}

/** Since when the same verdict has been seen without a break, and when all that it rests on was read again. */
export interface VerdictSince {
  readonly verdict: Tally['verdict'];
  readonly at: Instant;
  readonly confirmedAt: Instant | undefined;
}

export type Observation =
  | { readonly kind: 'unreachable'; readonly why: string; readonly retryAfter: Duration | undefined }
  /** Read again, it turned out that no vote could count any more: another attempt has begun, a check went red. */
  | { readonly kind: 'void'; readonly why: string }
  | {
      readonly kind: 'seen';
      readonly closedBy: Person | 'unknown' | undefined;
      readonly comments: readonly Comment[];
      /** Comments that already got their hint. */
      readonly hinted: ReadonlySet<number>;
      /** What the status table in the request shows. */
      readonly shown: string;
      readonly verdictSince: VerdictSince | undefined;
    };

export type Move =
  | { readonly kind: 'reopen'; readonly because: string }
  /** Reads everything again that the verdict rests on: seats, run, edits, closings, checks. */
  | { readonly kind: 'confirm'; readonly tally: Tally }
  | { readonly kind: 'hint'; readonly comment: Comment; readonly reason: Tally['void'][number]['reason'] }
  | { readonly kind: 'show'; readonly tally: Tally };

export type Outcome =
  | { readonly kind: 'approved'; readonly by: readonly Standing[]; readonly window: Opening }
  | { readonly kind: 'overridden'; readonly override: Override; readonly window: Opening }
  | { readonly kind: 'denied'; readonly by: Person }
  | { readonly kind: 'expired'; readonly missing: number; readonly lacking: Tally['lacking'] }
  | { readonly kind: 'outside-window'; readonly why: string }
  | { readonly kind: 'error'; readonly why: string };

export type Decision =
  | { readonly kind: 'move'; readonly move: Move }
  | { readonly kind: 'wait'; readonly for: string; readonly every: Duration; readonly until?: Instant }
  | { readonly kind: 'done'; readonly outcome: Outcome };

type Seen = Extract<Observation, { kind: 'seen' }>;

/** Hints stop here: a conversation must not turn the gate into a chat bot (and content writes are limited). */
const MOST_HINTS = 20;
/** What was confirmed longer ago (the gate then waited for a window) is read again. */
const CONFIRMED_FOR = minutes(1);

export function decide(rules: Rules, seen: Observation, now: Instant): Decision {
  switch (seen.kind) {
    case 'unreachable':
      return decideBlind(rules, seen, now);
    case 'void':
      return { kind: 'done', outcome: { kind: 'error', why: seen.why } };
    case 'seen':
      return decideSeen(rules, seen, now);
    default:
      return unreachable(seen);
  }
}

function decideBlind(rules: Rules, seen: Extract<Observation, { kind: 'unreachable' }>, now: Instant): Decision {
  if (now >= rules.deadline) return { kind: 'done', outcome: { kind: 'error', why: seen.why } };
  const every = seen.retryAfter ?? pollEvery(between(rules.openedAt, now), rules.jitter);
  return { kind: 'wait', for: `the issue to be readable again (${seen.why})`, every, until: rules.deadline };
}

function decideSeen(rules: Rules, seen: Seen, now: Instant): Decision {
  const counted = tally(rules.ballot, seen.comments);
  if (seen.closedBy !== undefined) return decideClosed(rules, seen.closedBy);
  if (counted.verdict !== 'pending') return decideVerdict(rules, seen, counted, now);
  if (now >= rules.deadline)
    return { kind: 'done', outcome: { kind: 'expired', missing: counted.missing, lacking: counted.lacking } };
  const unhinted =
    seen.hinted.size < MOST_HINTS ? counted.void.find(({ comment }) => !seen.hinted.has(comment.id)) : undefined;
  if (unhinted !== undefined) return { kind: 'move', move: { kind: 'hint', ...unhinted } };
  if (statusOf(counted) !== seen.shown) return { kind: 'move', move: { kind: 'show', tally: counted } };
  return {
    kind: 'wait',
    for: missingWords(counted),
    every: pollEvery(between(rules.openedAt, now), rules.jitter),
    until: rules.deadline,
  };
}

/** `2 more approvals, 1 of them from security`. */
export function missingWords({ missing, lacking }: Pick<Tally, 'missing' | 'lacking'>): string {
  const people = missing === 1 ? '1 more approval' : `${missing} more approvals`;
  const groups = lacking.map((group) => `${group.missing} of ${group.name}`);
  return groups.length === 0 ? people : `${people} (${groups.join(', ')})`;
}

/** Closing the request is a denial by whoever may vote; by anybody else it is undone. */
function decideClosed(rules: Rules, closedBy: Person | 'unknown'): Decision {
  const person = closedBy === 'unknown' ? undefined : rules.ballot.eligible.find((each) => each.id === closedBy.id);
  if (person !== undefined) return { kind: 'done', outcome: { kind: 'denied', by: person } };
  const who = closedBy === 'unknown' ? 'somebody unknown' : closedBy.login;
  return { kind: 'move', move: { kind: 'reopen', because: `closed by ${who}, who cannot vote` } };
}

function decideVerdict(rules: Rules, seen: Seen, counted: Tally, now: Instant): Decision {
  const since = seen.verdictSince;
  const settledAt = since?.verdict === counted.verdict ? after(since.at, rules.settle) : undefined;
  if (settledAt === undefined || now < settledAt) {
    return {
      kind: 'wait',
      for: `the verdict to settle (${counted.verdict})`,
      every: rules.settle > 0 ? rules.settle : seconds(1),
      ...(settledAt === undefined ? {} : { until: settledAt }),
    };
  }
  if (since?.confirmedAt === undefined || now > after(since.confirmedAt, CONFIRMED_FOR))
    return { kind: 'move', move: { kind: 'confirm', tally: counted } };
  const denial = counted.standing.find((entry) => entry.vote === 'deny');
  if (denial !== undefined) return { kind: 'done', outcome: { kind: 'denied', by: denial.person } };
  const window = openingAt(rules.schedule, rules.environment, now);
  if (counted.override !== undefined)
    return { kind: 'done', outcome: { kind: 'overridden', override: counted.override, window } };
  return decideApproved(rules, { counted, window }, now);
}

/** An approval says yes to the release, not to the hour: the window is judged when the deployment would begin. */
function decideApproved(
  rules: Rules,
  { counted, window }: { readonly counted: Tally; readonly window: Opening },
  now: Instant,
): Decision {
  const by = counted.standing.filter((entry) => entry.vote === 'approve');
  if (window.kind === 'open' || rules.outside === 'warn')
    return { kind: 'done', outcome: { kind: 'approved', by, window } };
  const opens = window.next?.from;
  if (rules.outside === 'fail' || opens === undefined || opens >= rules.deadline || now >= rules.deadline)
    return { kind: 'done', outcome: { kind: 'outside-window', why: closedWords(window) } };
  return {
    kind: 'wait',
    for: `the window to open at ${formatInstant(opens)} (approved; ${window.because})`,
    every: pollEvery(between(rules.openedAt, now), rules.jitter),
    until: opens,
  };
}

export const closedWords = ({ because, next }: Extract<Opening, { kind: 'closed' }>): string =>
  `${because}; ${next === undefined ? 'none opens within 400 days' : `the next one opens at ${formatInstant(next.from)}`}`;

/** What the table in the request shows, as a text that can be compared. */
export const statusOf = (counted: Tally): string =>
  counted.standing.map((entry) => `${entry.person.id}=${entry.vote}`).join(',');

/**
 * Quick while people are looking, slow while they sleep: a waiting gate shares 1,000 requests an hour with the
 * repository, and though unchanged answers are free, the secondary limits count them too.
 */
export function pollEvery(waited: Duration, jitter: number): Duration {
  const base = waited < minutes(2) ? seconds(2) : waited < minutes(15) ? seconds(15) : seconds(40);
  return milliseconds(Math.round(base * (1 + 0.2 * jitter)));
}

export const isYes = (outcome: Outcome): boolean => outcome.kind === 'approved' || outcome.kind === 'overridden';

export function closingWords(words: Pick<RequestWords, 'deadline'>, outcome: Outcome): string {
  switch (outcome.kind) {
    case 'approved':
      return `Approved by ${outcome.by.map((vote) => escapeMarkdown(vote.person.login)).join(', ')}. Later comments change nothing.`;
    case 'overridden':
      return `Emergency override by ${escapeMarkdown(outcome.override.person.login)}: ${escapeMarkdown(outcome.override.reason)}. Later comments change nothing.`;
    case 'denied':
      return `Denied by ${escapeMarkdown(outcome.by.login)}.`;
    case 'expired':
      return `Not approved by ${formatInstant(words.deadline)}: ${missingWords(outcome)} needed.`;
    case 'outside-window':
      return `Not let in: ${escapeMarkdown(outcome.why)}.`;
    case 'error':
      return 'Ended by a fault, neither approved nor denied. Re-run the job to ask again.';
    default:
      return unreachable(outcome);
  }
}
