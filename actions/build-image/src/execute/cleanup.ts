import { planCleanup } from '../../../../src/domain/image-build/cleanup.ts';
import type { Clock } from '../../../../src/ports/clock.ts';
import type { ImageShelf } from '../../../../src/ports/image-shelf.ts';
import type { CleanupRequest } from '../inputs.ts';
import type { Cleaned } from '../result.ts';

/** Looks at everything, decides, removes, and reads back what is gone; a dry run ends before it removes. */
export async function cleanUp(
  request: CleanupRequest,
  {
    shelf,
    repository,
    clock,
    onWrite,
  }: { readonly shelf: ImageShelf; readonly repository: string; readonly clock: Clock; readonly onWrite: () => void },
  signal: AbortSignal,
): Promise<Cleaned> {
  const images = await shelf.list(signal);
  const plan = planCleanup(images, { ...request.policy, now: clock.now() });
  if (request.dryRun === 'plan' || plan.remove.length === 0) return { repository, plan, removed: [], refused: [] };
  onWrite();
  const done = await shelf.remove(plan.remove, signal);
  const there = await shelf.digests(signal);
  // A registry may say that it removed what it keeps: GitHub answers 404 to one who has no right, too.
  const left = done.removed.filter((digest) => there.has(digest));
  return {
    repository,
    plan,
    removed: done.removed.filter((digest) => !there.has(digest)),
    refused: [...done.refused, ...left.map((digest) => `${digest}: is still listed after it was removed`)],
  };
}
