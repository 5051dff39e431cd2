import type { Failure } from '../../../../src/domain/failure.ts';
import type { Ports, Release } from './acting.ts';
import { startMemory } from './memory.ts';
import { observe } from './observe.ts';
import type { Seen } from '../decide/seen.ts';

/** One look, for `status` and for the plan of a dry run. Writes nothing. `faults` takes what would be thrown at a run. */
export async function lookOnce(release: Release, ports: Ports, signal: AbortSignal, faults?: Failure[]): Promise<Seen> {
  return observe({ release, ports, memory: startMemory(), watchSignal: signal, shows: 'sizes', faults }, signal);
}
