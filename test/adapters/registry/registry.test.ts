import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type FaultProxy, type RegistryFault, startFaultProxy } from '../../../sandbox/engine/fault-proxy.ts';
import { REGISTRY_USER, type Registry, startRegistry } from '../../../sandbox/engine/registry.ts';
import { seedImage, seedIndex } from '../../../sandbox/engine/seed-image.ts';
import type { UserConfig } from '../../../src/adapters/docker/config-folder.ts';
import { userCredentials } from '../../../src/adapters/docker/credentials.ts';
import type { CredentialsSource, ImageRegistry, StoredManifest } from '../../../src/ports/image-registry.ts';
import type { Programs } from '../../../src/ports/programs.ts';
import { needs } from '../../harness/needs.ts';
import { client, masked, nobody, slept } from './client.ts';

const { signal } = new AbortController();
const IDENTITY_TOKEN = 'identity-token+of/the=test';
const pairOf = (text: string): string => Buffer.from(text).toString('base64');
const builder: CredentialsSource = () => Promise.resolve(REGISTRY_USER);

async function there(images: ImageRegistry, repository: string, reference: string): Promise<StoredManifest> {
  const stored = await images.manifest(repository, reference, signal);
  if (stored === undefined) throw new Error(`${repository}:${reference} is not there`);
  return stored;
}

