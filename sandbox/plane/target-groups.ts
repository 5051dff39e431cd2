import { Pool } from 'undici';
import { type Recorder, recorder } from './recorder.ts';
import type { Address, Target } from './types.ts';

/** A target that was chosen for a request, with the kept connections to it. */
export interface Chosen {
  readonly address: Address;
  readonly connections: Pool;
}

export interface TargetGroups {
  set(arn: string, targets: readonly Target[]): void;
  /** The next target in turn; undefined: nothing is registered that may get a new request. */
  next(arn: string): Chosen | undefined;
  counts(arn: string): Recorder;
  close(): Promise<void>;
}

interface Group {
  targets: readonly Target[];
  /** Who gets requests now. */
  eligible: readonly Address[];
  turn: number;
  readonly counts: Recorder;
}

interface Settings {
  readonly now: () => number;
  /** Milliseconds without a byte from the target. */
  readonly idleTimeout: number;
}

export function targetGroups({ now, idleTimeout }: Settings): TargetGroups {
  const groups = new Map<string, Group>();
  const pools = new Map<string, Pool>();

  function group(arn: string): Group {
    const known = groups.get(arn);
    if (known !== undefined) return known;
    const fresh: Group = { targets: [], eligible: [], turn: 0, counts: recorder(now) };
    groups.set(arn, fresh);
    return fresh;
  }

  function connectionsTo(address: Address): Pool {
    const origin = originOf(address);
    const known = pools.get(origin);
    if (known !== undefined) return known;
    const fresh = new Pool(origin, {
      connections: null,
      pipelining: 1,
      headersTimeout: idleTimeout,
      bodyTimeout: idleTimeout,
    });
    pools.set(origin, fresh);
    return fresh;
  }

  /** Connections to what no group names any more: open requests go on, then they are closed. */
  function letGo(): void {
    const named = new Set(
      [...groups.values()].flatMap(({ targets }) => targets.map(({ address }) => originOf(address))),
    );
    for (const [origin, pool] of pools) {
      if (named.has(origin)) continue;
      pools.delete(origin);
      pool.close().catch(() => undefined);
    }
  }

  return {
    set(arn, targets) {
      const changed = group(arn);
      changed.targets = targets;
      changed.eligible = eligibleOf(targets);
      letGo();
    },
    next(arn) {
      const asked = group(arn);
      const address = asked.eligible[asked.turn % asked.eligible.length];
      if (address === undefined) return undefined;
      asked.turn += 1;
      return { address, connections: connectionsTo(address) };
    },
    counts: (arn) => group(arn).counts,
    async close() {
      const open = [...pools.values()];
      pools.clear();
      await Promise.all(open.map((pool) => pool.destroy()));
    },
  };
}

const originOf = ({ host, port }: Address): string => `http://${host}:${port}`;

/** Healthy targets; when there is none, an ALB fails open: everything registered that is not on its way out. */
function eligibleOf(targets: readonly Target[]): readonly Address[] {
  const healthy = targets.filter(({ state }) => state === 'healthy');
  const staying = targets.filter(({ state }) => state !== 'draining' && state !== 'unhealthy.draining');
  return (healthy.length > 0 ? healthy : staying).map(({ address }) => address);
}
