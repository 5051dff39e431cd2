export interface ProgramResult {
  /** null: a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramCall {
  readonly args: readonly string[];
  /** Beside the environment of the step. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Called for each line of both outputs, as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Other programs of this machine. */
export interface Programs {
  /** Every file of this name on PATH, in its order. */
  find(name: string): Promise<readonly string[]>;
  /** Runs it to its end; one that cannot be started is a result with code 127. An abort ends it and all that it started. */
  run(program: string, call: ProgramCall, signal: AbortSignal): Promise<ProgramResult>;
}
