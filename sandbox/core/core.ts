import type { Target } from '../plane/types.ts';
import type { EpochMs, Event, Pace, State, Stepped, World } from './types.ts';

/** Delays of a rehearsal: short, but every state is there to be seen. */
export const REHEARSAL_PACE: Pace = {
  scheduling: 200,
  provisioning: 300,
  registering: 200,
  deprovisioning: 300,
  restart: 1_000,
  restartLimit: 30_000,
};

export function createState(world: World, pace: Pace = REHEARSAL_PACE): State {
  return {
    world,
    counter: 0,
    pace,
    clusters: {},
    services: {},
    revisions: {},
    serviceDeployments: {},
    tasks: {},
    targetGroups: {},
    loadBalancers: {},
    staleReads: 0,
  };
}

/** PURE. The one way in which a state changes: the event, then all that is due at `now`. */
export declare function step(state: State, event: Event, now: EpochMs): Stepped;

/** When something happens by itself next (a tick at that moment makes it happen); undefined: nothing does. */
export declare function nextDue(state: State): EpochMs | undefined;

/** What the load balancers get: targets with a real address, in the order of registration; one that is gone is not in it. */
export declare function targetsOf(state: State, targetGroupArn: string): readonly Target[];

/** What DescribeTargetHealth shows of a group: `TargetHealthDescriptions` by id, or of the asked ones (unused/Target.NotRegistered). */
export declare function targetHealthOf(
  state: State,
  targetGroupArn: string,
  asked?: readonly { readonly ip: string; readonly port?: number }[],
): readonly TargetHealth[];

export interface TargetHealth {
  readonly ip: string;
  readonly port: number;
  readonly state: string;
  readonly reason?: string;
  readonly description?: string;
}
