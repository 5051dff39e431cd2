import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerEngine } from '../../ports/container-engine.ts';
import type { CredentialsSource, RegistryCredentials } from '../../ports/image-registry.ts';
import type { Programs } from '../../ports/programs.ts';
import type { ConfigFolder } from './config-folder.ts';
import { configKeyOf } from './credentials.ts';
import { probeEngines } from './probe.ts';

export interface EngineParts {
  readonly programs: Programs;
  readonly folder: ConfigFolder;
  readonly workspace: string;
  /** By host: what `logIn` writes. Hosts whose login is the user's own affair are not in it. */
  readonly logins: ReadonlyMap<string, CredentialsSource>;
  readonly secrets: readonly { readonly id: string; readonly content: string }[];
  readonly onLine: (line: string) => void;
}

export function dockerEngine({ programs, folder, workspace, logins, secrets, onLine }: EngineParts): ContainerEngine {
  const metadataFile = join(folder.path, 'metadata.json');
  return {
    probe: (builder, signal) => probeEngines({ programs, env: folder.env, builder }, signal),
    async free(root) {
      // The engine may be another machine's; what is not here cannot be seen.
      for (const path of [root, workspace]) {
        if (path === undefined) continue;
        try {
          const { bavail, bsize } = await statfs(path);
          return bavail * bsize;
        } catch {
          continue;
        }
      }
      return undefined;
    },
    async logIn(wanted, signal) {
      const found = new Map<string, RegistryCredentials>();
      for (const [host, source] of logins) {
        const credentials = await source(wanted, signal);
        if (credentials !== undefined) found.set(configKeyOf(host), credentials);
      }
      await folder.write(found);
    },
    secrets: () =>
      Promise.all(
        secrets.map(async ({ id, content }, index) => ({
          id,
          path: await folder.writeSecret(`secret-${index}`, content),
        })),
      ),
    metadataFile,
    async readMetadata() {
      try {
        return JSON.parse(await readFile(metadataFile, 'utf8')) as unknown;
      } catch {
        return undefined;
      }
    },
    run: (client, { args, env = {} }, signal) =>
      programs.run(client, { args, env: { ...env, ...folder.env }, cwd: workspace, onLine }, signal),
  };
}
