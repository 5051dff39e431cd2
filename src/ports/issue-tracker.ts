import type { Comment, Person } from '../domain/approval/tally.ts';
import type { Duration, Instant } from '../domain/duration.ts';

export interface Account extends Person {
  readonly isBot: boolean;
}

export interface RunFacts {
  /** Who started the run first; re-runs keep the privileges of this one. */
  readonly actor: Person;
  /** Who started this attempt. */
  readonly triggeringActor: Person;
  readonly attempt: number;
  readonly commit: string;
}

export interface Issue {
  readonly number: number;
  readonly url: string;
  readonly title: string;
  readonly state: 'open' | 'closed';
  readonly closedBy?: Person;
  readonly authorId: number;
}

/** One time somebody closed or re-opened the issue. */
export interface Closing {
  readonly kind: 'closed' | 'reopened';
  /** id 0: an account that does not exist any more. */
  readonly by: Person;
}

/** What only the server can say of a comment: GitHub's REST times have whole seconds. */
export interface Origin {
  readonly edited: boolean;
  readonly byEmail: boolean;
}

/** `none`: this account does not even see the repository. */
export type Permission = 'none' | 'read' | 'write';

/** Issues and people, as a gate needs them. Every fault is thrown: an API that fails has said neither yes nor no. */
export interface IssueTracker {
  /** As messages name it: `acme/shop on github.com`. */
  readonly name: string;
  /** Whether what was thrown may be gone at the next try (5xx, rate limit, a reset): never so for a missing right or issue. */
  mayPass(cause: unknown): boolean;
  /** How long the server asked to be left alone. */
  retryAfter(cause: unknown): Duration | undefined;
  /** The right that was missing, as GitHub names it (`issues=write`); undefined: something else went wrong. */
  missingRight(cause: unknown): string | undefined;
  /** The server's clock, as of its last answer; undefined before the first one. */
  serverTime(): Instant | undefined;
  /** Whose token this is; undefined: an app's, which is nobody's. */
  self(signal: AbortSignal): Promise<Person | undefined>;
  user(login: string, signal: AbortSignal): Promise<Account>;
  /** The account as it is called now; undefined: there is none any more. */
  account(id: number, signal: AbortSignal): Promise<Account | undefined>;
  permission(login: string, signal: AbortSignal): Promise<Permission>;
  /** Everybody in a team, of all pages. */
  team(team: { readonly org: string; readonly slug: string }, signal: AbortSignal): Promise<readonly Account[]>;
  runFacts(runId: string, signal: AbortSignal): Promise<RunFacts>;
  openIssue(
    issue: {
      readonly title: string;
      readonly body: string;
      readonly labels: readonly string[];
      readonly assignees: readonly string[];
    },
    signal: AbortSignal,
  ): Promise<Issue>;
  /** Also fails for an issue that was moved to another repository. */
  issue(number: number, signal: AbortSignal): Promise<Issue>;
  /** All comments of all pages. */
  comments(number: number, signal: AbortSignal): Promise<readonly Comment[]>;
  /** By comment id; a comment that is gone has no entry. */
  origins(comments: readonly Comment[], signal: AbortSignal): Promise<ReadonlyMap<number, Origin>>;
  /** In the order in which it happened. */
  closings(number: number, signal: AbortSignal): Promise<readonly Closing[]>;
  comment(number: number, body: string, signal: AbortSignal): Promise<{ readonly id: number }>;
  editBody(number: number, body: string, signal: AbortSignal): Promise<void>;
  close(number: number, reason: 'completed' | 'not_planned', signal: AbortSignal): Promise<void>;
  reopen(number: number, signal: AbortSignal): Promise<void>;
  addLabels(number: number, labels: readonly string[], signal: AbortSignal): Promise<void>;
  /** Open issues with the label, newest first. */
  openIssues(label: string, signal: AbortSignal): Promise<readonly Issue[]>;
}
