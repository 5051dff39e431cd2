import { type Duration, type Instant, before, milliseconds } from '../duration.ts';
import { binomialTail } from './binomial.ts';
import { type Sample, endOf } from './sample.ts';

/** Requests in a stretch of time that overlaps with no other. */
interface Count {
  readonly to: Instant;
  readonly length: Duration;
  readonly requests: number;
  /** As in the sample. */
  readonly percent: number | undefined;
}

/** Requests that stopped coming, or that nobody answers any more: both are counted nowhere. */
export interface Drop {
  readonly since: Instant;
  /** The newest that its source knows. How late a source is, is no silence. */
  readonly to: Instant;
  /** In the last `within`. */
  readonly requests: number;
  readonly within: Duration;
  /** In as much time before it. */
  readonly usual: number;
}

export interface Traffic {
  /** Looks of one length, in the order of time. */
  readonly samples: readonly Sample[];
  readonly interval: Duration;
  /** For how long next to nothing may come. */
  readonly timeout: Duration;
}

/** What is looked at, and what it is compared with, in intervals. */
const RECENT = 4;
const HISTORY = 8;
/** A source with whole minutes may have one that is late: one look is none. */
const FEWEST = 2;
/** Traffic that halves is a Sunday; of what falls to this share there is next to nothing left to judge. */
const LEFT = 0.1;
/** It is back when so much of it is there. */
const BACK = 0.2;
/** Looked at some hundred times a release: a chance fall must not be among them. */
const DOUBT = 1e-6;

/**
 * A candidate that hangs is not seen by its errors: no answer is no 500. Its requests fall away instead, down to the checks
 * of ours that it still answers, and a window that is stretched until it holds enough of them would look back to the good
 * ones of before. undefined: as many as before, or too few to know.
 */
export function dropOf({ samples, interval, timeout }: Traffic): Drop | undefined {
  const counts = countsOf(samples);
  const look = Math.min(RECENT * interval, timeout / 2);
  let drop: (Drop & { readonly rate: number }) | undefined;
  for (let end = FEWEST; end <= counts.length; end++) {
    const recent = lastOf(counts.slice(0, end), look, FEWEST);
    const seen = total(recent);
    const [first, last] = [recent[0], recent.at(-1)];
    if (first === undefined || last === undefined || seen.length < look) continue;
    const earlier = counts.slice(0, end - recent.length);
    const rate = drop?.rate ?? rateBeforeFall(earlier, { seen, look, most: HISTORY * interval, percent: last.percent });
    const isBack = drop !== undefined && seen.requests > BACK * drop.rate * seen.length;
    const since = drop?.since ?? before(first.to, first.length);
    const { requests, length } = seen;
    drop =
      rate === undefined || isBack
        ? undefined
        : { since, to: last.to, requests, within: milliseconds(length), usual: rate * length, rate };
  }
  return drop;
}

interface Fallen {
  readonly seen: Total;
  /** Milliseconds. */
  readonly look: number;
  readonly most: number;
  readonly percent: number | undefined;
}

/**
 * Requests a millisecond that were usual; undefined: nothing has fallen, or it is not known. Usual is what came lately, but no
 * more than half of all looks had: what follows a burst is no fall. Of a step that is old enough its own looks alone count.
 * Nothing is multiplied by shares: our own probes come at one rate at any, and kept clients follow no weight.
 */
function rateBeforeFall(counts: readonly Count[], { seen, look, most, percent }: Fallen): number | undefined {
  const history = total(lastOf(counts, most, FEWEST));
  const lately = history.requests / history.length;
  if (history.length < look || counts.length < FEWEST || seen.requests > LEFT * lately * seen.length) return undefined;
  const ofStep = counts.filter((each) => each.percent === percent);
  const rates = (total(ofStep).length >= most ? ofStep : counts)
    .map((each) => each.requests / each.length)
    .sort((a, b) => a - b);
  const rate = Math.min(lately, rates[Math.floor((rates.length - 1) / 2)] ?? 0);
  if (seen.requests > LEFT * rate * seen.length) return undefined;
  // Of all requests of both stretches, so few are recent by chance alone.
  const [few, many] = [Math.round(seen.requests), Math.round(rate * history.length)];
  const p = history.length / (seen.length + history.length);
  return binomialTail({ n: few + many, k: many, p }) < DOUBT ? rate : undefined;
}

/**
 * Whether stable lost its requests, too: then it is users who are fewer. It is held against what the weights leave to it; its
 * looks are long and may hold some of before, so half is enough. At 100 % it has no users, and what it had before that counts.
 */
export function isShared(drop: Drop, stable: readonly Sample[]): boolean {
  const seen = stable.filter(({ percent }) => percent !== 100);
  const rateOf = ({ reading, window, percent = 0 }: Sample): number =>
    reading.kind === 'value' ? reading.samples / (window * (100 - percent)) : 0;
  const earlier = seen.findLast((sample) => sample.reading.kind === 'value' && endOf(sample) <= drop.since);
  const now = seen.findLast(({ reading }) => reading.kind === 'value' || reading.kind === 'no-data');
  return earlier !== undefined && now?.reading.kind === 'value' && rateOf(now) < rateOf(earlier) / 2;
}

/** Of two looks at the same stretch the later one knows more. What a source did not answer is no zero. */
function countsOf(samples: readonly Sample[]): readonly Count[] {
  const counts: Count[] = [];
  for (const sample of samples) {
    const { reading, window: length, percent } = sample;
    if (reading.kind === 'error' || reading.kind === 'not-yet') continue;
    const count = { to: endOf(sample), length, requests: reading.kind === 'value' ? reading.samples : 0, percent };
    if (counts.at(-1)?.to === count.to) counts.pop();
    if (before(count.to, length) >= (counts.at(-1)?.to ?? -Infinity)) counts.push(count);
  }
  return counts;
}

/** The fewest of the last that together are at least so long, and at least `fewest`. */
function lastOf(counts: readonly Count[], length: number, fewest: number): readonly Count[] {
  let first = counts.length;
  for (let sum = 0; first > 0 && (sum < length || counts.length - first < fewest); first--)
    sum += counts[first - 1]?.length ?? 0;
  return counts.slice(first);
}

interface Total {
  readonly requests: number;
  /** Milliseconds. */
  readonly length: number;
}

const total = (counts: readonly Count[]): Total => ({
  requests: counts.reduce((sum, { requests }) => sum + requests, 0),
  length: counts.reduce((sum, { length }) => sum + length, 0),
});
