import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../src/domain/failure.ts';
import { ensurePython } from '../../tools/python.mjs';

export interface MotoProcess {
  readonly port: number;
  stop(): Promise<void>;
}

const SERVER = fileURLToPath(new URL('serve.py', import.meta.url));

/** Starts moto on a free port. It ends when `stop` closes its input, and also when this process dies. */
export async function startMoto(
  say: (line: string) => void,
  ended: () => void = () => undefined,
): Promise<MotoProcess> {
  const { python, env } = await ensurePython({ say });
  const child = spawn(python, [SERVER], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const gone = once(child, 'close').then(ended);
  // A write after its end must not bring this process down.
  child.stdin.on('error', () => undefined);
  let printed = '';
  child.stderr.on('data', (piece: Buffer) => (printed = (printed + piece.toString('utf8')).slice(-4_000)));
  for await (const line of createInterface(child.stdout)) {
    const { port } = JSON.parse(line) as { port: number };
    child.stdout.resume();
    return {
      port,
      async stop() {
        child.stdin.end();
        await gone;
      },
    };
  }
  throw new Failure({
    what: 'Could not start moto',
    why: printed.trim().split('\n').slice(-3).join(' ') || 'it printed nothing',
  });
}
