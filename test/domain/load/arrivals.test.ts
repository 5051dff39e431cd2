import { describe, expect, test } from '@jest/globals';
import { seconds } from '../../../src/domain/duration.ts';
import { arrivalTimes, arrivalsIn, lengthOf } from '../../../src/domain/load/arrivals.ts';

const phase = (length: number, from: number, to = from) => ({ duration: seconds(length), from, to });

describe('arrivals', () => {
  test.each([
    { name: 'at an even rate', phases: [phase(1, 4)], times: [0, 250, 500, 750] },
    { name: 'of two phases', phases: [phase(1, 2), phase(1, 4)], times: [0, 500, 1_000, 1_250, 1_500, 1_750] },
    { name: 'slower than one a second', phases: [phase(4, 0.5)], times: [0, 2_000] },
    // Half an arrival is left of the first phase: the next one comes half an arrival into the second.
    { name: 'whose rest goes on into the next phase', phases: [phase(1.5, 1), phase(1, 2)], times: [0, 1_000, 1_750] },
    { name: 'that none has', phases: [phase(0.5, 1)], times: [] },
  ])('$name', ({ phases, times }) => {
    expect([...arrivalTimes(phases)]).toEqual(times);
    expect(arrivalsIn(phases)).toBe(times.length);
  });

  test('of a ramp come closer and closer, and the area under the rate is their number', () => {
    const times = [...arrivalTimes([phase(10, 0.0001, 20)])];
    expect(times).toHaveLength(100);
    // 1 t^2 arrivals by t seconds.
    expect(times[25]).toBeCloseTo(5_000, 0);
    expect(times[64]).toBeCloseTo(8_000, 0);
    expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))).toBe(true);
  });

  test('of the phases of a real plan are all there', () => {
    const phases = [phase(60, 5), phase(300, 20), phase(60, 50)];
    const times = [...arrivalTimes(phases)];
    expect(times).toHaveLength(300 + 6_000 + 3_000);
    expect(times[300]).toBe(60_000);
    expect(times.at(-1)).toBeCloseTo(lengthOf(phases) - 20, 6);
  });
});
