import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Figure } from '../figures.ts';
import { autocannonFigures } from './stall-peer.ts';
import { sluiceRun } from './generators.ts';

const RATE = 200;
const SECONDS = 20;

interface Stall {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

/** What the server says afterwards. */
interface Log {
  readonly stalls: readonly Stall[];
  /** When each request had its answer, in order: milliseconds since the epoch. */
  readonly answered: readonly number[];
}

/**
 * A server that freezes for 500 ms in every 5 s, and a constant rate on it. What users really wait is known to it: they
 * arrive at even times, and it wrote down when it answered each. The same percentiles are asked of us, and of autocannon
 * beside it; of that only the freezes are known, which is a little less than its users waited.
 */
export async function stallFigures(): Promise<Figure[]> {
  const own = await withStalls((url) =>
    sluiceRun({ kind: 'open', url, rate: RATE, seconds: SECONDS, connections: 100 }),
  );
  const peer = await withStalls((url) => autocannonFigures(url, RATE, SECONDS));
  // The process takes its time to start, and a freeze more or less in the window is another truth.
  const truth = answeredTimes(own.result.started, own.log.answered);
  const off = (value: number, real: number): number => (100 * Math.abs(value - real)) / real;
  const peerTruth = frozenTimes(peer.started, peer.log.stalls);
  return [
    {
      name: 'stall test: p95 off the truth',
      value: off(own.result.p95, truth.p95),
      unit: '%',
      goal: 5,
      comparison: { name: 'autocannon -R (its p97.5)', value: off(peer.result.p97_5, peerTruth.p97_5) },
    },
    {
      name: 'stall test: p99 off the truth',
      value: off(own.result.p99, truth.p99),
      unit: '%',
      goal: 5,
      comparison: { name: 'autocannon -R', value: off(peer.result.p99, peerTruth.p99) },
    },
    {
      name: 'stall test: requests that were not counted',
      value: RATE * SECONDS - own.result.answers,
      unit: '',
      goal: 0,
    },
  ];
}

async function withStalls<T>(
  measure: (url: string) => Promise<T>,
): Promise<{ readonly result: T; readonly started: number; readonly log: Log }> {
  const child = fork(join(import.meta.dirname, 'stall-server.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [port] = (await once(child, 'message')) as [number];
  const started = Date.now();
  try {
    const result = await measure(`http://127.0.0.1:${port}/`);
    child.send('tell');
    const [log] = (await once(child, 'message')) as [Log];
    return { result, started, log };
  } finally {
    child.kill();
  }
}

/**
 * The k-th answer is that of the k-th arrival: those who wait together are answered together, so that another order among
 * them changes nothing of the distribution. What was asked before the start was the warm-up.
 */
function answeredTimes(started: number, answered: readonly number[]) {
  const own = answered.filter((at) => at >= started).slice(0, RATE * SECONDS);
  return percentiles(own.map((at, index) => at - (started + (index * 1_000) / RATE)));
}

/** Where the first arrival falls in the rhythm of the freezes changes little over four of them. */
const frozenTimes = (started: number, stalls: readonly Stall[]) =>
  percentiles(
    Array.from({ length: RATE * SECONDS }, (_, index) => {
      const at = started + (index * 1_000) / RATE;
      return Math.max(0, ...stalls.filter(({ from, to }) => from <= at && at < to).map(({ to }) => to - at));
    }),
  );

function percentiles(waits: readonly number[]) {
  const sorted = [...waits].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
  return { p95: at(0.95), p97_5: at(0.975), p99: at(0.99) };
}
