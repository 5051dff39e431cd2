import type { Event } from '../core/types.ts';
import { checkHealth } from '../plane/check-health.ts';
import type { LoggingTaskRunner, MeasuredLoadBalancers } from '../plane/types.ts';
import { applicationAutoScaling } from './autoscaling.ts';
import type { SandboxClock } from './clock.ts';
import type { Services } from './dispatch.ts';
import { type Elb, elasticLoadBalancing } from './elbv2/handle.ts';
import { fargateAccount } from './fargate.ts';
import { carryingOut, type Hands } from './hands.ts';
import type { ImageStore } from './images.ts';
import type { Account, Moto } from './moto.ts';
import { openRegion, type Region } from './region.ts';
import { type Route53, route53 } from './route53/handle.ts';
import type { Sessions } from './sessions.ts';
import { loadBalancerNamed } from './elbv2/model.ts';
import { taskDefinitions } from './task-definitions.ts';

export interface RegionsOptions {
  readonly moto: Moto;
  readonly account: string;
  /** Of the fixture: what own calls to moto are made with. */
  readonly accessKey: string;
  readonly seed: string;
  readonly clock: SandboxClock;
  readonly sessions: Sessions;
  readonly runner: LoggingTaskRunner;
  readonly balancers: MeasuredLoadBalancers;
  readonly images: ImageStore;
  /** Milliseconds until a change of Route 53 is everywhere. */
  readonly syncWithin: number;
  readonly log: (line: string) => void;
}

/** The regions of one account; each comes into being with the first call for it. */
export interface Regions {
  of(name: string): Services;
  all(): readonly Region[];
  readonly route53: Route53;
  /** The first thing that any of them knows. */
  find<T>(look: (services: Services) => T | undefined): T | undefined;
}

export function openRegions(options: RegionsOptions): Regions {
  const regions = new Map<string, Services>();
  const dns = route53({
    moto: options.moto,
    now: options.clock.now,
    syncWithin: options.syncWithin,
    knowsLoadBalancer: (dnsName) =>
      [...regions.values()].some(({ elb }) => loadBalancerNamed(elb.model(), dnsName) !== undefined),
  });

  function open(name: string): Services {
    const { moto, account, clock, seed, runner, balancers, images, sessions, log } = options;
    const at: Account = { accessKey: options.accessKey, region: name };
    // The region needs its hands and the hands tell the region, which is there by the time they have something to tell.
    const tell = (event: Event): void => void region.apply(event);
    const shift: Hands['shift'] = (ruleArn, weights) => elb.shift(ruleArn, weights);
    const carryOut = carryingOut({ runner, balancers, checkHealth, images, region: name, shift, tell });
    const region = openRegion({ world: { account, region: name, seed }, clock, carryOut, log });
    const { state, apply } = region;
    const elb: Elb = elasticLoadBalancing({ moto, account: at, balancers, state, apply });
    return {
      region,
      elb,
      balancers,
      route53: dns,
      fargate: fargateAccount(state, clock.now),
      autoscaling: applicationAutoScaling({ state, now: clock.now }),
      taskDefinitions: taskDefinitions(moto, at, clock.now),
      moto,
      sessions,
      now: clock.now,
      taskLogs: runner.logs,
    };
  }

  return {
    of(name) {
      const known = regions.get(name) ?? open(name);
      regions.set(name, known);
      return known;
    },
    route53: dns,
    all: () => [...regions.values()].map(({ region }) => region),
    find(look) {
      for (const services of regions.values()) {
        const found = look(services);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}
