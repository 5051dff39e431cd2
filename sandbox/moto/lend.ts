import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { MotoProcess } from './process.ts';

/**
 * One moto for many clouds, of whatever process: it takes some four seconds of a processor to start and to load its
 * services, more than most tests that need it take themselves. Worlds do not see each other, as each is an account.
 */
export interface Lender {
  /** Where `borrowMoto` asks. */
  readonly path: string;
  stop(): Promise<void>;
}

export interface Borrowed extends MotoProcess {
  /** Of all that were lent, so that accounts of different clouds differ. */
  readonly place: number;
}

type Answer = { readonly port: number; readonly place: number } | { readonly problem: string };

/** Starts moto when it is asked for first, and anew when it has died since; what fails is told to whoever asks. */
export async function lendMoto(start: (ended: () => void) => Promise<MotoProcess>): Promise<Lender> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-moto-'));
  const path = join(folder, 'socket');
  let moto: Promise<MotoProcess> | undefined;
  let lent = 0;
  const answered = async (): Promise<Answer> => {
    const asked = (moto ??= start(() => (moto = undefined)));
    try {
      const { port } = await asked;
      return { port, place: (lent += 1) };
    } catch (thrown) {
      if (moto === asked) moto = undefined;
      return { problem: thrown instanceof Error ? thrown.message : String(thrown) };
    }
  };
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    void answered().then((answer) => socket.end(JSON.stringify(answer)));
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    path,
    async stop() {
      server.close();
      await (await moto?.catch(() => undefined))?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** It is left running for the next one: `stop` only gives it back. */
export async function borrowMoto(path: string): Promise<Borrowed> {
  const answer = JSON.parse(await text(connect(path))) as Answer;
  if ('problem' in answer) throw new Error(answer.problem);
  return { ...answer, stop: () => Promise.resolve() };
}
