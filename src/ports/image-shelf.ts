import type { ListedImage } from '../domain/image-build/cleanup.ts';

/** The images of one repository, as those see them who may remove some. */
export interface ImageShelf {
  list(signal: AbortSignal): Promise<readonly ListedImage[]>;
  /** In this order. Gives those that are gone; one that was gone already counts. */
  remove(
    images: readonly ListedImage[],
    signal: AbortSignal,
  ): Promise<{ readonly removed: readonly string[]; readonly refused: readonly string[] }>;
}
