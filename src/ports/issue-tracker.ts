import type { Comment, Person } from '../domain/approval/tally.ts';
import type { Duration } from '../domain/duration.ts';

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

/** Issues and people, as a gate needs them. Every fault is thrown: an API that fails has said neither yes nor no. */
export interface IssueTracker {
  /** As messages name it: `acme/shop on github.com`. */
  readonly name: string;
  /** Whether what was thrown may be gone at the next try (5xx, rate limit, a reset): never so for a missing right or issue. */
  mayPass(cause: unknown): boolean;
  /** How long the server asked to be left alone. */
  retryAfter(cause: unknown): Duration | undefined;
  user(login: string, signal: AbortSignal): Promise<Account>;
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
  issue(number: number, signal: AbortSignal): Promise<Issue>;
  /** All comments of all pages. */
  comments(number: number, signal: AbortSignal): Promise<readonly Comment[]>;
  comment(number: number, body: string, signal: AbortSignal): Promise<{ readonly id: number }>;
  editBody(number: number, body: string, signal: AbortSignal): Promise<void>;
  close(number: number, reason: 'completed' | 'not_planned', signal: AbortSignal): Promise<void>;
  reopen(number: number, signal: AbortSignal): Promise<void>;
  /** Open issues with the label, newest first. */
  openIssues(label: string, signal: AbortSignal): Promise<readonly Issue[]>;
}
