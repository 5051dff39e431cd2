import { randomUUID } from 'node:crypto';

/** Rights as GitHub names them for the token of a job or an app: `issues: write`. Absent is none. */
export type Grants = Readonly<Record<string, 'read' | 'write'>>;

export interface WorkflowRun {
  readonly id: string;
  readonly actor: string;
  readonly triggeringActor: string;
  readonly attempt: number;
  readonly commit: string;
}

export interface Caller {
  readonly login: string;
  /** What emulate is shown: personal tokens are its own, the job's is an installation token of its app. */
  readonly token: string;
  /** What the caller shows; an ETag belongs to it. */
  readonly shown: string;
  readonly permission: 'none' | 'read' | 'write';
  /** Of the job and of apps; a person has all that its permission gives. */
  readonly grants?: Grants;
  /** Epoch milliseconds. */
  readonly endsAt?: number;
}

export interface CommitSeed {
  readonly sha: string;
  readonly author?: string;
  readonly committer?: string;
  readonly message?: string;
}
export interface PullSeed {
  readonly number: number;
  readonly author: string;
  readonly labels: readonly string[];
  readonly files: readonly string[];
  readonly commits: readonly CommitSeed[];
}
export interface CheckSeed {
  readonly name: string;
  readonly status: 'queued' | 'in_progress' | 'completed';
  readonly conclusion?: string;
  readonly app?: string;
}

interface CommentFacts {
  readonly nodeId: string;
  readonly createdAt: number;
  updatedAt: number;
  editedAt?: number;
  deleted?: true;
  byEmail?: true;
  viaApp?: true;
}

/** What GitHub knows and emulate does not: times, runs, teams, changes, checks, and what became of accounts and issues. */
export class World {
  readonly runs = new Map<string, WorkflowRun>();
  /** `acme/security` -> logins. */
  readonly teams = new Map<string, readonly string[]>();
  /** By commit. */
  readonly pulls = new Map<string, readonly PullSeed[]>();
  /** `base...head`. */
  readonly comparisons = new Map<
    string,
    { readonly commits: readonly CommitSeed[]; readonly files: readonly string[] }
  >();
  /** By commit. */
  readonly commits = new Map<string, CommitSeed>();
  readonly checks = new Map<string, readonly CheckSeed[]>();
  /** On the default branch. */
  readonly files = new Map<string, string>();
  readonly permissions = new Map<string, 'none' | 'read' | 'write'>();
  readonly callers = new Map<string, Caller>();
  readonly comments = new Map<number, CommentFacts>();
  /** Logins that nobody has any more; a renamed account goes on under its id. */
  readonly renamed = new Map<string, string>();
  readonly gone = new Set<string>();
  readonly lostIssues = new Map<string, 'deleted' | 'transferred'>();
  issuesOn = true;
  private limits = new Map<string, { used: number; from: number }>();
  private virtual: { readonly at: number } | undefined;

  /** Follows the clock of a caller in lock-step time (x-sluice-now); without one it is the real time. */
  learn(now: number): void {
    if (now > this.now()) this.virtual = { at: now };
  }
  /** A world of its own time, from this moment on. */
  beginAt(now: number): void {
    this.virtual = { at: now };
  }
  now(): number {
    return this.virtual === undefined ? Date.now() : this.virtual.at;
  }
  /** People take their time: from here on it is so much later. */
  pass(milliseconds: number): void {
    this.virtual = { at: this.now() + milliseconds };
  }
  /** GitHub's times have whole seconds: two edits within one second look alike, and nobody may rely on more. */
  second(at = this.now()): string {
    return new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');
  }

  /** Logins are the same in any case of letters. */
  spelling(login: string): string {
    return [...this.permissions.keys()].find((known) => known.toLowerCase() === login.toLowerCase()) ?? login;
  }
  /** What an account was called when the sandbox began. */
  original(login: string): string {
    return [...this.renamed].find(([, to]) => to.toLowerCase() === login.toLowerCase())?.[0] ?? this.spelling(login);
  }

  wrote(id: number, nodeId: string): void {
    const at = this.now();
    this.comments.set(id, { nodeId, createdAt: at, updatedAt: at });
  }
  edited(id: number): void {
    const facts = this.comments.get(id);
    if (facts !== undefined) Object.assign(facts, { updatedAt: this.now(), editedAt: this.now() });
  }

  /** Counts one call against the hour of a token; a 304 is free (docs, "Best practices", conditional requests). */
  spend(caller: Caller, status: number): { readonly limit: number; readonly used: number; readonly reset: number } {
    const limit = caller.grants === undefined ? 5_000 : caller.login === 'github-actions[bot]' ? 1_000 : 5_000;
    const known = this.limits.get(caller.shown);
    const fresh = known === undefined || this.now() >= known.from + 3_600_000;
    const window = fresh ? { used: 0, from: this.now() } : known;
    if (status !== 304) window.used += 1;
    this.limits.set(caller.shown, window);
    return { limit, used: window.used, reset: Math.ceil((window.from + 3_600_000) / 1_000) };
  }
  exhausted(caller: Caller): boolean {
    const known = this.limits.get(caller.shown);
    const limit = caller.login === 'github-actions[bot]' ? 1_000 : 5_000;
    return known !== undefined && this.now() < known.from + 3_600_000 && known.used >= limit;
  }

  mint(app: { readonly login: string; readonly token: string; readonly grants: Grants }): Caller {
    const shown = `ghs_${randomUUID().replaceAll('-', '')}`;
    const caller: Caller = { ...app, shown, permission: 'write', endsAt: this.now() + 3_600_000 };
    this.callers.set(shown, caller);
    return caller;
  }
}
