import { describe, expect, test } from '@jest/globals';
import { healthOfUrl } from '../../../src/adapters/traffic/route53-targets.ts';
import { fakeProber } from '../../fakes/prober.ts';

const { signal } = new AbortController();

describe('a URL that tells the health', () => {
  const ask = async (statuses: readonly number[]): Promise<readonly number[]> => {
    const left = [...statuses];
    const source = healthOfUrl(
      'https://green.shop.example/health',
      fakeProber(() => ({ status: left.shift() ?? 200 })),
    );
    const seen: number[] = [];
    for (const _ of statuses) seen.push((await source.health(signal)).healthy);
    return seen;
  };

  test.each([
    { name: 'a color that never answered well has none', statuses: [503, 503], healthy: [0, 0] },
    { name: 'its first good answer is enough', statuses: [503, 200], healthy: [0, 1] },
    { name: 'two bad answers in a row are chance', statuses: [200, 500, 500, 200], healthy: [1, 1, 1, 1] },
    { name: 'three in a row are the end', statuses: [200, 500, 500, 500], healthy: [1, 1, 1, 0] },
  ])('$name', async ({ statuses, healthy }) => {
    expect(await ask(statuses)).toEqual(healthy);
  });
});
