import { type Duration, type Instant, before, milliseconds } from '../duration.ts';
import { binomialTail } from './binomial.ts';
import { type Sample, endOf } from './sample.ts';

/** Requests in a stretch of time that overlaps with no other. */
interface Count {
  readonly to: Instant;
  readonly length: Duration;
  readonly requests: number;
}

/** Requests that stopped coming, or that nobody answers any more: both are counted nowhere. */
export interface Drop {
  readonly since: Instant;
  /** In the last `within`. */
  readonly requests: number;
  readonly within: Duration;
  /** In as much time before it. */
  readonly usual: number;
}

/** What is looked at, and what it is compared with, in intervals: no further back than a step that gave it more. */
const RECENT = 4;
const HISTORY = 8;
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
export function dropOf(samples: readonly Sample[], interval: Duration): Drop | undefined {
  const counts = countsOf(samples);
  let usual: number | undefined;
  let drop: Drop | undefined;
  for (let end = 1; end <= counts.length; end++) {
    const recent = lastOf(counts.slice(0, end), RECENT * interval);
    const history = lastOf(counts.slice(0, end - recent.length), HISTORY * interval);
    const { requests, length: within } = total(recent);
    if (usual === undefined) {
      if (within < RECENT * interval || !hasFallen(total(recent), total(history))) continue;
      usual = total(history).requests / total(history).length;
    } else if (requests > BACK * usual * within) {
      [usual, drop] = [undefined, undefined];
      continue;
    }
    const [first] = recent;
    const since = drop?.since ?? (first === undefined ? undefined : before(first.to, first.length));
    if (since !== undefined) drop = { since, requests, within: milliseconds(within), usual: usual * within };
  }
  return drop;
}

/** Of two looks at the same stretch the later one knows more. What a source did not answer is no zero. */
function countsOf(samples: readonly Sample[]): readonly Count[] {
  const counts: Count[] = [];
  for (const sample of samples) {
    const { reading } = sample;
    if (reading.kind === 'error' || reading.kind === 'not-yet') continue;
    const count = {
      to: endOf(sample),
      length: sample.window,
      requests: reading.kind === 'value' ? reading.samples : 0,
    };
    if (counts.at(-1)?.to === count.to) counts.pop();
    if (before(count.to, count.length) >= (counts.at(-1)?.to ?? -Infinity)) counts.push(count);
  }
  return counts;
}

/** The fewest of the last that together are at least so long. */
function lastOf(counts: readonly Count[], length: number): readonly Count[] {
  let first = counts.length;
  for (let sum = 0; first > 0 && sum < length; first--) sum += counts[first - 1]?.length ?? 0;
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

/** Of all requests of both, so few are recent by chance alone once in a million times, and fewer than a tenth are left. */
function hasFallen(recent: Total, history: Total): boolean {
  if (history.length === 0 || recent.requests > LEFT * history.requests * (recent.length / history.length))
    return false;
  const [few, many] = [Math.round(recent.requests), Math.round(history.requests)];
  const p = history.length / (recent.length + history.length);
  return binomialTail({ n: few + many, k: many, p }) < DOUBT;
}
