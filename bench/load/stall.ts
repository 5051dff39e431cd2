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

/**
 * A server that freezes for 500 ms in every 5 s, and a constant rate on it. What users really wait is known: arrivals at
 * even times, each in a freeze waits for its end. The same percentiles are asked of us, and of autocannon beside it.
 */
export async function stallFigures(): Promise<Figure[]> {
  const own = await withStalls((url) =>
    sluiceRun({ kind: 'open', url, rate: RATE, seconds: SECONDS, connections: 100 }),
  );
  const peer = await withStalls((url) => autocannonFigures(url, RATE, SECONDS));
  // The process takes its time to start, and a freeze more or less in the window is another truth.
  const truth = trueTimes(own.result.started, own.stalls);
  const off = (value: number, real: number): number => (100 * Math.abs(value - real)) / real;
  const peerTruth = trueTimes(peer.started, peer.stalls);
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
): Promise<{ readonly result: T; readonly started: number; readonly stalls: readonly Stall[] }> {
  const child = fork(join(import.meta.dirname, 'stall-server.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [port] = (await once(child, 'message')) as [number];
  const started = Date.now();
  try {
    const result = await measure(`http://127.0.0.1:${port}/`);
    child.send('stalls');
    const [stalls] = (await once(child, 'message')) as [readonly Stall[]];
    return { result, started, stalls };
  } finally {
    child.kill();
  }
}

/** Where the first arrival falls in the rhythm of the freezes changes little over four of them. */
function trueTimes(started: number, stalls: readonly Stall[]) {
  const waits = Array.from({ length: RATE * SECONDS }, (_, index) => {
    const at = started + (index * 1_000) / RATE;
    return Math.max(0, ...stalls.filter(({ from, to }) => from <= at && at < to).map(({ to }) => to - at));
  }).sort((a, b) => a - b);
  const at = (share: number): number => waits[Math.ceil(waits.length * share) - 1] ?? 0;
  return { p95: at(0.95), p97_5: at(0.975), p99: at(0.99) };
}
