import type { Grants, WorkflowRun, World } from './world.ts';

/**
 * GitHub for the sandbox: npm `emulate` keeps issues, comments and people; this front adds what it lacks or does too
 * kindly: 401 for unknown and ended tokens, permissions of each person and of each token, workflow runs, teams, changes,
 * checks, times to the second, ETags, rate limits, limits on the length of a comment, faults by call. What neither knows
 * answers 404, as emulate does.
 */
export interface GitHubSeed {
  /** `owner/name`. */
  readonly repository: string;
  /** By login. `read` may comment in a public repository, `write` may edit everything. */
  readonly people: Readonly<Record<string, 'read' | 'write'>>;
  /** Of the job's token; without it what a gate needs. */
  readonly jobGrants?: Grants;
}

export interface GitHubFaultRule {
  /** `GET /repos/acme/shop/issues/1/comments`; a `*` stands for one path segment. */
  readonly call: string;
  readonly kind: 'status' | 'reset' | 'hang' | 'garbage';
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly message?: string;
  /** How many of the next matching calls; Infinity for all. */
  readonly times: number;
}

export interface GitHubCall {
  readonly call: string;
  readonly status: number;
  readonly who: string;
  /** Epoch milliseconds, of the front's clock. */
  readonly at: number;
}

export interface SandboxGitHub {
  readonly url: string;
  /** Personal tokens by login, and `github-actions` for the job's own (issues: write). */
  readonly tokens: Readonly<Record<string, string>>;
  /** An App that is installed in the repository; its tokens live for an hour. */
  readonly app: { readonly id: number; readonly privateKey: string };
  /** What the front knows beside emulate; tests set teams, changes, checks and what becomes of accounts here. */
  readonly world: World;
  setRun(run: WorkflowRun): void;
  addFault(fault: GitHubFaultRule): void;
  /** From now on everything is answered truthfully, and nobody does anything by himself. */
  calm(): void;
  /** Runs once, after the next matching call succeeded and before its answer is sent: what people do at that very moment. */
  afterNext(call: string, act: (data: unknown) => Promise<void>): void;
  /** Runs once, before the first call at or after this moment (front's clock) is answered. */
  at(moment: number, act: () => Promise<void>): void;
  /** Time passes to this moment, and everything that was to be done by then is done, each at its own moment. */
  keepAppointments(now: number): Promise<void>;
  calls(): readonly GitHubCall[];
  /** One request as a person, over the wire like any other. */
  as(login: string, call: string, body?: unknown): Promise<{ readonly status: number; readonly data: unknown }>;
  close(): Promise<void>;
}
