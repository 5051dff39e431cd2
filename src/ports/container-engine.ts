import type { SecretFile } from '../domain/image-build/build-spec.ts';
import type { Probe } from '../domain/image-build/engine.ts';
import type { ProgramResult } from './programs.ts';

/** The engine of this machine, with a configuration of this run alone. */
export interface ContainerEngine {
  /** Every docker client on PATH and what it reaches. `builder` of buildx; undefined: the one that the user chose. */
  probe(builder: string | undefined, signal: AbortSignal): Promise<readonly (Probe & { readonly root?: string })[]>;
  /** Bytes that are free where the engine keeps its layers; undefined where that cannot be seen. */
  free(root: string | undefined): Promise<number | undefined>;
  /** Writes the logins of the registries that are pushed to; `renew`: they were refused. */
  logIn(wanted: 'kept' | 'renew', signal: AbortSignal): Promise<void>;
  /** The secrets of the build as files that nobody else may read. */
  readonly secrets: () => Promise<readonly SecretFile[]>;
  readonly metadataFile: string;
  /** What buildx wrote there; undefined: nothing. */
  readMetadata(): Promise<unknown>;
  /** Runs a client in the workspace; its lines go to the log as they come. */
  run(
    client: string,
    command: { readonly args: readonly string[]; readonly env?: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<ProgramResult>;
}
