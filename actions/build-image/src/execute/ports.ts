import type { Clock } from '../../../../src/ports/clock.ts';
import type { ContainerEngine } from '../../../../src/ports/container-engine.ts';
import type { ImageRegistry } from '../../../../src/ports/image-registry.ts';
import type { Log } from '../../../../src/ports/log.ts';
import type { Random } from '../../../../src/ports/random.ts';
import type { BaseLine } from '../../../../src/domain/image-build/dockerfile.ts';
import type { TagTools } from '../../../../src/domain/tags/context.ts';
import type { ScanResult } from '../../../../src/domain/image-scan/judge.ts';
import type { Repository } from '../../../../src/domain/image-build/registries.ts';
import type { VerifiedImage } from '../result.ts';

export interface RegistryPorts {
  readonly registry: (host: string) => ImageRegistry;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  /** Before the first write to anything outside. */
  readonly onWrite: () => void;
}

export interface BuildPorts extends RegistryPorts {
  readonly engine: ContainerEngine;
  readonly tools: TagTools;
  /** undefined: no scan is asked for. */
  readonly scan:
    ((repository: Repository, image: VerifiedImage, signal: AbortSignal) => Promise<ScanResult>) | undefined;
  /** Of the Dockerfile; undefined: it cannot be told. */
  readonly baseLine: BaseLine | undefined;
  /** Where and by whom; for the evidence. */
  readonly run: { readonly repository: string; readonly runId: string; readonly attempt: number };
}
