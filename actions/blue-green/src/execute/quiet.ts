import { type Duration, type Instant, after, between, milliseconds } from '../../../../src/domain/duration.ts';
import type { MetricProvider, Window } from '../../../../src/ports/metric-provider.ts';
import type { ShiftRecord } from '../../../../src/domain/shift/record.ts';
import { measured, windowBefore } from '../../../../src/engine/shift/measure.ts';
import type { Acting } from './acting.ts';

/** Looks in a row without a request. */
const QUIET_LOOKS = 2;
/** Whole periods of a source that knows nothing shorter. */
const QUIET_PERIODS = 2;

/**
 * Whether the old color is known to get no requests any more, where a drain may end by that. An open connection makes no
 * request, so it is asked for by whoever has none; clients that are kept on their color come back after a silence.
 */
export async function quietOf({ ports, memory, release }: Acting, signal: AbortSignal): Promise<'quiet' | 'unknown'> {
  const provider = ports.metrics.providers['requests'];
  const { record } = memory;
  // A shift that is only found may have another candidate than the one that the sources are asked about.
  if (provider === undefined || record?.phase !== 'finishing' || memory.engaged === 'no') return 'unknown';
  const { drainEarlyAfter } = release;
  const now = ports.clock.now();
  if (drainEarlyAfter === 'never' || now < after(record.since, drainEarlyAfter)) return 'unknown';
  // The source knows the first of several places alone.
  if (ports.routes.length > 1) return 'unknown';
  const { interval } = release.goal.policy;
  if (memory.lastQuietLook === undefined || between(memory.lastQuietLook, now) >= interval) {
    memory.lastQuietLook = now;
    const window = windowOf(provider, record, { now, length: milliseconds(QUIET_LOOKS * interval) });
    const isQuiet = window !== undefined && (await hasNone(provider, window, signal));
    memory.quietLooks = isQuiet ? memory.quietLooks + 1 : 0;
  }
  return memory.quietLooks >= QUIET_LOOKS ? 'quiet' : 'unknown';
}

/** undefined: the source knows nothing yet of the time since the drain began. */
function windowOf(
  provider: MetricProvider,
  { since }: ShiftRecord,
  { now, length }: { readonly now: Instant; readonly length: Duration },
): Window | undefined {
  const { periods } = provider;
  if (periods === undefined) return windowBefore(provider, { now, length });
  const window = windowBefore(provider, { now, length: milliseconds(QUIET_PERIODS * periods.length) });
  return window.from >= since ? window : undefined;
}

/**
 * Load balancers report no counter of nothing: no data of the old color is none, as long as the same source has data of the
 * other one in the same time. Without that, a source that is out of order would look like a color that is empty.
 */
async function hasNone(provider: MetricProvider, window: Window, signal: AbortSignal): Promise<boolean> {
  const old = await measured(provider, { query: { metric: 'requests', arm: 'stable' }, window }, signal);
  if (old.kind === 'value') return old.value === 0;
  if (old.kind !== 'no-data' || provider.periods === undefined) return false;
  const live = await measured(provider, { query: { metric: 'requests', arm: 'candidate' }, window }, signal);
  return live.kind === 'value' && live.value > 0;
}
