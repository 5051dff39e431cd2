import { setTimeout as realSleep } from 'node:timers/promises';
import {
  type Change,
  type ResourceRecordSet,
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { ElasticLoadBalancingV2Client, DescribeLoadBalancersCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { World } from './cloud.ts';

export interface NamesSpec {
  /** `mdreader.example` */
  readonly zone: string;
  /** `app.mdreader.example` */
  readonly record: string;
  /** ARNs of the load balancers of blue and green, each in its region. */
  readonly loadBalancers: Readonly<Record<'blue' | 'green', { readonly arn: string; readonly region?: string }>>;
  /** `alias`: A and AAAA; else a CNAME that lives so many seconds. */
  readonly as: 'alias' | { readonly ttl: number };
  /** Default `blue` and `green`. */
  readonly identifiers?: Readonly<Record<'blue' | 'green', string>>;
}

export interface NamesStack {
  readonly zoneId: string;
  readonly addresses: Readonly<Record<'blue' | 'green', string>>;
}

/** A hosted zone whose weighted records lead to two load balancers, all weight on blue; and a plain name for each color. */
export async function namesStack(world: World, spec: NamesSpec): Promise<NamesStack> {
  const route53 = new Route53Client(world.client());
  try {
    const made = await route53.send(new CreateHostedZoneCommand({ Name: spec.zone, CallerReference: spec.zone }));
    const zoneId = (made.HostedZone?.Id ?? '').replace('/hostedzone/', '');
    const found = { blue: await addressOf(world, spec, 'blue'), green: await addressOf(world, spec, 'green') };
    const records = (['blue', 'green'] as const).flatMap((color) => [
      ...weighted(spec, color, found[color]),
      ...plain(`${color}.${spec.zone}`, found[color]),
    ]);
    const Changes = records.map((ResourceRecordSet): Change => ({ Action: 'CREATE', ResourceRecordSet }));
    await route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch: { Changes } }));
    await published(world, spec.record);
    return { zoneId, addresses: { blue: found.blue.dnsName, green: found.green.dnsName } };
  } finally {
    route53.destroy();
  }
}

/** Waits until name servers answer; in lock-step by moving time. */
async function published(world: World, name: string): Promise<void> {
  while (world.names.resolve(name) === undefined) {
    if (world.clock === 'lock-step') await world.advance(1_000);
    else await realSleep(20);
  }
}

interface Found {
  readonly dnsName: string;
  readonly zoneId: string;
}

async function addressOf(world: World, { loadBalancers }: NamesSpec, color: 'blue' | 'green'): Promise<Found> {
  const { arn, region = world.region } = loadBalancers[color];
  const elb = new ElasticLoadBalancingV2Client(world.client({ region }));
  const described = await elb.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [arn] }));
  elb.destroy();
  const { DNSName: dnsName = '', CanonicalHostedZoneId: zoneId = '' } = described.LoadBalancers?.[0] ?? {};
  return { dnsName, zoneId };
}

function weighted(spec: NamesSpec, color: 'blue' | 'green', found: Found): readonly ResourceRecordSet[] {
  const shared = { Name: spec.record, SetIdentifier: spec.identifiers?.[color] ?? color, Weight: color === 'blue' ? 100 : 0 };
  if (spec.as === 'alias') return aliases(shared, found);
  return [{ ...shared, Type: 'CNAME', TTL: spec.as.ttl, ResourceRecords: [{ Value: found.dnsName }] }];
} // prettier-ignore

const plain = (name: string, found: Found): readonly ResourceRecordSet[] => aliases({ Name: name }, found);

const aliases = (shared: Pick<ResourceRecordSet, 'Name'>, { dnsName, zoneId }: Found): readonly ResourceRecordSet[] =>
  (['A', 'AAAA'] as const).map((Type) => ({
    ...shared,
    Type,
    AliasTarget: { DNSName: `dualstack.${dnsName}`, HostedZoneId: zoneId, EvaluateTargetHealth: true },
  }));
