import type { Instant } from '../duration.ts';
import { readVote, type Vote } from './vote.ts';

/** A comment as the server shows it now. Identity is the numeric user id: logins can be renamed and registered anew. */
export interface Comment {
  readonly id: number;
  /** Of GraphQL, which alone tells an edit within one second and a comment by e-mail. */
  readonly nodeId?: string;
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

/** So many of these must be among those who approve: `1 of security`. */
export interface GroupQuorum {
  readonly name: string;
  readonly members: readonly Person[];
  readonly minimum: number;
}

export interface Ballot {
  /** Whoever may vote, already without the initiator and the triggering actor. */
  readonly eligible: readonly Person[];
  /** Persons, not votes: 1..eligible. */
  readonly minimum: number;
  readonly groups?: readonly GroupQuorum[];
  /** Comments up to this id were there before the request was opened and never count. */
  readonly openedAfter: number;
  /** Ids of comments that the gate wrote itself. */
  readonly own: ReadonlySet<number>;
  /** When set, an approval must carry it: `approve 0a1b2c`. */
  readonly code?: string;
  /** Who may end the request alone, in an emergency, with this code and a reason. */
  readonly override?: { readonly eligible: readonly Person[]; readonly code: string };
  /** Comments that are known to be edited or e-mailed by other means than their own two times. */
  readonly tainted?: ReadonlyMap<number, 'edited' | 'by-email'>;
  /** Valid denials that were seen and are gone or changed since: whoever may edit comments must not lift a denial. */
  readonly keptDenials?: readonly Standing[];
}

/** Why a comment that looks like a vote does not count; each is said once to its author. */
export type VoidReason =
  | 'edited'
  | 'by-email'
  | 'bot'
  | 'via-app'
  | 'not-eligible'
  | 'not-override'
  | 'wrong-code'
  | 'code-missing'
  | 'not-understood';

export interface Standing {
  readonly person: Person;
  readonly vote: 'approve' | 'deny';
  readonly commentId: number;
}

export interface Override {
  readonly person: Person;
  readonly reason: string;
  readonly commentId: number;
}

export interface Tally {
  readonly verdict: 'approved' | 'denied' | 'pending' | 'overridden';
  /** The last valid vote of each person, by comment id; a revoked one is gone. */
  readonly standing: readonly Standing[];
  readonly override?: Override;
  /** How many more persons must approve, at least. */
  readonly missing: number;
  /** Groups whose own quorum is not met. */
  readonly lacking: readonly { readonly name: string; readonly missing: number }[];
  readonly void: readonly { readonly comment: Comment; readonly reason: VoidReason }[];
}

/**
 * Counts from zero on every look, over all comments: an approval that vanished or was edited since the last look is void.
 * The last valid vote of a person counts; a standing denial by one eligible person beats any number of approvals, and
 * an override.
 */
export function tally(ballot: Ballot, comments: readonly Comment[]): Tally {
  const last = new Map<number, Standing>((ballot.keptDenials ?? []).map((denial) => [denial.person.id, denial]));
  const voided: { comment: Comment; reason: VoidReason }[] = [];
  let override: Override | undefined;
  for (const comment of [...comments].sort((a, b) => a.id - b.id)) {
    if (comment.id <= ballot.openedAfter || ballot.own.has(comment.id)) continue;
    const vote = readVote(comment.body);
    const reason = voidReason(ballot, comment, vote);
    if (reason !== undefined) voided.push({ comment, reason });
    else if (vote.kind === 'override') override = overrideOf(ballot, comment, vote.reason);
    else {
      record(last, ballot, comment, vote);
      if (vote.kind === 'revoke' && override?.person.id === comment.authorId) override = undefined;
    }
  }
  const standing = [...last.values()]
    .filter(({ person }) => ballot.eligible.some(({ id }) => id === person.id))
    .sort((a, b) => a.commentId - b.commentId);
  return { ...verdictOf(ballot, standing, override), standing, ...(override ? { override } : {}), void: voided };
}

function verdictOf(
  ballot: Ballot,
  standing: readonly Standing[],
  override: Override | undefined,
): Pick<Tally, 'verdict' | 'missing' | 'lacking'> {
  const approvers = new Set(standing.filter(({ vote }) => vote === 'approve').map(({ person }) => person.id));
  const lacking = (ballot.groups ?? []).flatMap(({ name, members, minimum }) => {
    const missing = minimum - members.filter(({ id }) => approvers.has(id)).length;
    return missing > 0 ? [{ name, missing }] : [];
  });
  const short = Math.max(0, ballot.minimum - approvers.size);
  const missing = Math.max(short, ...lacking.map((group) => group.missing));
  if (standing.some(({ vote }) => vote === 'deny')) return { verdict: 'denied', missing, lacking };
  if (override !== undefined) return { verdict: 'overridden', missing, lacking };
  // A minimum below one would be met by nobody; parsing refuses it, and it must not pass here either.
  const approved = ballot.minimum >= 1 && missing === 0;
  return { verdict: approved ? 'approved' : 'pending', missing, lacking };
}

function record(last: Map<number, Standing>, ballot: Ballot, comment: Comment, vote: Vote): void {
  const person = ballot.eligible.find((each) => each.id === comment.authorId);
  if (person === undefined) return;
  // What was kept is older or younger than this comment like any other vote.
  if ((last.get(person.id)?.commentId ?? 0) > comment.id) return;
  if (vote.kind === 'revoke') last.delete(person.id);
  if (vote.kind === 'approve' || vote.kind === 'deny')
    last.set(person.id, { person, vote: vote.kind, commentId: comment.id });
}

function overrideOf(ballot: Ballot, comment: Comment, reason: string): Override | undefined {
  const person = ballot.override?.eligible.find(({ id }) => id === comment.authorId);
  return person === undefined ? undefined : { person, reason, commentId: comment.id };
}

/** undefined: the comment counts (or is talk of somebody who has no vote, which needs no word). */
function voidReason(ballot: Ballot, comment: Comment, vote: Vote): VoidReason | undefined {
  const mayVote = ballot.eligible.some((person) => person.id === comment.authorId);
  const mayOverride = ballot.override?.eligible.some((person) => person.id === comment.authorId) === true;
  if (vote.kind === 'none') return mayVote && !comment.authorIsBot ? 'not-understood' : undefined;
  if (comment.authorIsBot) return 'bot';
  if (vote.kind === 'override' && !mayOverride) return 'not-override';
  if (!mayVote && !mayOverride) return 'not-eligible';
  if (!mayVote && (vote.kind === 'approve' || vote.kind === 'deny')) return 'not-eligible';
  if (comment.viaApp) return 'via-app';
  // Everybody with write access can edit the comments of others: an edited comment is nobody's word.
  if (comment.updatedAt !== comment.createdAt) return 'edited';
  const taint = ballot.tainted?.get(comment.id);
  if (taint !== undefined) return taint;
  return codeProblem(ballot, vote);
}

function codeProblem(ballot: Ballot, vote: Vote): VoidReason | undefined {
  if (vote.kind === 'override') return vote.code === ballot.override?.code ? undefined : 'wrong-code';
  if (vote.kind !== 'approve') return undefined;
  if (ballot.code !== undefined && vote.code === undefined) return 'code-missing';
  return vote.code !== undefined && vote.code !== ballot.code ? 'wrong-code' : undefined;
}
