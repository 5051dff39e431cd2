import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Engine, startEngine } from '../../../sandbox/engine/engine.ts';
import { REGISTRY_USER, type Registry, startRegistry } from '../../../sandbox/engine/registry.ts';
import { makeConfigFolder, readUserConfig } from '../../../src/adapters/docker/config-folder.ts';
import { systemPrograms } from '../../../src/adapters/system/programs.ts';
import type { RegistryCredentials } from '../../../src/ports/image-registry.ts';
import { needs } from '../../harness/needs.ts';

const MINUTE = 60_000;
const WRONG = { username: 'builder', password: 'wrong' };

needs('engine')('the configuration of a run, where the user has a store for the logins of all hosts', () => {
  const { signal } = new AbortController();
  const programs = systemPrograms();
  let engine: Engine;
  let guarded: Registry;
  let folder = '';
  beforeAll(async () => {
    [engine, guarded] = await Promise.all([startEngine(), startRegistry('basic')]);
    folder = await mkdtemp(join(tmpdir(), 'sluice-store-'));
  }, MINUTE);
  afterAll(async () => {
    await Promise.all([engine.stop(), guarded.stop()]);
    await rm(folder, { recursive: true });
  });

  /** What every client says of a pull that the registry must let in to say that there is no such image. */
  async function pull(
    name: string,
    {
      stored,
      auths,
      logins,
    }: Readonly<Record<'stored', RegistryCredentials>> & { auths: object; logins: RegistryCredentials[] },
  ): Promise<string> {
    const home = join(folder, name);
    await mkdir(home);
    await writeFile(join(home, 'config.json'), JSON.stringify({ credsStore: 'played', auths }));
    const answer = { ...('password' in stored ? { Username: stored.username, Secret: stored.password } : {}) };
    const program = join(home, 'docker-credential-played');
    await writeFile(program, `#!/bin/sh\n[ "$1" = list ] && echo '{}' && exit\necho '${JSON.stringify(answer)}'\n`);
    await chmod(program, 0o755);
    const config = await makeConfigFolder(join(home, 'run'), await readUserConfig(home));
    await config.write(new Map(logins.map((login) => [guarded.host, login])));
    const env = { ...engine.env, ...config.env, PATH: `${home}${delimiter}${process.env['PATH']}` };
    const said: string[] = [];
    for (const client of await programs.find('docker')) {
      const { stdout, stderr } = await programs.run(client, { args: ['pull', `${guarded.host}/none:1`], env }, signal);
      said.push(stdout + stderr);
    }
    return said.join('\n');
  }

  const AUTH = Buffer.from(`${REGISTRY_USER.username}:${REGISTRY_USER.password}`).toString('base64');

  test.each<[name: string, given: Parameters<typeof pull>[1]]>([
    ['the store is asked for a host that the file does not name', { stored: REGISTRY_USER, auths: {}, logins: [] }],
    ['a login of this run goes before the store', { stored: WRONG, auths: {}, logins: [REGISTRY_USER] }],
  ])(
    '%s',
    async (name, given) => {
      const said = await pull(name.replaceAll(' ', '-'), given);
      expect(said).toMatch(/manifest unknown|not found/);
      expect(said).not.toMatch(/no basic auth|unauthorized|authentication required/);
    },
    MINUTE,
  );

  test(
    'what the file has of a host goes before the store',
    async () => {
      const said = await pull('file', { stored: WRONG, auths: { [guarded.host]: { auth: AUTH } }, logins: [] });
      expect(said).toMatch(/manifest unknown|not found/);
      expect(said).not.toMatch(/no basic auth|unauthorized|authentication required/);
    },
    MINUTE,
  );

  test(
    'a wrong login of the store is refused',
    async () => {
      expect(await pull('wrong', { stored: WRONG, auths: {}, logins: [] })).toMatch(
        /unauthorized|authentication required/,
      );
    },
    MINUTE,
  );
});
