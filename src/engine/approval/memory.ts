import { type Ballot, type Comment, type Standing, tally } from '../../domain/approval/tally.ts';
import type { Origin } from '../../ports/issue-tracker.ts';

interface Known {
  readonly comment: Comment;
  readonly bodySha256: string;
  vanished: boolean;
}

/**
 * What the gate has seen of the comments so far. It can only take votes away: an approval counts as the server shows it
 * now, and what was seen before can void it or keep a denial standing.
 */
export class Memory {
  private readonly seen = new Map<number, Known>();
  private readonly tainted = new Map<number, 'edited' | 'by-email'>();
  private readonly asked = new Set<number>();
  private denials: readonly Standing[] = [];
  private readonly sha256: (text: string) => string;

  constructor(sha256: (text: string) => string) {
    this.sha256 = sha256;
  }

  /** Compares with the looks before: GitHub's times have whole seconds, a body that differs was edited in any case. */
  look(comments: readonly Comment[]): void {
    const now = new Set(comments.map(({ id }) => id));
    for (const [id, known] of this.seen) known.vanished = !now.has(id);
    for (const comment of comments) {
      const bodySha256 = this.sha256(comment.body);
      const before = this.seen.get(comment.id);
      const changed = before !== undefined && before.bodySha256 !== bodySha256;
      if (changed || before?.comment.authorId !== (before && comment.authorId)) this.tainted.set(comment.id, 'edited');
      this.seen.set(comment.id, { comment, bodySha256, vanished: false });
    }
  }

  /** Comments that count and of which the server was not asked yet whether they were edited or came by e-mail. */
  unasked(ballot: Ballot, comments: readonly Comment[]): readonly Comment[] {
    const { standing, override } = tally(ballot, comments);
    const ids = new Set([...standing, ...(override ? [override] : [])].map(({ commentId }) => commentId));
    return comments.filter(({ id }) => ids.has(id) && !this.asked.has(id));
  }

  learn(asked: readonly Comment[], origins: ReadonlyMap<number, Origin>): void {
    for (const { id } of asked) {
      const origin = origins.get(id);
      this.asked.add(id);
      // No answer about a comment is an answer: it was there a moment ago, and nobody can vouch for it.
      if (origin === undefined || origin.edited) this.tainted.set(id, 'edited');
      else if (origin.byEmail) this.tainted.set(id, 'by-email');
    }
  }

  /** Denials that counted once stay, whoever deletes or edits the comment; their authors can take them back by a vote. */
  keep(standing: readonly Standing[]): void {
    const now = standing.filter(({ vote }) => vote === 'deny');
    const kept = this.denials.filter(({ person }) => !standing.some((entry) => entry.person.id === person.id));
    // Whoever revoked has no standing vote although the denial is still to be read; tally() then drops it by order.
    this.denials = [...kept, ...now];
  }

  apply(ballot: Ballot): Ballot {
    return { ...ballot, tainted: this.tainted, keptDenials: this.denials };
  }

  all(): readonly Readonly<Known>[] {
    return [...this.seen.values()].sort((a, b) => a.comment.id - b.comment.id);
  }
}
