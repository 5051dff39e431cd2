import { hdrHistograms } from '../../src/adapters/histogram/hdr.ts';
import type { Figure } from '../figures.ts';

/** Values of eight shards, merged from their encoded form, against one histogram of all: 0 when they are the same. */
export function mergeFigure(): Figure {
  const histograms = hdrHistograms();
  const whole = histograms.create();
  const shards = Array.from({ length: 8 }, () => histograms.create());
  for (let index = 0; index < 400_000; index++) {
    const value = ((index * 7_919) % 100_003) / 97;
    whole.record(value);
    shards[index % 8]?.record(value);
  }
  const merged = histograms.create();
  for (const shard of shards) merged.add(histograms.decode(shard.encode()));
  return {
    name: 'eight result files that merge to another histogram',
    value: merged.encode() === whole.encode() ? 0 : 1,
    unit: '',
    goal: 0,
  };
}
