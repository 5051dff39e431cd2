import { type Duration, after, formatDuration, minutes, seconds } from '../../domain/duration.ts';
import { messageOf } from '../../domain/failure.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CodeHost } from '../../ports/code-host.ts';
import type { Sha256 } from '../../ports/digest.ts';
import type { IssueTracker } from '../../ports/issue-tracker.ts';
import type { Log } from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';

/** What a gate needs: people and their words, code, time. */
export interface Ports {
  readonly tracker: IssueTracker;
  readonly code: CodeHost;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Pick<Random, 'fraction'>;
  readonly sha256: Sha256;
  /** Reads YAML of a file on the default branch into plain values. */
  readonly parseYaml: (text: string, path: string) => unknown;
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
