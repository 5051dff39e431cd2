import type { Checked, GivenInputs, InputSpec, InputsOf } from '../domain/inputs.ts';
import type { Report } from '../domain/report.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';

/** Who runs: facts of the workflow run, read once at the edge. */
export interface RunIdentity {
  readonly repository: string;
  readonly runId: string;
  readonly attempt: number;
  readonly job: string;
  readonly actor: string;
  readonly commit: string;
  readonly workspace: string;
  /** A folder that the runner clears after the job. */
  readonly temp: string;
}

export interface ActionTools {
  readonly log: Log;
  readonly clock: Clock;
  /** Aborted by SIGINT or SIGTERM; the reason is a Cancelled. */
  readonly signal: AbortSignal;
  readonly run: RunIdentity;
  /** The one call that restores a safe state, made when a signal comes; it has 5 s. Replaces the one set before. */
  onCancel(restore: ((signal: AbortSignal) => Promise<string>) | undefined): void;
  /**
   * Call it before the first write to anything outside; `onCancel` with a call implies it. From then on a run that throws
   * or is cancelled says `changed: true`; before that it says `changed: false` and "Nothing was changed". What a Report
   * says of itself counts as it is. What it gives back is called when the write was refused for certain (access denied, not
   * an answer that was lost): then it counts as none.
   */
  willChange(): () => void;
  /** What goes on without the run when it is cancelled and no call restores anything, as a sentence. Replaces the one before. */
  leavesBehind(said: string | undefined): void;
  /** Hides a value from the log from now on. */
  mask(value: string): void;
  /** Keeps a value for `post` (and reads what `main` kept). */
  saveState(name: string, value: string): void;
  savedState(name: string): string | undefined;
  /** An environment variable that the user's own file names (`${API_TOKEN}`); undefined when unset or empty. */
  environment(name: string): string | undefined;
  /** A file of the workspace, as text; a missing one is a Failure that says which input named it. */
  readFile(path: string, namedBy: string): Promise<string>;
  writeFile(path: string, content: string): Promise<void>;
}

/** All that runAction needs to know of one action. `main` and `post` load adapters by `import()` after the inputs are good. */
export interface ActionDefinition<S extends InputSpec, Request> {
  readonly name: string;
  readonly spec: S;
  /** PURE: values of single inputs -> the request, or the problems between them. */
  toRequest(values: InputsOf<S>, given: GivenInputs): Checked<Request>;
  main(request: Request, tools: ActionTools): Promise<Report>;
  /** Removes what a killed `main` left and nobody may read, before `post`, and also where the inputs cannot be read any more. */
  sweep?(tools: ActionTools): Promise<void>;
  /** State that names what `main` has under way: while it is not empty, `post` follows also a `main` that ended by itself. */
  readonly underWay?: string;
  /** Finishes what a killed or cancelled `main` left; undefined: nothing was left. Must do nothing after a `main` that ended. */
  post?(request: Request, tools: ActionTools): Promise<Report | undefined>;
}
