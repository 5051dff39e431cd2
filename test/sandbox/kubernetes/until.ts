import { setTimeout as sleep } from 'node:timers/promises';

/** Looks until it finds something; undefined means: not yet. */
export async function until<T>(what: string, look: () => Promise<T | undefined>, limit = 60_000): Promise<T> {
  const deadline = performance.now() + limit;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`not within ${limit / 1_000} s: ${what}`);
    await sleep(30);
  }
}
