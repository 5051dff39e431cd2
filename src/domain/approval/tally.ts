import type { Instant } from '../duration.ts';
import { readVote, type Vote } from './vote.ts';

/** A comment as the server shows it now. Identity is the numeric user id: logins can be renamed and registered anew. */
export interface Comment {
  readonly id: number;
  readonly authorId: number;
  readonly authorLogin: string;
  readonly authorIsBot: boolean;
  /** Made by an app in somebody's name. */
  readonly viaApp: boolean;
  readonly body: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

export interface Person {
  readonly id: number;
  readonly login: string;
}

export interface Ballot {
  /** Whoever may vote, already without the initiator and the triggering actor. */
  readonly eligible: readonly Person[];
  /** Persons, not votes: 1..eligible. */
  readonly minimum: number;
  /** Comments up to this id were there before the request was opened and never count. */
  readonly openedAfter: number;
  /** Ids of comments that the gate wrote itself. */
  readonly own: ReadonlySet<number>;
  /** When set, an approval must carry it: `approve 0a1b2c`. */
  readonly code?: string;
}

/** Why a comment that looks like a vote does not count; each is said once to its author. */
export type VoidReason =
  'edited' | 'bot' | 'via-app' | 'not-eligible' | 'wrong-code' | 'code-missing' | 'not-understood';

export interface Standing {
  readonly person: Person;
  readonly vote: 'approve' | 'deny';
  readonly commentId: number;
}

export interface Tally {
  readonly verdict: 'approved' | 'denied' | 'pending';
  /** The last valid vote of each person, by comment id; a revoked one is gone. */
  readonly standing: readonly Standing[];
  readonly missing: number;
  readonly void: readonly { readonly comment: Comment; readonly reason: VoidReason }[];
}

/**
 * Counts from zero on every look, over all comments: a vote that vanished or was edited since the last look is void.
 * The last valid vote of a person counts; a standing denial by one eligible person beats any number of approvals.
 */
export function tally(ballot: Ballot, comments: readonly Comment[]): Tally {
  const last = new Map<number, Standing>();
  const voided: { comment: Comment; reason: VoidReason }[] = [];
  for (const comment of [...comments].sort((a, b) => a.id - b.id)) {
    if (comment.id <= ballot.openedAfter || ballot.own.has(comment.id)) continue;
    const vote = readVote(comment.body);
    const reason = voidReason(ballot, comment, vote);
    if (reason !== undefined) voided.push({ comment, reason });
    else record(last, ballot, comment, vote);
  }
  const standing = [...last.values()].sort((a, b) => a.commentId - b.commentId);
  const approvals = standing.filter((entry) => entry.vote === 'approve').length;
  const denied = standing.some((entry) => entry.vote === 'deny');
  // A minimum below one would be met by nobody; parsing refuses it, and it must not pass here either.
  const approved = ballot.minimum >= 1 && approvals >= ballot.minimum;
  return {
    verdict: denied ? 'denied' : approved ? 'approved' : 'pending',
    standing,
    missing: Math.max(0, ballot.minimum - approvals),
    void: voided,
  };
}

function record(last: Map<number, Standing>, ballot: Ballot, comment: Comment, vote: Vote): void {
  const person = ballot.eligible.find((each) => each.id === comment.authorId);
  if (person === undefined) return;
  if (vote.kind === 'revoke') last.delete(person.id);
  if (vote.kind === 'approve' || vote.kind === 'deny')
    last.set(person.id, { person, vote: vote.kind, commentId: comment.id });
}

/** undefined: the comment counts (or is talk of somebody who has no vote, which needs no word). */
function voidReason(ballot: Ballot, comment: Comment, vote: Vote): VoidReason | undefined {
  const mayVote = ballot.eligible.some((person) => person.id === comment.authorId);
  if (vote.kind === 'none') return mayVote && !comment.authorIsBot ? 'not-understood' : undefined;
  if (comment.authorIsBot) return 'bot';
  if (!mayVote) return 'not-eligible';
  if (comment.viaApp) return 'via-app';
  // Everybody with write access can edit the comments of others: an edited comment is nobody's word.
  if (comment.updatedAt !== comment.createdAt) return 'edited';
  if (vote.kind === 'approve' && ballot.code !== undefined && vote.code === undefined) return 'code-missing';
  if (vote.kind === 'approve' && vote.code !== undefined && vote.code !== ballot.code) return 'wrong-code';
  return undefined;
}