needs('engine')('the registry adapter, over the wire', () => {
  let registry: Registry;
  let proxy: FaultProxy;
  beforeAll(async () => {
    registry = await startRegistry();
    proxy = await startFaultProxy(registry.host);
  });
  afterAll(async () => {
    await proxy.close();
    await registry.stop();
  });

  describe('against a registry without a name', () => {
    test('tells a tag that is there from one that is not', async () => {
      const { digest } = await seedImage({ host: registry.host, repository: 'a/heads', tag: '1.0.0' });
      const images = client(registry.host);
      expect(await images.head('a/heads', '1.0.0', signal)).toBe(digest);
      expect(await images.head('a/heads', '1.0.1', signal)).toBeUndefined();
      expect(await images.head('a/nothing', '1.0.0', signal)).toBeUndefined();
    });

    test('reads a manifest with its bytes, and its configuration', async () => {
      const { digest } = await seedImage({ host: registry.host, repository: 'a/reads', tag: '1', labels: { a: 'b' } });
      const images = client(registry.host);
      const stored = await images.manifest('a/reads', '1', signal);
      expect(stored).toMatchObject({ digest, manifest: { kind: 'image' } });
      const config = stored?.manifest.kind === 'image' ? stored.manifest.config.digest : '';
      expect(await images.json('a/reads', config, signal)).toMatchObject({ config: { Labels: { a: 'b' } } });
    });

    test('reads an index, and leaves provenance out of its platforms', async () => {
      const at = { host: registry.host, repository: 'a/index' };
      const amd64 = { os: 'linux', architecture: 'amd64' };
      const arm = { os: 'linux', architecture: 'arm', variant: 'v7' };
      const children = [
        { platform: amd64, image: await seedImage({ ...at, content: 'x' }) },
        { platform: arm, image: await seedImage({ ...at, content: 'y', platform: arm }) },
      ];
      await seedIndex({ ...at, tag: 'all' }, children, await seedImage({ ...at, content: 'provenance' }));
      const stored = await client(registry.host).manifest('a/index', 'all', signal);
      expect(stored?.manifest).toMatchObject({
        kind: 'index',
        children: [{ platform: 'linux/amd64' }, { platform: 'linux/arm/v7' }],
      });
      expect(stored?.manifest.kind === 'index' && stored.manifest.entries.length).toBe(3);
    });

    test('puts one manifest under another tag, and lists the tags', async () => {
      const { digest } = await seedImage({ host: registry.host, repository: 'a/tags', tag: 'one' });
      const images = client(registry.host);
      await images.put('a/tags', 'two', await there(images, 'a/tags', 'one'), signal);
      expect(await images.head('a/tags', 'two', signal)).toBe(digest);
      expect([...(await images.tags('a/tags', signal))].sort()).toEqual(['one', 'two']);
      expect(await images.tags('a/never', signal)).toEqual([]);
    });

    test('mounts a blob within the registry, and finds it the next time', async () => {
      const { layers } = await seedImage({ host: registry.host, repository: 'a/from', tag: '1', content: 'mounted' });
      const images = client(registry.host);
      const from = { registry: images, repository: 'a/from' };
      const blob = { digest: layers[0] ?? '', size: 7 };
      expect(await images.copyBlob('a/to', from, blob, signal)).toBe('mounted');
      expect(await images.copyBlob('a/to', from, blob, signal)).toBe('there');
    });

    test('copies a blob between registries, byte by byte', async () => {
      const { layers } = await seedImage({ host: registry.host, repository: 'a/far', tag: '1', content: 'far away' });
      const other = await startRegistry('basic');
      try {
        const to = client(other.host, builder);
        const from = { registry: client(registry.host), repository: 'a/far' };
        const blob = { digest: layers[0] ?? '', size: 8 };
        expect(await to.copyBlob('b/far', from, blob, signal)).toBe('copied');
        expect(await to.copyBlob('b/far', from, blob, signal)).toBe('there');
      } finally {
        await other.stop();
      }
    });
  });

  describe('against a registry with Basic auth', () => {
    let guarded: Registry;
    beforeAll(async () => {
      guarded = await startRegistry('basic');
    });
    afterAll(() => guarded.stop());

    test('enters with the right name', async () => {
      expect(await client(guarded.host, builder).head('a/x', '1', signal)).toBeUndefined();
    });

    test.each([
      ['without a name', nobody],
      [
        'with a wrong password',
        (): ReturnType<CredentialsSource> => Promise.resolve({ username: 'builder', password: 'no' }),
      ],
    ])('is refused %s, and says what to do', async (_name, source) => {
      await expect(client(guarded.host, source).head('a/x', '1', signal)).rejects.toMatchObject({
        kind: 'expired-token',
        message: expect.stringMatching(/^Could not look up 1 of .*status 401.*Log in to 127\.0\.0\.1/s),
      });
    });
  });

  test('who may push is known without a push: what was begun is given up', async () => {
    const proxy = await startFaultProxy(registry.host, { tokens: REGISTRY_USER });
    await client(proxy.host, builder).mayPush('m/may', signal);
    const uploads = proxy.calls().filter((call) => call.includes('/uploads/') && !call.endsWith(' 401'));
    expect(uploads.map((call) => call.replace(/\?.*/, ''))).toEqual([
      expect.stringMatching(/^POST .*\/blobs\/uploads\/ -> 202$/),
      expect.stringMatching(/^DELETE .*\/blobs\/uploads\/[\w-]+/),
    ]);
    proxy.break({ call: /^POST /, kind: { status: 403, body: '{"errors":[{"code":"DENIED"}]}' }, times: 1 });
    await expect(client(proxy.host, builder).mayPush('m/may', signal)).rejects.toMatchObject({
      name: 'RegistryRefusal',
      kind: 'access-denied',
    });
    // One that does not know how to give up an upload is one that may be pushed to.
    proxy.break({ call: /^DELETE /, kind: { status: 501 }, times: 1 });
    await client(proxy.host, builder).mayPush('m/may', signal);
    await proxy.close();
  });

  describe('under faults', () => {
    test.each([
      ['a gateway that fails for a moment', { status: 502 }, 2],
      ['too many requests', { status: 429, headers: { 'retry-after': '1' } }, 3],
      ['a connection that ends', 'reset' as const, 2],
    ])('%s: the manifest is put all the same', async (name, kind, times) => {
      const repository = `f/${name.replaceAll(' ', '-')}`;
      const { digest } = await seedImage({ host: registry.host, repository, tag: '1' });
      const images = client(proxy.host);
      const stored = await there(images, repository, '1');
      proxy.break({ call: /^PUT \/v2\/f\/.*\/manifests\/2/, kind, times });
      const before = slept.length;
      await images.put(repository, '2', stored, signal);
      expect(await images.head(repository, '2', signal)).toBe(digest);
      expect(slept.length - before).toBe(times);
    });

    test('what does not end is a failure that says so, after five tries', async () => {
      proxy.break({ call: /^HEAD \/v2\/f\/dead/, kind: { status: 503 }, times: 99 });
      await expect(client(proxy.host).head('f/dead', '1', signal)).rejects.toMatchObject({ kind: 'transient' });
      expect(proxy.calls().filter((call) => call.startsWith('HEAD /v2/f/dead'))).toHaveLength(5);
    });

    test('a refusal is not repeated', async () => {
      const body = '{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}';
      proxy.break({ call: /^(HEAD|GET) \/v2\/f\/denied/, kind: { status: 403, body }, times: 99 });
      await expect(client(proxy.host).head('f/denied', '1', signal)).rejects.toMatchObject({ kind: 'access-denied' });
      expect(proxy.calls().filter((call) => call.startsWith('HEAD /v2/f/denied'))).toHaveLength(1);
    });

    test('a tag that is forbidden is one that is not there only where the list of the tags says so', async () => {
      const at = { host: registry.host, repository: 'f/virtual' };
      const { digest } = await seedImage({ ...at, tag: 'there' });
      const images = client(proxy.host);
      proxy.break({ call: /^HEAD \/v2\/f\/virtual/, kind: 'missing-is-forbidden', times: 2 });
      expect(await images.head(at.repository, 'there', signal)).toBe(digest);
      expect(await images.head(at.repository, 'missing', signal)).toBeUndefined();
      proxy.break({ call: /^HEAD \/v2\/f\/virtual/, kind: { status: 403 }, times: 1 });
      await expect(images.head(at.repository, 'there', signal)).rejects.toMatchObject({ kind: 'access-denied' });
      proxy.break({ call: /^(HEAD|GET) \/v2\/f\/virtual/, kind: { status: 403 }, times: 2 });
      await expect(images.head(at.repository, 'missing', signal)).rejects.toMatchObject({
        kind: 'access-denied',
        message: expect.stringMatching(/^Could not look up missing of /),
      });
    });

    test('an upload whose commit was slow is found there', async () => {
      const { layers } = await seedImage({ host: registry.host, repository: 'f/slow-from', tag: '1', content: 'slow' });
      const other = await startRegistry();
      const slow = await startFaultProxy(other.host);
      try {
        slow.break({ call: /^PUT .*\/blobs\/uploads\//, kind: 'slow-commit', times: 1 });
        const from = { registry: client(registry.host), repository: 'f/slow-from' };
        const copied = await client(slow.host).copyBlob('f/slow', from, { digest: layers[0] ?? '', size: 4 }, signal);
        expect(copied).toBe('there');
      } finally {
        await slow.close();
        await other.stop();
      }
    });

    test('a manifest that is not the one of its digest is refused', async () => {
      const { digest } = await seedImage({
        host: registry.host,
        repository: 'f/garbled',
        tag: '1',
        content: 'garbled',
      });
      proxy.break({ call: /^GET \/v2\/f\/garbled\/manifests/, kind: 'garbled', times: 1 });
      await expect(client(proxy.host).manifest('f/garbled', digest, signal)).rejects.toThrow(
        /the registry answered with sha256:/,
      );
    });

    test('an immutable tag with the same digest is what was wanted; with another it stays', async () => {
      const at = { host: registry.host, repository: 'f/immutable' };
      const first = await seedImage({ ...at, tag: '1', content: 'first' });
      await seedImage({ ...at, tag: 'other', content: 'second' });
      const images = client(proxy.host);
      const refuse = (): void =>
        proxy.break({
          call: /^PUT \/v2\/f\/immutable\/manifests\/1/,
          kind: {
            status: 400,
            body: '{"errors":[{"code":"TAG_INVALID","message":"The image tag 1 already exists in the x repository and cannot be overwritten because the tag is immutable."}]}',
          },
          times: 1,
        });
      const same = await there(images, at.repository, '1');
      refuse();
      await images.put(at.repository, '1', same, signal);
      const other = await there(images, at.repository, 'other');
      refuse();
      await expect(images.put(at.repository, '1', other, signal)).rejects.toMatchObject({
        kind: 'conflict',
        message: expect.stringContaining(`1 is ${first.digest}, and stays so`),
      });
    });
  });

  describe('with tokens', () => {
    test('one is fetched, kept, masked, and renewed when it has run out, at the manifest PUT too', async () => {
      const guarded = await startFaultProxy(registry.host, { tokens: REGISTRY_USER });
      try {
        const { digest } = await seedImage({ host: registry.host, repository: 't/x', tag: '1' });
        const images = client(guarded.host, builder);
        const stored = await there(images, 't/x', '1');
        await images.head('t/x', '1', signal);
        expect(tokens(guarded)).toBe(1);
        guarded.expireTokens();
        await images.put('t/x', '2', stored, signal);
        expect(tokens(guarded)).toBe(2);
        guarded.expireTokens();
        expect(await images.head('t/x', '2', signal)).toBe(digest);
        expect(tokens(guarded)).toBe(3);
        expect(masked.length).toBeGreaterThanOrEqual(3);
      } finally {
        await guarded.close();
      }
    });

    test.each<[name: string, user: Partial<UserConfig>]>([
      [
        'of the file, as az acr login leaves it',
        { auths: { host: { auth: pairOf('00000000-0000-0000-0000-000000000000:'), identitytoken: IDENTITY_TOKEN } } },
      ],
      ['of the file, without a name', { auths: { host: { identitytoken: IDENTITY_TOKEN } } }],
      ['of a credential store', { credsStore: 'played' }],
    ])('an identity token %s is changed for one that the registry takes', async (_name, { auths = {}, ...user }) => {
      const guarded = await startFaultProxy(registry.host, { tokens: { identityToken: IDENTITY_TOKEN } });
      const store: Programs = {
        find: () => Promise.resolve([]),
        run: () =>
          Promise.resolve({
            code: 0,
            stdout: JSON.stringify({ Username: '<token>', Secret: IDENTITY_TOKEN }),
            stderr: '',
          }),
      };
      const named = Object.fromEntries(Object.values(auths).map((entry) => [guarded.host, entry]));
      const config: UserConfig = { folder: '', credHelpers: {}, rest: {}, ...user, auths: named };
      try {
        const images = client(guarded.host, userCredentials(guarded.host, config, store));
        await images.mayPush('t/azure', signal);
        guarded.expireTokens();
        expect(await images.head('t/azure', '1', signal)).toBeUndefined();
        expect(guarded.calls().filter((call) => call === 'POST /token -> 200')).toHaveLength(2);
        expect(guarded.calls().join()).not.toContain(IDENTITY_TOKEN);
        expect(masked).toContain(IDENTITY_TOKEN);
      } finally {
        await guarded.close();
      }
    });

    test.each<[string, RegistryFault['kind']]>([
      ['is busy for a moment', { status: 503 }],
      ['throttles', { status: 429, headers: { 'retry-after': '0' } }],
      ['hangs up', 'reset'],
    ])('a token server that %s is asked again', async (_name, kind) => {
      const guarded = await startFaultProxy(registry.host, { tokens: REGISTRY_USER });
      guarded.break({ call: /^GET \/token/, kind, times: 2 });
      await client(guarded.host, builder).mayPush('t/x', signal);
      expect(tokens(guarded)).toBe(1);
      await guarded.close();
    });

    test.each([
      { name: 'has an outage', reply: { status: 502, body: '<html>' }, kind: 'transient', says: 'status 502 of its token server' },
      { name: 'grants no such right', reply: { status: 403, body: '{"errors":[{"code":"DENIED","message":"requested access"}]}' }, kind: 'access-denied', says: 'refuses the login builder the right to push, with status 403 (DENIED: requested access) of its token server' },
      { name: 'gives no token', reply: { status: 200, body: '{}' }, kind: 'expired-token', says: 'an answer without a token of its token server' },
    ])('a token server that $name is told as that', async ({ reply, kind, says }) => {
      const guarded = await startFaultProxy(registry.host, { tokens: REGISTRY_USER });
      guarded.break({ call: /^GET \/token/, kind: reply, times: 9 });
      await expect(client(guarded.host, builder).mayPush('t/x', signal)).rejects.toMatchObject({
        kind,
        message: expect.stringContaining(`${says} ${guarded.host}`),
      });
      await guarded.close();
    }); // prettier-ignore

    test('a wrong password is told as such', async () => {
      const guarded = await startFaultProxy(registry.host, { tokens: REGISTRY_USER });
      const wrong: CredentialsSource = () => Promise.resolve({ username: 'builder', password: 'no' });
      await expect(client(guarded.host, wrong).head('t/x', '1', signal)).rejects.toMatchObject({
        name: 'RegistryRefusal',
        kind: 'expired-token',
        message: expect.stringMatching(/refuses the login builder the right to push, with status 401/),
      });
      await guarded.close();
    });
  });
});

const tokens = (proxy: FaultProxy): number => proxy.calls().filter((call) => /^GET \/token.* 200$/.test(call)).length;
