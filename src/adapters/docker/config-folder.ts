import { access, chmod, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import type { RegistryCredentials } from '../../ports/image-registry.ts';

export interface UserConfig {
  /** DOCKER_CONFIG, or `.docker` at home. */
  readonly folder: string;
  /** BUILDX_CONFIG, where the user's builders are when they are not in the folder. */
  readonly builders?: string;
  readonly auths: Readonly<Record<string, { readonly auth?: string; readonly identitytoken?: string }>>;
  readonly credHelpers: Readonly<Record<string, string>>;
  readonly credsStore?: string;
  /** All else: proxies, the context, plugins. */
  readonly rest: Readonly<Record<string, unknown>>;
}

/** The user's docker configuration, or an empty one. One that cannot be read is said, for its logins would be missing. */
export async function readUserConfig(folder: string): Promise<UserConfig> {
  let text: string;
  try {
    text = await readFile(join(folder, 'config.json'), 'utf8');
  } catch (cause) {
    if ((cause as { code?: string }).code === 'ENOENT') return { folder, auths: {}, credHelpers: {}, rest: {} };
    throw new Failure(
      { what: `Could not read ${folder}/config.json`, next: 'Make it readable for this user, or remove it' },
      { cause },
    );
  }
  try {
    const {
      auths = {},
      credHelpers = {},
      credsStore,
      ...rest
    } = JSON.parse(text) as Partial<UserConfig> & Record<string, unknown>;
    return { folder, auths, credHelpers, rest, ...(credsStore === undefined ? {} : { credsStore }) };
  } catch (cause) {
    throw new Failure({ what: `${folder}/config.json is not JSON`, next: 'Correct it, or remove it' }, { cause });
  }
}

export interface ConfigFolder {
  readonly path: string;
  /** For every call of the engine's client. */
  readonly env: Readonly<Record<string, string>>;
  /** The logins of this run, in the place of those that it had. */
  write(logins: ReadonlyMap<string, RegistryCredentials>): Promise<void>;
  /** A file in it that nobody else may read. */
  writeSecret(name: string, content: string | Uint8Array): Promise<string>;
}

/**
 * A docker configuration of this run alone: a login in the user's own would be everybody's on a shared runner, and a
 * logout at the end would be, too. Builders, plugins and contexts of the user stay visible.
 */
export async function makeConfigFolder(path: string, user: UserConfig): Promise<ConfigFolder> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
  const fileFor = (hosts: readonly string[]): Readonly<Record<string, string>> =>
    Object.fromEntries(user.credsStore === undefined ? [] : hosts.map((host) => [host, '']));
  for (const part of ['contexts', 'cli-plugins']) await linkTo(join(user.folder, part), join(path, part));
  return {
    path,
    env: { DOCKER_CONFIG: path, BUILDX_CONFIG: user.builders ?? join(user.folder, 'buildx') },
    async write(logins) {
      const own = [...logins].map(([host, credentials]) => [host, entryOf(credentials)]);
      // A store for all hosts would hide what the file has; a helper without a name is the file, for this host alone.
      const inFile = Object.entries(user.auths).flatMap(([host, { auth, identitytoken }]) =>
        auth || identitytoken ? [host] : [],
      );
      const programs = Object.entries({ ...fileFor(inFile), ...user.credHelpers });
      const config = {
        ...user.rest,
        ...(user.credsStore === undefined ? {} : { credsStore: user.credsStore }),
        auths: { ...user.auths, ...Object.fromEntries(own) },
        credHelpers: {
          ...Object.fromEntries(programs.filter(([host]) => !logins.has(host))),
          ...fileFor([...logins.keys()]),
        },
      };
      const file = join(path, 'config.json');
      await writeFile(`${file}.new`, JSON.stringify(config), { mode: 0o600 });
      await rename(`${file}.new`, file);
    },
    async writeSecret(name, content) {
      const file = join(path, name);
      await writeFile(file, content, { mode: 0o600 });
      return file;
    },
  };
}

function entryOf(credentials: RegistryCredentials): UserConfig['auths'][string] {
  const { username } = credentials;
  const auth = (password: string): string => Buffer.from(`${username}:${password}`).toString('base64');
  return 'password' in credentials
    ? { auth: auth(credentials.password) }
    : { auth: auth(''), identitytoken: credentials.identityToken };
}

async function linkTo(target: string, path: string): Promise<void> {
  try {
    await access(target);
    await symlink(target, path);
  } catch {
    // The user has none.
  }
}

/** Also after a crash; what is not there is gone. */
export const removeConfigFolder = (path: string): Promise<void> => rm(path, { recursive: true, force: true });
