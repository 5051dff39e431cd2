import type { Failure } from '../../../../src/domain/failure.ts';
import { type ShiftRecord, stableOnly } from '../../../../src/domain/shift/record.ts';
import type { Ports, Release } from './acting.ts';
import { startMemory } from './memory.ts';
import { observe, routesOf } from './observe.ts';
import { allAre } from '../decide/routes.ts';
import type { Seen } from '../decide/seen.ts';

/** One look, for `status` and for the plan of a dry run. Writes nothing. `faults` takes what would be thrown at a run. */
export async function lookOnce(release: Release, ports: Ports, signal: AbortSignal, faults?: Failure[]): Promise<Seen> {
  return observe({ release, ports, memory: startMemory(), watchSignal: signal, shows: 'sizes', faults }, signal);
}

/** Whether every route sends all traffic to the color that served before the shift. */
export const isOnStable = async (record: ShiftRecord, ports: Ports, signal: AbortSignal): Promise<boolean> =>
  allAre({ routes: await routesOf({ ports }, signal) }, stableOnly(record));
