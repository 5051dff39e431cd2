import type { ListedImage } from '../domain/image-build/cleanup.ts';

/** The images of one repository, as those see them who may remove some. */
export interface ImageShelf {
  list(signal: AbortSignal): Promise<readonly ListedImage[]>;
  /** What is there now, to read a removal back: digests alone, because the parts of an index cost a call each. */
  digests(signal: AbortSignal): Promise<ReadonlySet<string>>;
  /**
   * In this order. Gives those that are gone, one that was gone already among them, and those that the registry keeps
   * by a rule of its own; anything else throws, and says how many are gone.
   */
  remove(
    images: readonly ListedImage[],
    signal: AbortSignal,
  ): Promise<{ readonly removed: readonly string[]; readonly refused: readonly string[] }>;
}
