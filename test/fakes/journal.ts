import type { Journal } from '../../src/ports/journal.ts';

export interface FakeJournal<Entry> extends Journal<Entry> {
  /** What stands there now. */
  current(): Entry | undefined;
  /** Somebody else writes. */
  set(entry: Entry | undefined): void;
  /** Every entry that was written through the port, oldest first. */
  readonly written: readonly Entry[];
  /** The next writes fail with this, once each. */
  failWrites(...errors: readonly Error[]): void;
}

export function fakeJournal<Entry>(start?: Entry): FakeJournal<Entry> {
  let current = start;
  const written: Entry[] = [];
  const failures: Error[] = [];
  return {
    written,
    current: () => current,
    set: (entry) => void (current = entry),
    failWrites: (...errors) => void failures.push(...errors),
    async read(signal) {
      signal.throwIfAborted();
      return structuredClone(current);
    },
    async write(entry, signal) {
      signal.throwIfAborted();
      const failure = failures.shift();
      if (failure) throw failure;
      current = structuredClone(entry);
      written.push(structuredClone(entry));
    },
    async clear(signal) {
      signal.throwIfAborted();
      current = undefined;
    },
  };
}
