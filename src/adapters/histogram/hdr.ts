import { type Histogram as Hdr, build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import type { Histogram, Histograms } from '../../ports/histogram.ts';

/** In microseconds: 24 h. A longer time is counted as that. */
const LONGEST = 86_400_000_000;

/** HdrHistogram: constant memory, three digits, exact merges (facts of the field: percentiles are never averaged). */
export const hdrHistograms = (): Histograms => ({
  create: () =>
    wrapped(
      build({
        lowestDiscernibleValue: 1,
        highestTrackableValue: LONGEST,
        numberOfSignificantValueDigits: 3,
        bitBucketSize: 32,
      }),
    ),
  decode: (text) => wrapped(decodeFromCompressedBase64(text)),
});

const INSIDE = new WeakMap<Histogram, Hdr>();

function wrapped(hdr: Hdr): Histogram {
  const histogram: Histogram = {
    record: (milliseconds) => hdr.recordValue(Math.min(LONGEST, Math.max(1, Math.round(milliseconds * 1_000)))),
    add(other) {
      const inside = INSIDE.get(other);
      if (inside === undefined) throw new TypeError('only histograms of one kind can be added');
      hdr.add(inside);
    },
    at: (percent) => (hdr.totalCount === 0 ? 0 : hdr.getValueAtPercentile(percent) / 1_000),
    get mean() {
      return hdr.totalCount === 0 ? 0 : hdr.mean / 1_000;
    },
    // Not the library's own maximum: that of a decoded histogram is another one than that of the recorded.
    get max() {
      return hdr.totalCount === 0 ? 0 : hdr.getValueAtPercentile(100) / 1_000;
    },
    get count() {
      return hdr.totalCount;
    },
    reset: () => hdr.reset(),
    encode: () => encodeIntoCompressedBase64(hdr),
  };
  INSIDE.set(histogram, hdr);
  return histogram;
}
