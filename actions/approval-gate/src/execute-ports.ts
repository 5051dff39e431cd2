import { type Duration, after, formatDuration, minutes, seconds } from '../../../src/domain/duration.ts';
import { messageOf } from '../../../src/domain/failure.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { CodeHost } from '../../../src/ports/code-host.ts';
import type { Sha256 } from '../../../src/ports/digest.ts';
import type { IssueTracker } from '../../../src/ports/issue-tracker.ts';
import type { Log } from '../../../src/ports/log.ts';
import type { Random } from '../../../src/ports/random.ts';

/** The record file of the workspace; `read` gives undefined while there is none. */
export interface RecordFile {
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
}

export interface Ports {
  readonly tracker: IssueTracker;
  readonly code: CodeHost;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Pick<Random, 'fraction'>;
  readonly sha256: Sha256;
  /** Reads YAML of a file on the default branch into plain values. */
  readonly parseYaml: (text: string, path: string) => unknown;
  readonly recordFile: RecordFile | undefined;
  /** Told as soon as the request is open, so that `post` can close it when this process is killed. */
  readonly onOpened: (issue: number) => void;
}

export interface RunContext {
  readonly repository: string;
  readonly server: string;
  readonly runId: string;
  readonly runUrl: string;
}

/** Faults that may pass are waited out for so long where no deadline of the request holds. */
const PATIENCE = minutes(3);

/** Repeats work that is safe to repeat while what it throws may pass. */
export async function patiently<T>(
  ports: Pick<Ports, 'tracker' | 'clock' | 'log'>,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = after(ports.clock.now(), PATIENCE);
  for (;;) {
    try {
      return await work();
    } catch (cause) {
      signal.throwIfAborted();
      const pause: Duration = ports.tracker.retryAfter(cause) ?? seconds(5);
      if (!ports.tracker.mayPass(cause) || after(ports.clock.now(), pause) > deadline) throw cause;
      ports.log.warning(`${messageOf(cause)} Trying again in ${formatDuration(pause)}`);
      await ports.clock.sleep(pause, signal);
    }
  }
}
