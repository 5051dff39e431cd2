// A process that keeps one cluster for whoever holds a connection to its socket: `node keeper.ts SOCKET IDLE_MS`. It tells
// each of them the facts in one line of JSON, and ends with everything that it started when nobody has been there for
// IDLE_MS: a user that dies, however it dies, closes its connection.
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { ensureControlPlane } from '../../tools/control-plane.mjs';
import { messageOf } from '../../src/domain/failure.ts';
import { startControlPlane } from './control-plane.ts';
import { startLoadBalancers } from './load-balancers.ts';
import { startNodes } from './node/nodes.ts';

/** What the keeper says of its cluster, or why there is none. */
export type KeeperSays =
  | {
      readonly kind: 'cluster';
      readonly url: string;
      readonly authority: { readonly cert: string; readonly key: string };
      readonly adminToken: string;
      readonly eksSeed: string;
      readonly startedIn: number;
    }
  | { readonly kind: 'problem'; readonly message: string };

/** The first user may be slow to come. */
const FIRST_USER_MS = 30_000;

async function cluster(): Promise<{ readonly says: KeeperSays; stop(): Promise<void> }> {
  try {
    const began = performance.now();
    const plane = await startControlPlane(ensureControlPlane());
    const nodes = await startNodes(plane.api, plane.authority);
    const stopping = new AbortController();
    const balancers = startLoadBalancers(plane.api, stopping.signal);
    const { url, adminToken, eksSeed, authority } = plane;
    return {
      says: {
        kind: 'cluster',
        url,
        adminToken,
        eksSeed,
        authority: { cert: authority.cert, key: authority.key },
        startedIn: Math.round(performance.now() - began),
      },
      async stop() {
        stopping.abort();
        await Promise.all([nodes.stop(), balancers]);
        await plane.stop();
      },
    };
  } catch (problem) {
    return { says: { kind: 'problem', message: messageOf(problem) }, stop: async () => undefined };
  }
}

async function keep(path: string, idle: number): Promise<void> {
  const users = new Set<Socket>();
  let waiting: NodeJS.Timeout | undefined;
  const starting = cluster();
  const finish = async (): Promise<void> => {
    server.close();
    rmSync(path, { force: true });
    await (await starting).stop();
    process.exit(0);
  };
  const waitFor = (length: number): void => {
    clearTimeout(waiting);
    waiting = setTimeout(() => void finish(), length);
  };
  const server = createServer((user) => {
    clearTimeout(waiting);
    users.add(user);
    user.on('error', () => undefined);
    user.on('close', () => {
      users.delete(user);
      if (users.size === 0) waitFor(idle);
    });
    user.resume();
    void starting.then(({ says }) => user.write(`${JSON.stringify(says)}\n`));
  });
  // Another keeper was quicker: its users are welcome there.
  server.on('error', () => process.exit(3));
  server.listen(path, () => waitFor(FIRST_USER_MS));
  // A Ctrl-C at the terminal reaches every process of it; the users' connections say when it is over.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('SIGTERM', () => void finish());
}

const [path, idle] = process.argv.slice(2);
if (path === undefined || idle === undefined) throw new Error('usage: keeper.ts SOCKET IDLE_MS');
await keep(path, Number(idle));
