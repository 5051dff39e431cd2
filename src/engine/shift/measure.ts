import type { Reading, Sample, Series } from '../../domain/analysis/sample.ts';
import { type Duration, type Instant, before, between, milliseconds } from '../../domain/duration.ts';
import { messageOf } from '../../domain/failure.ts';
import type { Arm, Measurement, MetricProvider } from '../../ports/metric-provider.ts';

/** A window grows at most to 16 times its length: beyond that, old requests would speak for new ones. */
const MOST_DOUBLINGS = 4;

export interface Look {
  readonly providers: Readonly<Record<string, MetricProvider>>;
  readonly arm: Arm;
  /** The grid point: windows end here. */
  readonly at: Instant;
  /** Windows never reach back before this: there was nothing of the candidate to see. */
  readonly begin: Instant;
}

/** One grid point: every series once, side by side. A source that fails gives a reading that says so, never an exception. */
export async function measureAll(
  series: readonly Series[],
  look: Look,
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  return Promise.all(series.map((each) => measure(each, look, signal)));
}

async function measure(series: Series, look: Look, signal: AbortSignal): Promise<Sample> {
  const longest = between(look.begin, look.at);
  let window = milliseconds(Math.min(series.window, longest));
  let measured = await ask(series, window, look, signal);
  // Few requests are not no requests: an empty window stays empty, so that a candidate that fell silent is seen at once.
  for (let doubling = 0; doubling < MOST_DOUBLINGS && isFew(measured, series) && window < longest; doubling++) {
    window = milliseconds(Math.min(window * 2, longest));
    const wider = await ask(series, window, look, signal);
    if (wider.kind !== 'value') break;
    measured = wider;
  }
  return { series: series.key, at: look.at, window, reading: readingOf(measured) };
}

const isFew = (measured: Measurement, { minSamples }: Series): boolean =>
  measured.kind === 'value' && measured.samples > 0 && measured.samples < minSamples;

async function ask(series: Series, window: Duration, look: Look, signal: AbortSignal): Promise<Measurement> {
  const provider = look.providers[series.metric];
  if (provider === undefined) return { kind: 'unreachable', cause: new TypeError(`no source for ${series.metric}`) };
  try {
    const span = { from: before(look.at, window), to: look.at };
    return await provider.measure({ metric: series.metric, arm: look.arm }, span, signal);
  } catch (cause) {
    signal.throwIfAborted();
    return { kind: 'unreachable', cause };
  }
}

function readingOf(measured: Measurement): Reading {
  switch (measured.kind) {
    case 'value':
      return { kind: 'value', value: measured.value, samples: measured.samples };
    case 'no-data':
      return { kind: 'no-data' };
    case 'unreachable':
      return { kind: 'error', message: messageOf(measured.cause) };
  }
}
