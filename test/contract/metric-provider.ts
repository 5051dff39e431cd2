import { describe, expect, test } from '@jest/globals';
import { before, minutes, seconds } from '../../src/domain/duration.ts';
import type { Instant } from '../../src/domain/duration.ts';
import type { Measurement, MetricProvider, Window } from '../../src/ports/metric-provider.ts';

/** A source whose truth the test sets. */
export interface MetricWorld {
  readonly provider: MetricProvider;
  now(): Instant;
  /** 40 requests in the last 30 s, 10 of them bad. */
  busy(): Promise<void>;
  /** No request at all. */
  silent(): Promise<void>;
  /** 40 requests, none of them bad. */
  clean(): Promise<void>;
  /** The source does not answer; absent where the source is this process itself. */
  down?(): Promise<void>;
  close(): Promise<void>;
}

const signal = new AbortController().signal;

/** What every MetricProvider must do: no data, no answer and zero are three different things. */
export function metricProviderContract(name: string, open: () => Promise<MetricWorld>): void {
  const inWorld = (run: (world: MetricWorld, ask: () => Promise<Measurement>) => Promise<void>) => async () => {
    const world = await open();
    const window = (): Window => ({ from: before(world.now(), seconds(30)), to: world.now() });
    try {
      await run(world, () => world.provider.measure({ metric: 'error-rate', arm: 'candidate' }, window(), signal));
    } finally {
      await world.close();
    }
  };

  describe(`${name} as a MetricProvider`, () => {
    test(
      'gives a rate as a fraction, with the number of requests behind it',
      inWorld(async ({ busy }, ask) => {
        await busy();
        expect(await ask()).toEqual({ kind: 'value', value: 0.25, samples: 40 });
      }),
    );

    test(
      'gives 0 when nothing failed',
      inWorld(async ({ clean }, ask) => {
        await clean();
        expect(await ask()).toEqual({ kind: 'value', value: 0, samples: 40 });
      }),
    );

    test(
      'gives no data, not 0, when there was nothing',
      inWorld(async ({ silent }, ask) => {
        await silent();
        expect(await ask()).toEqual({ kind: 'no-data' });
      }),
    );

    test(
      'says that it was not reached, which is neither',
      inWorld(async ({ down, busy }, ask) => {
        // A source inside this process is always reached; it then gives what it has.
        await (down ?? busy)();
        expect(await ask()).toEqual(
          down === undefined
            ? expect.objectContaining({ kind: 'value' })
            : { kind: 'unreachable', cause: expect.anything() },
        );
      }),
    );

    test(
      'does nothing once the signal is aborted',
      inWorld(async ({ provider, now }) => {
        const reason = new Error('stop');
        const window = { from: before(now(), minutes(1)), to: now() };
        const asked = provider.measure({ metric: 'error-rate', arm: 'candidate' }, window, AbortSignal.abort(reason));
        await expect(asked).rejects.toBe(reason);
      }),
    );
  });
}
