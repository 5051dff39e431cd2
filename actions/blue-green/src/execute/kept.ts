import { keepsUsers } from '../decide/rollback.ts';
import type { Acting } from './acting.ts';

/** Said by whoever stops a way back that waits; undefined: it does not wait, and all traffic is to go back by one write. */
export function keptWords({
  memory,
  ports,
  release,
}: Pick<Acting, 'memory' | 'ports' | 'release'>): string | undefined {
  const { record, seen } = memory;
  if (record === undefined || seen === undefined) return undefined;
  if (!keepsUsers(release.goal, seen, { record, now: ports.clock.now() })) return undefined;
  return `Traffic stays on ${record.candidate}, which serves, because ${record.stable} has too few healthy targets yet; the next run, or mode: reconcile, goes on with the way back`;
}
