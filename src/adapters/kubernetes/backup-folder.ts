import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Failure, messageOf } from '../../domain/failure.ts';
import type { BackupStore } from '../../ports/backup-store.ts';
import { seal, unseal } from './sealed.ts';

/** Backups as files of one folder. */
export function backupFolder(path: string, workspace: string, passphrase: string): BackupStore {
  const folder = resolve(workspace, path);
  const read = async (name: string): Promise<Buffer> => {
    try {
      return await readFile(join(folder, name));
    } catch (cause) {
      const why = codeOf(cause) === 'ENOENT' ? 'there is no such file' : messageOf(cause);
      throw new Failure({ what: `Could not read ${path}/${name}`, why }, { cause });
    }
  };
  return {
    name: path,
    list: () =>
      readdir(folder).catch((cause: unknown) => {
        if (codeOf(cause) === 'ENOENT') return [];
        // A folder that cannot be read is not an empty one.
        throw new Failure({ what: `Could not list the backups in ${path}`, why: messageOf(cause) }, { cause });
      }),
    async put(name, text) {
      await mkdir(folder, { recursive: true });
      // Half a file must not look like a backup.
      const temporary = join(folder, `.${name}.part`);
      const file = await open(temporary, 'w', 0o600);
      try {
        await file.writeFile(await seal(text, passphrase));
        await file.sync();
      } finally {
        await file.close();
      }
      if ((await unseal(await readFile(temporary), passphrase, name)) !== text)
        throw new Failure({ what: `Could not write ${path}/${name}`, why: 'what was read back differs' });
      await rename(temporary, join(folder, name));
    },
    get: async (name) => unseal(await read(name), passphrase, name),
    remove: (name) => rm(join(folder, name), { force: true }),
  };
}

const codeOf = (thrown: unknown): unknown =>
  typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined;
