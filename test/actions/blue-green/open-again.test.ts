import { describe, expect, test } from '@jest/globals';
import { openAgain } from '../../../actions/blue-green/src/execute/open-again.ts';
import { between, minutes, seconds } from '../../../src/domain/duration.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { CloudFailure, mayPass } from '../../../src/domain/retry-policy.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { recordingLog } from '../../fakes/log.ts';

const passes = (thrown: Failure): boolean => thrown instanceof CloudFailure && mayPass(thrown.kind);
const busy = () => new CloudFailure('throttled', { what: 'Could not read the listener', why: 'Rate exceeded' });

describe('what it takes to go on with a shift of a dead run', () => {
  const asked = async (answers: readonly (() => Error)[]) => {
    const clock = fakeClock({ mode: 'automatic' });
    const begun = clock.now();
    let turn = 0;
    const open = (): Promise<string> => {
      const fails = answers[Math.min(turn++, answers.length - 1)];
      return turn > answers.length || fails === undefined ? Promise.resolve('open') : Promise.reject(fails());
    };
    const result = await openAgain(open, { clock, log: recordingLog(), mayPass: passes }, new AbortController().signal);
    return { result, took: between(begun, clock.now()) };
  };

  test('is asked for again where the cloud does not answer for a moment', async () => {
    expect(await asked([busy, busy])).toEqual({ result: 'open', took: seconds(20) });
  });

  test('is missing for good where an input is', async () => {
    const missing = new Failure({ what: 'images is missing' });
    expect((await asked([busy, () => missing])).result).toBe(missing);
    const denied = new CloudFailure('access-denied', { what: 'Could not read the metrics', why: 'denied' });
    expect((await asked([() => denied])).result).toBe(denied);
  });

  test('is left to the next look where no answer comes at all: nobody found the release bad', async () => {
    const clock = fakeClock({ mode: 'automatic' });
    const begun = clock.now();
    const never = (): Promise<string> => Promise.reject(busy());
    const looking = { clock, log: recordingLog(), mayPass: passes };
    await expect(openAgain(never, looking, new AbortController().signal)).rejects.toThrow('Rate exceeded');
    expect(between(begun, clock.now())).toBe(minutes(5));
  });

  test('that is broken is thrown', async () => {
    await expect(asked([() => new TypeError('broken')])).rejects.toThrow(TypeError);
  });
});
