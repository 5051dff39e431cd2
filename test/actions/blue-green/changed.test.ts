import { describe, expect, test } from '@jest/globals';
import { minutes } from '../../../src/domain/duration.ts';
import { type CloudErrorKind, CloudFailure } from '../../../src/domain/retry-policy.ts';
import { tidyAlone } from '../../../actions/blue-green/src/execute/tidy.ts';
import { openStage } from './stage.ts';

// What a runner is told of an end that throws, `crossed names` among them, is in pairing.test.ts.
describe('`changed` is', () => {
  test.each([
    { mode: 'shift', why: 'nothing is prepared' },
    { mode: 'finish', why: 'no switched shift waits to be finished' },
    { mode: 'rollback', why: 'green has no healthy target to go back to' },
    { mode: 'settle', why: 'no shift was ever recorded' },
  ] as const)('no where $why: $mode', async ({ mode, why }) => {
    const stage = openStage();
    const { outcome, changed } = await stage.run({ mode });
    expect(outcome).toMatchObject({ kind: 'refused', why: expect.stringContaining(why) });
    expect({ changed, writes: stage.changes }).toEqual({ changed: 'no', writes: 0 });
  });

  test.each([
    { kind: 'access-denied', writes: 0 },
    // Its batch says so also of an earlier try of its own whose answer was lost.
    { kind: 'conflict', writes: 1 },
  ] as const)('$writes after a first write that ends in $kind', async ({ kind, writes }) => {
    const stage = openStage();
    stage.journal.write = () => Promise.reject(denied(kind));
    await expect(stage.run()).rejects.toThrow('Could not record the shift');
    expect(stage.changes).toBe(writes);
    expect(stage.desired('green')).toBe(0);
  });

  test('told before reconcile puts stickiness back, and for that alone', async () => {
    const { signal } = new AbortController();
    const { router, journal, log } = openStage();
    const told: string[] = [];
    const ports = { router, journal, log, willChange: () => (told.push([...router.writes].join()), () => undefined) };
    expect(await tidyAlone(ports, signal)).toEqual({ changed: 'no', says: undefined });
    router.dropped = minutes(2);
    expect(await tidyAlone(ports, signal)).toEqual({ changed: 'yes', says: 'the stickiness of 2m is back' });
    expect(told).toEqual(['']);
  });
});

const denied = (kind: CloudErrorKind): CloudFailure =>
  new CloudFailure(kind, { what: 'Could not record the shift', why: 'as played' });
