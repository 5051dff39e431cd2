import type { ReleaseRecord } from '../domain/kubernetes/release-record.ts';

/** The releases of one app, kept in the cluster beside what they released. */
export interface ReleaseStore {
  /** All there are; empty where the namespace is missing. One that cannot be read is a Failure. */
  list(signal: AbortSignal): Promise<readonly ReleaseRecord[]>;
  /** Creates or replaces the record of this revision. Too large a one is a Failure, before anything was written. */
  write(record: ReleaseRecord, signal: AbortSignal): Promise<void>;
  remove(revision: number, signal: AbortSignal): Promise<void>;
}
