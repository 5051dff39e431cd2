import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startFaultProxy } from '../../../sandbox/engine/fault-proxy.ts';
import { REGISTRY_USER, type Registry, startRegistry } from '../../../sandbox/engine/registry.ts';
import { seedImage } from '../../../sandbox/engine/seed-image.ts';
import type { CredentialsSource } from '../../../src/ports/image-registry.ts';
import { needs } from '../../harness/needs.ts';
import { client } from './client.ts';

const { signal } = new AbortController();
const builder: CredentialsSource = () => Promise.resolve(REGISTRY_USER);
const isOne = (scope: string): boolean => /^repository:\S+$/.test(scope);

needs('engine')('copies within one registry', () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry.stop());

  test.each<[name: string, lets: (scopes: readonly string[]) => boolean, ends: 'mounted' | 'copied']>([
    ['that takes each scope in a parameter of its own', (scopes) => scopes.every(isOne), 'mounted'],
    ['that gives no token for two repositories', (scopes) => scopes.length === 1 && scopes.every(isOne), 'copied'],
  ])('are made by a token server %s', async (name, lets, ends) => {
    const content = `of ${name}`;
    const [from, to] = [`c/from-${ends}`, `c/to-${ends}`];
    const { layers } = await seedImage({ host: registry.host, repository: from, tag: '1', content });
    const guarded = await startFaultProxy(registry.host, { tokens: REGISTRY_USER, lets });
    const images = client(guarded.host, builder);
    const blob = { digest: layers[0] ?? '', size: content.length };
    const source = { registry: images, repository: from };
    try {
      expect(await images.copyBlob(to, source, blob, signal)).toBe(ends);
      expect(await images.copyBlob(to, source, blob, signal)).toBe('there');
    } finally {
      await guarded.close();
    }
  });

  test('end where neither the mount nor the bytes may be pushed', async () => {
    const { layers } = await seedImage({ host: registry.host, repository: 'c/from', tag: '1', content: 'closed' });
    const proxy = await startFaultProxy(registry.host);
    proxy.break({ call: /^POST /, kind: { status: 403 }, times: 9 });
    const images = client(proxy.host);
    const source = { registry: images, repository: 'c/from' };
    try {
      const copy = images.copyBlob('c/closed', source, { digest: layers[0] ?? '', size: 6 }, signal);
      await expect(copy).rejects.toMatchObject({ name: 'RegistryRefusal', kind: 'access-denied' });
      expect(proxy.calls().filter((call) => call.startsWith('POST '))).toHaveLength(2);
    } finally {
      await proxy.close();
    }
  });
});
