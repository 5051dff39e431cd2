/**
 * A small record that lives with the thing that is changed (tags on a listener rule or a service), so that a run that
 * never saw the first one can go on. The live weights are the truth; the journal says why they are so.
 */
export interface Journal<Entry> {
  /** undefined: nothing was ever written here (or it was cleared). An entry that cannot be read is a Failure, never undefined. */
  read(signal: AbortSignal): Promise<Entry | undefined>;
  write(entry: Entry, signal: AbortSignal): Promise<void>;
  clear(signal: AbortSignal): Promise<void>;
}
