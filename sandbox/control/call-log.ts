import type { ApiCall } from './wire/call.ts';
import { isMutating } from './wire/rest-operations.ts';

export type CallResult =
  | { readonly kind: 'pending' }
  | { readonly kind: 'ok' }
  | { readonly kind: 'error'; readonly code: string; readonly status: number }
  /** The client got no answer: a fault, a kill, or it hung up first. `applied`: the effect happened all the same. */
  | { readonly kind: 'dropped'; readonly why: string; readonly applied: 'applied' | 'not-applied' };

/** One HTTP request of a client. Retries of an SDK are entries of their own with the same `logicalId` and ordinal. */
export interface CallEntry {
  readonly sequence: number;
  /** Whose credentials: `action`, `fixture`, or a name given to `world.run`. Ordinals count per run. */
  readonly run: string;
  /** `ecs:UpdateService` */
  readonly operation: string;
  /** 1 for the run's first logical call of this operation. */
  readonly ordinal: number;
  readonly logicalId: string;
  readonly attempt: number;
  readonly region: string;
  /** Sandbox time, epoch milliseconds. */
  readonly at: number;
  readonly mutating: boolean;
  readonly result: CallResult;
  /** The fault that was met, if any: `throttle`, `reset`. */
  readonly fault?: string;
}

export interface OpenCall {
  readonly entry: CallEntry;
  end(result: CallResult, fault?: string): void;
}

/** What the log wants to know of a call; `mutating` where the operation's name does not say it. */
export type LoggedCall = Pick<ApiCall, 'service' | 'operation' | 'invocation' | 'attempt'> & {
  readonly mutating?: boolean;
};

export interface CallLog {
  open(call: LoggedCall, from: { readonly run: string; readonly region: string; readonly at: number }): OpenCall;
  entries(): readonly CallEntry[];
}

export function callLog(): CallLog {
  const entries: CallEntry[] = [];
  const ordinals = new Map<string, Map<string, number>>();

  function ordinalOf(run: string, operation: string, logicalId: string): number {
    const key = `${run} ${operation}`;
    const seen = ordinals.get(key) ?? new Map<string, number>();
    ordinals.set(key, seen);
    const known = seen.get(logicalId) ?? seen.size + 1;
    seen.set(logicalId, known);
    return known;
  }

  return {
    open(call, { run, region, at }) {
      const operation = `${call.service}:${call.operation}`;
      const index = entries.length;
      const entry: CallEntry = {
        sequence: index + 1,
        run,
        operation,
        ordinal: ordinalOf(run, operation, call.invocation),
        logicalId: call.invocation,
        attempt: call.attempt,
        region,
        at,
        mutating: call.mutating ?? isMutating(call.operation),
        result: { kind: 'pending' },
      };
      entries.push(entry);
      return {
        entry,
        end(result, fault) {
          entries[index] = { ...entry, result, ...(fault === undefined ? {} : { fault }) };
        },
      };
    },
    entries: () => [...entries],
  };
}
