import { type Above, type Reading, type Sample, type Series } from '../../domain/analysis/sample.ts';
import { type Duration, type Instant, before, between, instant, milliseconds } from '../../domain/duration.ts';
import { messageOf } from '../../domain/failure.ts';
import { inParallel } from '../in-parallel.ts';
import type { Measurement, MetricProvider, MetricQuery, Window } from '../../ports/metric-provider.ts';

/** A window grows at most to 16 times its length: beyond that, old requests would speak for new ones. */
const MOST_DOUBLINGS = 4;
/** Grid points that a resumed run measures again: two hours of the usual interval. */
const MOST_MISSED = 480;
/** Of them, asked side by side. */
const MOST_AT_ONCE = 8;

export interface Look {
  readonly providers: Readonly<Record<string, MetricProvider>>;
  /** The grid point: windows end here, or at the last period that their source knows by then. */
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
  const taken = new Map<string, Promise<Sample>>();
  for (const each of series) taken.set(each.key, measure(each, { look, taken }, signal));
  return Promise.all(taken.values());
}

/**
 * The grid point, and before it, when nothing is known yet though points have passed, those that a dead run had measured:
 * from every source that remembers. So a resumed run has the samples of one that was never interrupted.
 */
export async function measureGrid(
  series: readonly Series[],
  { measured, interval, ...look }: Look & { readonly measured: readonly Sample[]; readonly interval: Duration },
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const missed: Instant[] = [];
  const kept = series.filter(({ metric }) => look.providers[metric]?.memory === 'kept');
  if (measured.length === 0) {
    const first = Math.max(look.begin + interval, look.at - MOST_MISSED * interval);
    for (let at = first; kept.length > 0 && at < look.at; at += interval) missed.push(instant(at));
  }
  // What is true now first: the past can wait, and sources may be slow.
  const newest = await measureAll(series, look, signal);
  const past = await inParallel(missed, MOST_AT_ONCE, (at) => measureAll(kept, { ...look, at }, signal));
  return [...past.flat(), ...newest];
}

interface Taking {
  readonly look: Look;
  /** Of this grid point, by series. */
  readonly taken: ReadonlyMap<string, Promise<Sample>>;
}

async function measure(series: Series, { look, taken }: Taking, signal: AbortSignal): Promise<Sample> {
  const provider = look.providers[series.metric];
  const sample = (window: Duration, to: Instant, reading: Reading): Sample => ({
    series: series.key,
    at: look.at,
    window,
    ...(to === look.at ? {} : { to }),
    reading,
  });
  if (provider === undefined) {
    return sample(series.window, look.at, { kind: 'error', message: `no source for ${series.metric}` });
  }
  const { to, longest, whole } = placeOf(provider, look);
  if (longest <= 0) return sample(series.window, look.at, { kind: 'not-yet' });
  const above = await aboveOf(series.above, taken);
  const { metric, arm } = series;
  const query: MetricQuery = { metric, arm, ...(above === undefined ? {} : { above }) };
  const ask = (window: Duration) => askFor(provider, { query, window, to }, signal);
  let window = whole(milliseconds(Math.min(series.window, longest)));
  let measured = await ask(window);
  // Few requests are not no requests: an empty window stays empty, so that a candidate that fell silent is seen at once.
  for (let doubling = 0; doubling < MOST_DOUBLINGS && isFew(measured, series) && window < longest; doubling++) {
    window = whole(milliseconds(Math.min(window * 2, longest)));
    const wider = await ask(window);
    if (wider.kind !== 'value') break;
    measured = wider;
  }
  return sample(window, to, readingOf(measured));
}

interface Place {
  /** Where windows end. */
  readonly to: Instant;
  /** How far they may reach back. Nothing: the source cannot know anything of the candidate yet. */
  readonly longest: Duration;
  /** Rounded up to what the source can say. */
  whole(window: Duration): Duration;
}

/** The newest period is still filling, so windows end before it; the one in which the candidate's traffic began counts. */
function placeOf({ periods }: MetricProvider, { at, begin }: Look): Place {
  if (periods === undefined) return { to: at, longest: between(begin, at), whole: (window) => window };
  const { length, delay } = periods;
  const to = instant(Math.floor((at - delay) / length) * length);
  const whole = (window: Duration): Duration => milliseconds(Math.ceil(window / length) * length);
  return { to, longest: to > begin ? whole(between(begin, to)) : milliseconds(0), whole };
}

/** The last `length` of which a source knows everything by now. */
export function windowBefore(
  { periods }: Pick<MetricProvider, 'periods'>,
  { now, length }: { readonly now: Instant; readonly length: Duration },
): Window {
  const to = periods === undefined ? now : instant(Math.floor((now - periods.delay) / periods.length) * periods.length);
  return { from: before(to, length), to };
}

async function aboveOf(above: Above | undefined, taken: Taking['taken']): Promise<number | undefined> {
  if (above === undefined || typeof above === 'number') return above;
  const reading = (await taken.get(above.series))?.reading;
  if (reading?.kind !== 'value' || !Number.isFinite(reading.value)) return undefined;
  return above.of === 'share' ? reading.value * (1 + above.plus) : reading.value + above.plus;
}

const isFew = (measured: Measurement, { minSamples }: Series): boolean =>
  measured.kind === 'value' && measured.samples > 0 && measured.samples < minSamples;

interface Question {
  readonly query: MetricQuery;
  readonly window: Duration;
  readonly to: Instant;
}

const askFor = (provider: MetricProvider, { query, window, to }: Question, signal: AbortSignal): Promise<Measurement> =>
  measured(provider, { query, window: { from: before(to, window), to } }, signal);

/** One question. A source that fails says so by its answer, never by an exception. */
export async function measured(
  provider: MetricProvider,
  { query, window }: { readonly query: MetricQuery; readonly window: Window },
  signal: AbortSignal,
): Promise<Measurement> {
  try {
    return await provider.measure(query, window, signal);
  } catch (cause) {
    signal.throwIfAborted();
    return { kind: 'unreachable', cause };
  }
}

function readingOf(measured: Measurement): Reading {
  switch (measured.kind) {
    case 'value': {
      const { value, samples, slower } = measured;
      return { kind: 'value', value, samples, ...(slower === undefined ? {} : { slower }) };
    }
    case 'no-data':
      return { kind: 'no-data' };
    case 'unreachable':
      return { kind: 'error', message: messageOf(measured.cause) };
  }
}
