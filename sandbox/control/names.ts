import { targetHealthOf } from '../core/core.ts';
import { seededChance } from '../plane/chance.ts';
import { type Gateway, openGateway } from '../plane/gateway.ts';
import type { Services } from './dispatch.ts';
import { groupsOf, loadBalancerNamed } from './elbv2/model.ts';
import type { Regions } from './regions.ts';
import { resolve } from './route53/resolver.ts';

/** Where a name leads at this moment, as a client's resolver is told. */
export interface NameAnswer {
  /** Where the listener really listens: `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Milliseconds for which a client may keep the answer. */
  readonly life: number;
  readonly loadBalancerArn: string;
  /** Of the weighted record that was drawn; undefined where none was. */
  readonly setIdentifier: string | undefined;
}

export interface Names {
  /** A name of the account's hosted zones, or that of a load balancer. undefined: nothing answers there. */
  resolve(name: string, port?: number): NameAnswer | undefined;
  /** What the checkers of Route 53 say of a health check; healthy until told otherwise. */
  setHealth(healthCheckId: string, health: 'healthy' | 'unhealthy'): void;
  /** A base URL that leads where the name leads, for processes that ask another resolver. */
  gateway(name: string): Promise<string>;
}

export interface NamesOptions {
  readonly regions: Regions;
  readonly seed: string;
  /** Milliseconds that an alias lives. */
  readonly aliasLife: number;
}

export function names({ regions, seed, aliasLife }: NamesOptions): Names & { close(): Promise<void> } {
  const balancer = (dnsName: string) =>
    regions.find((services) => {
      const found = loadBalancerNamed(services.elb.model(), dnsName);
      return found && { services, arn: found.arn };
    });
  const isServing = (dnsName: string): boolean => {
    const found = balancer(dnsName);
    return found !== undefined && serves(found.services, found.arn);
  };
  const { zones, isHealthy, setHealth } = regions.route53;
  const chance = seededChance(`names ${seed}`);
  let gateway: Promise<Gateway> | undefined;

  function lead(name: string, port = 80): NameAnswer | undefined {
    const told = resolve(name, { zones, chance, aliasLife, isServing, isHealthy });
    const found = told && balancer(told.dnsName);
    if (told === undefined || found === undefined) return undefined;
    const { elb } = found.services;
    const listener = elb.model().listeners.find((each) => each.loadBalancerArn === found.arn && each.port === port);
    const url = listener && elb.listenerUrl(listener.arn);
    if (url === undefined) return undefined;
    return { url, life: told.life, loadBalancerArn: found.arn, setIdentifier: told.setIdentifier };
  }

  return {
    resolve: lead,
    setHealth,
    async gateway(name) {
      gateway ??= openGateway({ lead: (asked) => lead(asked)?.url });
      return (await gateway).urlOf(name);
    },
    close: async () => (await gateway)?.close(),
  };
}

function serves({ elb, region }: Services, loadBalancerArn: string): boolean {
  const state = region.state();
  return groupsOf(elb.model(), loadBalancerArn).some((group) =>
    targetHealthOf(state, group).some((target) => target.state === 'healthy'),
  );
}
