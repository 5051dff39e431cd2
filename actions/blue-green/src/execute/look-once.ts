import type { Ports, Release } from './acting.ts';
import { startMemory } from './memory.ts';
import { observe } from './observe.ts';
import type { Seen } from '../decide/seen.ts';

/** One look, for `status` and for the plan of a dry run. Writes nothing. */
export async function lookOnce(release: Release, ports: Ports, signal: AbortSignal): Promise<Seen> {
  return observe({ release, ports, memory: startMemory(), watchSignal: signal, shows: 'sizes' }, signal);
}
