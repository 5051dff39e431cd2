import { get } from 'node:http';
import { messageOf } from '../../src/domain/failure.ts';
import type { Address, CheckHealth, HealthAnswer } from './types.ts';

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ETIMEDOUT: 'connection timed out',
};

/** One request on a connection of its own, as an ALB makes it. `timeout` (milliseconds) covers connecting and the whole answer. */
export const checkHealth: CheckHealth = (address, path, timeout) =>
  ask(address, path, timeout).catch((error: NodeJS.ErrnoException) => ({
    kind: 'failed',
    reason: REASONS[error.code ?? ''] ?? messageOf(error),
  }));

function ask({ host, port }: Address, path: string, timeout: number): Promise<HealthAnswer> {
  return new Promise<HealthAnswer>((resolve, reject) => {
    const headers = { host: `${host}:${port}`, 'user-agent': 'ELB-HealthChecker/2.0', connection: 'close' };
    const request = get({ host, port, path, agent: false, headers });
    const timer = setTimeout(() => request.destroy(new Error(`timed out after ${timeout} ms`)), timeout);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    request.on('error', fail);
    request.once('response', (response) => {
      response.on('error', fail);
      response.once('end', () => {
        clearTimeout(timer);
        resolve({ kind: 'status', status: response.statusCode ?? 0 });
      });
      response.resume();
    });
  });
}
