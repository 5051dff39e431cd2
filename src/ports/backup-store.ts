/** A place of named files, and the lock on what is in them. */
export interface BackupStore {
  /** As messages name it: `s3://acme-backups/production`. */
  readonly name: string;
  list(signal: AbortSignal): Promise<readonly string[]>;
  /** Packs and seals the text, and reads it back before it counts as there. */
  put(name: string, text: string, signal: AbortSignal): Promise<void>;
  /** Unpacked; a wrong key or a changed file is a Failure, and a missing one too. */
  get(name: string, signal: AbortSignal): Promise<string>;
  remove(name: string, signal: AbortSignal): Promise<void>;
}
