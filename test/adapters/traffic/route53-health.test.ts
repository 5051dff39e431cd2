import { describe, expect, test } from '@jest/globals';
import type { Route53Client } from '@aws-sdk/client-route-53';
import { healthOfCheck, healthOfUrl } from '../../../src/adapters/traffic/route53-targets.ts';
import { CloudFailure } from '../../../src/domain/retry-policy.ts';
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

describe('a health check of Route 53', () => {
  const look = (answers: readonly (readonly string[])[]) => {
    const left = [...answers];
    const send = async (): Promise<object> => ({
      HealthCheckObservations: (left.shift() ?? []).map((Status) => ({ StatusReport: { Status } })),
    });
    const source = healthOfCheck('abc', { send } as unknown as Route53Client);
    return () => source.health(signal);
  };
  const GOOD = 'Success: HTTP Status Code 200, OK';

  test('is what more than 18 % of its checkers say', async () => {
    const next = look([
      [GOOD, 'Failure: timeout', 'Failure: timeout', 'Failure: timeout'],
      Array(6).fill('Failure: timeout'),
    ]);
    expect(await next()).toEqual({ healthy: 1, total: 1, reasons: [] });
    expect(await next()).toMatchObject({
      healthy: 0,
      reasons: ['health check abc: 0 of 6 checkers reach it', 'Failure: timeout'],
    });
  });

  test('that no checker ever reported to is refused by name, with what to give in its place', async () => {
    const refused = look([[]])();
    await expect(refused).rejects.toThrow(
      /health check abc: .*calculated or follows an alarm.*router\.route53\.health/,
    );
    await expect(refused).rejects.not.toBeInstanceOf(CloudFailure);
  });

  test('that told something before and tells nothing now is out of reach for a moment, which is no bad health', async () => {
    const next = look([[GOOD], [], [GOOD]]);
    await next();
    await expect(next()).rejects.toMatchObject({ kind: 'transient' });
    expect(await next()).toMatchObject({ healthy: 1 });
  });
});
