import { type Duration, type Instant, after, between, minutes, seconds } from '../../../src/domain/duration.ts';
import type { Comment, Person, Standing, Tally } from '../../../src/domain/approval/tally.ts';
import { type Ballot, tally } from '../../../src/domain/approval/tally.ts';
import { unreachable } from '../../../src/domain/unreachable.ts';

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
}

export type Observation =
  | { readonly kind: 'unreachable'; readonly why: string; readonly retryAfter: Duration | undefined }
  | {
      readonly kind: 'seen';
      readonly closedBy: Person | 'unknown' | undefined;
      readonly comments: readonly Comment[];
      /** Comments that already got their hint. */
      readonly hinted: ReadonlySet<number>;
      /** What the status table in the request shows. */
      readonly shown: string;
      /** Since when the same verdict has been seen without a break, and whether the seats were resolved again since then. */
      readonly verdictSince:
        { readonly verdict: Tally['verdict']; readonly at: Instant; readonly seatsResolved: boolean } | undefined;
    };

export type Move =
  | { readonly kind: 'reopen'; readonly because: string }
  | { readonly kind: 'resolve-seats' }
  | { readonly kind: 'hint'; readonly comment: Comment; readonly reason: Tally['void'][number]['reason'] }
  | { readonly kind: 'show'; readonly tally: Tally };

export type Outcome =
  | { readonly kind: 'approved'; readonly by: readonly Standing[] }
  | { readonly kind: 'denied'; readonly by: Person }
  | { readonly kind: 'expired'; readonly missing: number }
  | { readonly kind: 'error'; readonly why: string };

export type Decision =
  | { readonly kind: 'move'; readonly move: Move }
  | { readonly kind: 'wait'; readonly for: string; readonly every: Duration; readonly until?: Instant }
  | { readonly kind: 'done'; readonly outcome: Outcome };

/** Hints stop here: a conversation must not turn the gate into a chat bot (and content writes are limited). */
const MOST_HINTS = 20;

export function decide(rules: Rules, seen: Observation, now: Instant): Decision {
  switch (seen.kind) {
    case 'unreachable':
      return decideBlind(rules, seen, now);
    case 'seen':
      return decideSeen(rules, seen, now);
    default:
      return unreachable(seen);
  }
}

function decideBlind(rules: Rules, seen: Extract<Observation, { kind: 'unreachable' }>, now: Instant): Decision {
  if (now >= rules.deadline) return { kind: 'done', outcome: { kind: 'error', why: seen.why } };
  const every = seen.retryAfter ?? pollEvery(between(rules.openedAt, now));
  return { kind: 'wait', for: `the issue to be readable again (${seen.why})`, every, until: rules.deadline };
}

function decideSeen(rules: Rules, seen: Extract<Observation, { kind: 'seen' }>, now: Instant): Decision {
  const counted = tally(rules.ballot, seen.comments);
  if (seen.closedBy !== undefined) return decideClosed(rules, seen.closedBy);
  if (counted.verdict !== 'pending') return decideVerdict(rules, seen, counted, now);
  if (now >= rules.deadline) return { kind: 'done', outcome: { kind: 'expired', missing: counted.missing } };
  const unhinted =
    seen.hinted.size < MOST_HINTS ? counted.void.find(({ comment }) => !seen.hinted.has(comment.id)) : undefined;
  if (unhinted !== undefined) return { kind: 'move', move: { kind: 'hint', ...unhinted } };
  if (statusOf(counted) !== seen.shown) return { kind: 'move', move: { kind: 'show', tally: counted } };
  const people = counted.missing === 1 ? '1 more approval' : `${counted.missing} more approvals`;
  return { kind: 'wait', for: people, every: pollEvery(between(rules.openedAt, now)), until: rules.deadline };
}

/** Closing the request is a denial by whoever may vote; by anybody else it is undone. */
function decideClosed(rules: Rules, closedBy: Person | 'unknown'): Decision {
  const person = closedBy === 'unknown' ? undefined : rules.ballot.eligible.find((each) => each.id === closedBy.id);
  if (person !== undefined) return { kind: 'done', outcome: { kind: 'denied', by: person } };
  const who = closedBy === 'unknown' ? 'somebody unknown' : closedBy.login;
  return { kind: 'move', move: { kind: 'reopen', because: `closed by ${who}, who cannot vote` } };
}

function decideVerdict(
  rules: Rules,
  seen: Extract<Observation, { kind: 'seen' }>,
  counted: Tally,
  now: Instant,
): Decision {
  const since = seen.verdictSince;
  const settledAt = since?.verdict === counted.verdict ? after(since.at, rules.settle) : undefined;
  if (settledAt === undefined || now < settledAt) {
    return {
      kind: 'wait',
      for: `the verdict to settle (${counted.verdict})`,
      every: rules.settle,
      ...(settledAt === undefined ? {} : { until: settledAt }),
    };
  }
  if (since?.seatsResolved !== true) return { kind: 'move', move: { kind: 'resolve-seats' } };
  const denial = counted.standing.find((entry) => entry.vote === 'deny');
  if (denial !== undefined) return { kind: 'done', outcome: { kind: 'denied', by: denial.person } };
  return {
    kind: 'done',
    outcome: { kind: 'approved', by: counted.standing.filter((entry) => entry.vote === 'approve') },
  };
}

/** What the table in the request shows, as a text that can be compared. */
export const statusOf = (counted: Tally): string =>
  counted.standing.map((entry) => `${entry.person.id}=${entry.vote}`).join(',');

/** Quick while people are looking, slow while they sleep: a waiting gate shares 1,000 requests an hour with the repository. */
export function pollEvery(waited: Duration): Duration {
  if (waited < minutes(2)) return seconds(5);
  if (waited < minutes(15)) return seconds(15);
  return seconds(30);
}
