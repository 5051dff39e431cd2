import { afterEach, describe, expect, test } from '@jest/globals';
import { CreateClusterCommand, DescribeClustersCommand, ECSClient } from '@aws-sdk/client-ecs';
import { startCloud } from '../../sandbox/cloud.ts';
import { type Lender, borrowMoto, lendMoto } from '../../sandbox/moto/lend.ts';
import { needs } from '../harness/needs.ts';

describe('a moto that is lent', () => {
  let lender: Lender;
  afterEach(() => lender.stop());

  test('is started when the first one asks, and once for all of them; each has a place of its own', async () => {
    const told: string[] = [];
    lender = await lendMoto(async () => {
      told.push('started');
      return { port: 4711, stop: async () => void told.push('stopped') };
    });
    expect(told).toEqual([]);
    const lent = await Promise.all([borrowMoto(lender.path), borrowMoto(lender.path)]);
    expect(lent.map(({ port }) => port)).toEqual([4711, 4711]);
    expect(lent.map(({ place }) => place).sort()).toEqual([1, 2]);
    for (const each of lent) await each.stop();
    expect(told).toEqual(['started']);
    await lender.stop();
    expect(told).toEqual(['started', 'stopped']);
  });

  test('is started anew when it has died, and what keeps it from starting is told to whoever asks', async () => {
    const ends: (() => void)[] = [];
    let starts = 0;
    lender = await lendMoto(async (ended) => {
      starts += 1;
      ends.push(ended);
      if (starts === 2) throw new Error('no Python here');
      return { port: starts, stop: () => Promise.resolve() };
    });
    expect(await borrowMoto(lender.path)).toMatchObject({ port: 1 });
    ends[0]?.();
    await expect(borrowMoto(lender.path)).rejects.toThrow('no Python here');
    expect(await borrowMoto(lender.path)).toMatchObject({ port: 3 });
  });
});

needs('sandbox')('clouds of one moto', () => {
  test('have other accounts, and do not see each other', async () => {
    const clouds = await Promise.all([startCloud({ clock: 'lock-step' }), startCloud({ clock: 'lock-step' })]);
    const worlds = await Promise.all(clouds.map((cloud) => cloud.createWorld()));
    const [one, other] = worlds.map((world) => new ECSClient(world.client()));
    await one?.send(new CreateClusterCommand({ clusterName: 'shop' }));
    const seen = await other?.send(new DescribeClustersCommand({ clusters: ['shop'] }));
    expect(seen).toMatchObject({ clusters: [], failures: [{ reason: 'MISSING' }] });
    expect(new Set(worlds.map(({ account }) => account)).size).toBe(2);
    for (const cloud of clouds) await cloud.stop();
  }, 60_000);
});
