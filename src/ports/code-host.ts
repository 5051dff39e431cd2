import type { Person } from '../domain/approval/tally.ts';

/** What a commit changes against what runs now. What is not known is said, and never counts as "nothing". */
export interface Change {
  readonly paths: readonly string[];
  /** Of the pull requests that brought the commit in. */
  readonly labels: readonly string[];
  readonly commitAuthors: readonly Person[];
  readonly pullRequestAuthors: readonly Person[];
  /** Commits whose author or co-author is no account of the server. */
  readonly unknownAuthors: number;
  /** False: there are more paths than the server lists, or there is nothing to compare with. */
  readonly complete: boolean;
}

export interface CheckRun {
  readonly name: string;
  /** Slug of the app that made it. */
  readonly app: string;
  readonly state: 'pending' | 'green' | 'red';
  /** As the server says it: `success`, `failure`, `in_progress`. */
  readonly said: string;
}

/** Code and what is known about it. Faults are thrown as those of the issue tracker. */
export interface CodeHost {
  change(commit: string, since: string | undefined, signal: AbortSignal): Promise<Change>;
  /** The latest run of each check with this name. */
  checks(commit: string, name: string, signal: AbortSignal): Promise<readonly CheckRun[]>;
  /** A file as the default branch has it, not as the commit has it that asks to be let in. undefined: there is none. */
  trustedFile(path: string, signal: AbortSignal): Promise<string | undefined>;
}
