import { type SandboxClock, lockStepClock, realClock } from './control/clock.ts';
import { openFront, type Served } from './control/front.ts';
import { type Moto, motoClient } from './control/moto.ts';
import { type OpenWorld, openWorld, type World, type WorldOptions } from './control/world.ts';
import { borrowMoto } from './moto/lend.ts';
import { startMoto } from './moto/process.ts';

export type { World, WorldOptions } from './control/world.ts';
export type { CallEntry, CallResult } from './control/call-log.ts';
export type { Armed, Fault, Kill } from './control/faults.ts';

export interface CloudOptions {
  /** `lock-step`: time stands still until a request's `x-amz-date` (or `x-sluice-now`) or `advance` moves it. */
  readonly clock: 'real' | 'lock-step';
  readonly log?: (line: string) => void;
}

/** One moto and one HTTP front on a free port of 127.0.0.1, shared by worlds that do not see each other. */
export interface Cloud {
  readonly url: string;
  createWorld(options?: WorldOptions): Promise<World>;
  stop(): Promise<void>;
}

export async function startCloud({ clock, log = () => undefined }: CloudOptions): Promise<Cloud> {
  const lender = process.env[LENT_AT];
  const started = lender === undefined ? { ...(await startMoto(log)), place: 0 } : await borrowMoto(lender);
  const moto = motoClient(started.port);
  const worlds = new Map<string, OpenWorld>();
  const front = await openFront(() => [...worlds.values()].map(({ served }): Served => served), log);
  let created = 0;

  return {
    url: front.url,
    async createWorld(options = {}) {
      created += 1;
      const account = options.account ?? String(FIRST_ACCOUNT + started.place * MOST_WORLDS + created);
      if ([...worlds.values()].some(({ served }) => served.account === account)) {
        throw new Error(`there is a world with account ${account} already`);
      }
      const name = `w${created}`;
      const world = await openWorld({
        ...options,
        account,
        name,
        front: front.url,
        moto,
        clock: clockOf(clock, options),
        log,
      });
      worlds.set(name, world);
      return { ...world.world, close: async () => void (worlds.delete(name), await world.world.close()) };
    },
    async stop() {
      await Promise.all([...worlds.values()].map(({ world }) => world.close()));
      worlds.clear();
      await front.close();
      closeMoto(moto);
      await started.stop();
    },
  };
}

/** Where a lent moto is asked for (moto/lend.ts). */
export const LENT_AT = 'SLUICE_SANDBOX_MOTO';
const FIRST_ACCOUNT = 100_000_000_000;
const MOST_WORLDS = 10_000;

const closeMoto = (moto: Moto): void => moto.close();

const clockOf = (kind: CloudOptions['clock'], { start }: WorldOptions): SandboxClock =>
  kind === 'real' ? realClock : lockStepClock(start ?? Math.floor(Date.now() / 1_000) * 1_000);
