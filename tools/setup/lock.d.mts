/** Runs `work` while holding the lock file; waits for a living holder, takes over from a dead one. */
export declare function withLock<T>(path: string, work: () => Promise<T>, say?: (line: string) => void): Promise<T>;
