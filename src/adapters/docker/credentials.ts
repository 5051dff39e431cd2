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
    const pair = ofPair(Buffer.from(entry?.auth ?? '', 'base64').toString('utf8'));
    // Beside it the pair has a name alone.
    if (entry?.identitytoken) return { username: pair?.username ?? NAMELESS, identityToken: entry.identitytoken };
    if (entry?.auth) return pair;
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
    if (Username === undefined || Secret === undefined) return undefined;
    return Username === NAMELESS
      ? { username: Username, identityToken: Secret }
      : { username: Username, password: Secret };
  }
}

/** By this name a credential store says that the secret is an identity token. */
const NAMELESS = '<token>';

function ofPair(text: string): Extract<RegistryCredentials, { readonly password: string }> | undefined {
  const at = text.indexOf(':');
  return at < 0 ? undefined : { username: text.slice(0, at), password: text.slice(at + 1).replace(/\0+$/, '') };
}
