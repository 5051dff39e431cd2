import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface LoadFigures {
  readonly answers: number;
  readonly rate: number;
  /** CPU of the whole process a request, start-up and warm-up left out. */
  readonly microseconds: number;
}

export interface OwnFigures extends LoadFigures {
  /** Epoch milliseconds of the first arrival. */
  readonly started: number;
  readonly planned: number;
  readonly core: number;
  readonly lagP99: number;
  readonly p95: number;
  readonly p99: number;
}

export type OwnLoad =
  | { readonly kind: 'closed'; readonly url: string; readonly connections: number; readonly seconds: number }
  | {
      readonly kind: 'open';
      readonly url: string;
      readonly rate: number;
      readonly seconds: number;
      readonly connections?: number;
    };

/** Each generator is a process of its own, as the action is, and says its figures as JSON. */
async function inProcess<T>(script: string, load: object): Promise<T> {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), JSON.stringify(load)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (part: Buffer) => (said += part.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
  return JSON.parse(said) as T;
}

export const sluiceRun = (load: OwnLoad): Promise<OwnFigures> => inProcess('sluice-process.ts', load);

interface PeerLoad {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
}

export const autocannonRun = (load: PeerLoad): Promise<LoadFigures> => inProcess('autocannon-process.ts', load);

export const undiciRun = (load: PeerLoad): Promise<LoadFigures> => inProcess('undici-process.ts', load);

export const socketsRun = (load: PeerLoad): Promise<LoadFigures> => inProcess('sockets-process.ts', load);

/** The lag of a loop of timers, in milliseconds. */
export const timersRun = (load: { readonly rate: number; readonly seconds: number }): Promise<{ lagP99: number }> =>
  inProcess('timers-process.ts', load);
