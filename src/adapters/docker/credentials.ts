import { Failure } from '../../domain/failure.ts';
import type { CredentialsSource, RegistryCredentials } from '../../ports/image-registry.ts';
import type { Programs } from '../../ports/programs.ts';
import type { UserConfig } from './config-folder.ts';

/** Docker Hub is written under the address of its first API. */
export const configKeyOf = (host: string): string => (host === 'docker.io' ? 'https://index.docker.io/v1/' : host);

/** What the user logged in with, of the file or of the program that the file names. */
export function userCredentials(host: string, user: UserConfig, programs: Programs): CredentialsSource {
  const key = configKeyOf(host);
  let kept: Promise<RegistryCredentials | undefined> | undefined;
  return (_wanted, signal) => (kept ??= look(signal));

  async function look(signal: AbortSignal): Promise<RegistryCredentials | undefined> {
    const entry = user.auths[key];
    if (entry?.auth) return ofPair(Buffer.from(entry.auth, 'base64').toString('utf8'));
    const program = user.credHelpers[key] ?? user.credsStore;
    if (program === undefined || !/^[\w.-]+$/.test(program)) return undefined;
    const asked = await programs.run(`docker-credential-${program}`, { args: ['get'], input: key }, signal);
    if (asked.code !== 0) {
      if (/not found|no credentials/i.test(asked.stdout + asked.stderr)) return undefined;
      throw new Failure({
        what: `docker-credential-${program} gave no credentials for ${host}`,
        why: (asked.stderr || asked.stdout).trim().slice(0, 200),
      });
    }
    const { Username, Secret } = JSON.parse(asked.stdout) as { Username?: string; Secret?: string };
    return Username === undefined || Secret === undefined ? undefined : { username: Username, password: Secret };
  }
}

function ofPair(text: string): RegistryCredentials | undefined {
  const at = text.indexOf(':');
  return at < 0 ? undefined : { username: text.slice(0, at), password: text.slice(at + 1).replace(/\0+$/, '') };
}
