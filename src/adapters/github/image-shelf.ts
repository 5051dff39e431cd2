import { instant } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import type { ListedImage } from '../../domain/image-build/cleanup.ts';
import type { ImageRegistry } from '../../ports/image-registry.ts';
import type { ImageShelf } from '../../ports/image-shelf.ts';
import type { Client } from './client.ts';

interface Version {
  readonly id: number;
  /** The digest. */
  readonly name: string;
  readonly created_at: string;
  readonly metadata?: { readonly container?: { readonly tags?: readonly string[] } };
}

/** Versions of a container package by GitHub's API; what an index names is read from the registry. */
export function packageShelf(
  path: string,
  { client, registry }: { readonly client: Client; readonly registry: ImageRegistry },
): ImageShelf {
  const [owner = '', ...rest] = path.split('/');
  const parameters = { package_owner: owner, package_name: rest.join('/') };
  const ids = new Map<string, number>();
  let base: 'orgs' | 'users' | undefined;
  const route = (kind: 'orgs' | 'users'): string =>
    `/${kind}/{package_owner}/packages/container/{package_name}/versions`;

  async function versions(signal: AbortSignal): Promise<readonly Version[]> {
    const what = `list the versions of package ${path}`;
    const ask = (kind: 'orgs' | 'users'): Promise<readonly unknown[]> =>
      client.all(`GET ${route(kind)}`, parameters, { what, signal });
    try {
      const found = await ask('orgs');
      base = 'orgs';
      return found as readonly Version[];
    } catch (thrown) {
      signal.throwIfAborted();
      if ((thrown as { cause?: { status?: number } }).cause?.status !== 404) throw thrown;
      base = 'users';
      return (await ask('users')) as readonly Version[];
    }
  }

  return {
    async list(signal) {
      const images: ListedImage[] = [];
      for (const { id, name, created_at: created, metadata } of await versions(signal)) {
        const stored = await registry.manifest(path, name, signal);
        const pushedAt = Date.parse(created);
        if (stored === undefined || Number.isNaN(pushedAt))
          throw new Failure({
            what: `Could not read ${path}@${name}`,
            why: 'the package lists it and the registry does not have it, or without a date',
            now: 'Nothing was removed',
            next: 'Re-run; if it stays so, remove this version by hand',
          });
        ids.set(name, id);
        const parts = stored.manifest.kind === 'index' ? stored.manifest.entries.map(({ digest }) => digest) : [];
        images.push({ digest: name, tags: metadata?.container?.tags ?? [], pushedAt: instant(pushedAt), parts });
      }
      return images;
    },
    async remove(images, signal) {
      const removed: string[] = [];
      for (const { digest } of images) {
        const what = `remove ${path}@${digest}`;
        await client.send(
          `DELETE ${route(base ?? 'orgs')}/{version_id}`,
          { ...parameters, version_id: ids.get(digest) },
          what,
          signal,
        );
        removed.push(digest);
      }
      return { removed, refused: [] };
    },
  };
}
