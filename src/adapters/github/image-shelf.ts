import { instant } from '../../domain/duration.ts';
import { Failure, messageOf } from '../../domain/failure.ts';
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
    const failed = (thrown: unknown): Failure => {
      signal.throwIfAborted();
      const facts = { what: `Could not ${what}`, now: 'Nothing was removed by this call', right: 'packages: read' };
      return packageFailure(thrown, facts);
    };
    try {
      const found = await ask('orgs');
      base = 'orgs';
      return found as readonly Version[];
    } catch (thrown) {
      // Not an organisation: a person's package.
      if (refusalIn(thrown).status !== 404) throw failed(thrown);
      base = 'users';
      return (await ask('users').catch((of: unknown) => Promise.reject(failed(of)))) as readonly Version[];
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
        const { subject } = stored.manifest;
        const hangs = subject === undefined ? {} : { subject };
        images.push({
          digest: name,
          tags: metadata?.container?.tags ?? [],
          pushedAt: instant(pushedAt),
          parts,
          ...hangs,
        });
      }
      return images;
    },
    async digests(signal) {
      return new Set((await versions(signal)).map(({ name }) => name));
    },
    async remove(images, signal) {
      const removed: string[] = [];
      const refused: string[] = [];
      for (const { digest } of images) {
        const kept = await removeOne(digest, `${removed.length} of ${images.length} were removed`, signal);
        if (kept === undefined) removed.push(digest);
        else refused.push(`${digest}: ${kept}`);
      }
      return { removed, refused };
    },
  };

  /** Why GitHub keeps it, by a rule of its own: the last tagged version, or a public one that many have loaded. */
  async function removeOne(digest: string, now: string, signal: AbortSignal): Promise<string | undefined> {
    const sent = { ...parameters, version_id: ids.get(digest) };
    try {
      await client.send(`DELETE ${route(base ?? 'orgs')}/{version_id}`, sent, `remove ${path}@${digest}`, signal);
      return undefined;
    } catch (thrown) {
      signal.throwIfAborted();
      const { status, message } = refusalIn(thrown);
      if (status === 404) return undefined;
      if (status === 400 || status === 422) return message;
      throw packageFailure(thrown, { what: `Could not remove ${path}@${digest}`, now, right: 'packages: write' });
    }
  }
}

const refusalIn = (thrown: unknown): { readonly status?: number; readonly message?: string } =>
  (thrown as { cause?: { status?: number; message?: string } }).cause ?? {};

/** What the rights of a package are called is another thing than those of a repository. */
function packageFailure(
  thrown: unknown,
  { what, now, right }: { readonly what: string; readonly now: string; readonly right: string },
): Failure {
  const { status, message = messageOf(thrown) } = refusalIn(thrown);
  const next =
    status === 401 || status === 403 || status === 404
      ? `Give the job \`${right}\`, and this repository the admin role in the settings of the package ("Manage Actions access")`
      : 'Re-run: it goes on from where this run stopped';
  const why = status === undefined || status === 0 ? message : `GitHub answered ${status} (${message})`;
  return new Failure({ what, why, now, next }, { cause: thrown });
}
