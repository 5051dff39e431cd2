import {
  type TargetGroup,
  type TargetHealthDescription,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  TargetTypeEnum,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { type ResourceRecordSet, type Route53Client, GetHealthCheckStatusCommand } from '@aws-sdk/client-route-53';
import { seconds } from '../../domain/duration.ts';
import type { TaskPlace } from '../../domain/ecs/service.ts';
import { Failure } from '../../domain/failure.ts';
import { CloudFailure } from '../../domain/retry-policy.ts';
import { UNKNOWN_GROUPS } from '../../domain/shift/groups.ts';
import { type Color, COLORS } from '../../domain/traffic-split.ts';
import type { TargetHealth } from '../../domain/shift/live-color.ts';
import type { Meter } from '../../ports/meter.ts';
import type { Prober } from '../../ports/prober.ts';
import type { TargetGroups } from '../../ports/target-group.ts';
import type { ClientConfig } from '../aws/client-config.ts';
import { callAws } from '../aws/errors.ts';
import { healthOf, uncheckedNotices } from './alb-targets.ts';
import type { WeightedRecords } from './route53-records.ts';
import type { Route53Place, Route53Target } from './route53-place.ts';

/** What tells whether the end point of one color serves. */
type Source =
  | {
      readonly kind: 'target-groups';
      readonly name: string;
      readonly region: string;
      /** undefined where the user names a target group. */
      readonly loadBalancer: string | undefined;
      readonly arns: readonly string[];
      /** Those of them whose targets can be tasks. */
      readonly ofTasks: readonly string[];
      readonly notices: readonly string[];
    }
  | { readonly kind: 'asked'; readonly name: string; readonly health: (signal: AbortSignal) => Promise<TargetHealth> }
  /** What would tell could not be read. */
  | { readonly kind: 'unreadable'; readonly name: string; readonly failure: CloudFailure };

export interface TargetsTools {
  readonly config: ClientConfig;
  readonly route53: Route53Client;
  readonly prober: Prober;
}

export interface FoundTargets {
  readonly targets: TargetGroups;
  readonly meterOf: (color: Color) => Meter;
  /** What a person should know before anything is changed. */
  readonly notices: readonly string[];
}

/**
 * Health of what the records lead to: the targets of the load balancer behind an alias or a CNAME, wherever its region is;
 * or target groups that the user names; or the health check of the record; or a URL that the user names. A color of which
 * nothing tells is refused, because traffic would be sent into the dark; the one that is `left` may be unreadable.
 */
export async function route53Targets(
  target: Route53Target,
  {
    left,
    ...found
  }: { readonly place: Route53Place; readonly records: WeightedRecords; readonly left: Color | undefined },
  tools: TargetsTools,
  signal: AbortSignal,
): Promise<FoundTargets> {
  const clients = new Map<string, ElasticLoadBalancingV2Client>();
  const elb: ElbOf = (region) => {
    const client = clients.get(region) ?? new ElasticLoadBalancingV2Client({ ...tools.config, region });
    clients.set(region, client);
    return client;
  };
  const sources = { blue: undefined, green: undefined } as Record<Color, Source | undefined>;
  for (const color of COLORS) {
    const finding = sourceOf(color, { target, ...found, tools, elb }, signal);
    sources[color] = await (color === left ? finding.catch(unreadable) : finding);
  }
  const of = (color: Color): Source => sources[color] as Source;
  const targets: TargetGroups = {
    nameOf: (color) => of(color).name,
    groupsOf(color) {
      const source = of(color);
      return source.kind === 'target-groups' ? source.arns : [];
    },
    async health(color, inner, own) {
      const source = of(color);
      switch (source.kind) {
        case 'asked':
          return { ...(await source.health(inner)), counts: 'end-points' };
        case 'unreadable':
          throw source.failure;
        case 'target-groups': {
          const isOfTasks = source.ofTasks.length > 0;
          const found = await healthOfGroups(
            elb(source.region),
            { ...source, own: isOfTasks ? own : undefined },
            inner,
          );
          return isOfTasks ? found : { ...found, counts: 'end-points' };
        }
      }
    },
    async standing(color, places, inner) {
      const source = of(color);
      if (source.kind === 'unreadable') throw source.failure;
      if (source.kind !== 'target-groups') return [];
      const { region, ofTasks } = source;
      const inEach = ofTasks.map(async (group) => {
        const { total } = await healthOfGroups(elb(region), { ...source, arns: [group], own: places }, inner);
        return { group, tasks: total };
      });
      return Promise.all(inEach);
    },
  };
  const notices = COLORS.map(of).flatMap((source) => (source.kind === 'target-groups' ? source.notices : []));
  return { targets, meterOf: (color) => meterOf(of(color)), notices };
}

function unreadable(thrown: unknown): Source {
  if (!(thrown instanceof CloudFailure)) throw thrown;
  return { kind: 'unreadable', name: UNKNOWN_GROUPS, failure: thrown };
}

const tail = (arn: string): string => arn.replace(/^.*:(loadbalancer\/)?/, '');

function meterOf(source: Source): Meter {
  if (source.kind !== 'target-groups') return { kind: 'none' };
  const { arns, region, loadBalancer } = source;
  const [only] = arns;
  if (loadBalancer === undefined) return only === undefined ? { kind: 'none' } : { kind: 'target-group', name: only };
  const targetGroup = arns.length === 1 && only !== undefined ? tail(only) : undefined;
  return { kind: 'load-balancer', region, loadBalancer: tail(loadBalancer), targetGroup };
}

type ElbOf = (region: string) => ElasticLoadBalancingV2Client;

interface Finding {
  readonly target: Route53Target;
  readonly place: Route53Place;
  readonly records: WeightedRecords;
  readonly tools: TargetsTools;
  readonly elb: ElbOf;
}

async function sourceOf(color: Color, finding: Finding, signal: AbortSignal): Promise<Source> {
  const { target, place, records, tools, elb } = finding;
  const named = target.targets?.[color];
  if (named !== undefined) return namedGroup(elb(tools.config.region), { named, color, region: tools.config.region }, signal);
  const [first] = records;
  const record = first?.records[color] as ResourceRecordSet;
  const address = addressOf(record);
  const region = /\.([a-z]{2}[a-z0-9-]*-\d)\.elb\.amazonaws\.com(\.cn)?$/.exec(address)?.[1];
  const behind = region === undefined ? undefined : await groupsBehind(elb(region), { address, region }, signal);
  if (behind !== undefined) return behind;
  // What a person names wins over what is there.
  if (target.health !== undefined) return healthOfUrl(target.health.replaceAll('{color}', color), tools.prober);
  if (record.HealthCheckId !== undefined) return healthOfCheck(record.HealthCheckId, tools.route53);
  throw new Failure({
    what: `${place.name} cannot carry a shift`,
    why: `nothing tells whether ${color} (${target.colors[color]}, to ${address === '' ? 'an IP address' : address}) serves: it leads to no load balancer of this account, its record has no health check, and no URL was named`,
    now: 'Nothing was touched',
    next: 'Give the record a health check, or name target groups in router.route53.targets or a URL in router.route53.health',
  });
} // prettier-ignore

/** `dualstack.shop-blue-123.us-west-2.elb.amazonaws.com.` -> without dot and prefix; empty for a plain address record. */
export function addressOf(record: ResourceRecordSet): string {
  const name = record.AliasTarget?.DNSName ?? (record.Type === 'CNAME' ? record.ResourceRecords?.[0]?.Value : undefined);
  return (name ?? '').toLowerCase().replace(/\.$/, '').replace(/^dualstack\./, '');
} // prettier-ignore

async function namedGroup(
  client: ElasticLoadBalancingV2Client,
  { named, color, region }: { readonly named: string; readonly color: Color; readonly region: string },
  signal: AbortSignal,
): Promise<Source> {
  const what = `Could not find target group ${named} of color ${color}`;
  const next = `Correct router.route53.targets.${color}`;
  const by = named.startsWith('arn:') ? { TargetGroupArns: [named] } : { Names: [named] };
  const answer = await callAws({ action: 'elasticloadbalancing:DescribeTargetGroups', what, next }, signal, () =>
    client.send(new DescribeTargetGroupsCommand(by), { abortSignal: signal }),
  );
  const found = answer.TargetGroups ?? [];
  const arn = found[0]?.TargetGroupArn;
  if (arn === undefined) throw new Failure({ what, why: 'there is none of this name', next });
  return {
    kind: 'target-groups',
    name: named,
    region,
    loadBalancer: undefined,
    arns: [arn],
    ofTasks: groupsOfTasks(found),
    notices: uncheckedNotices(found),
  };
}

/** A network load balancer in front of an application one has that one as its target, which says nothing of tasks. */
export const groupsOfTasks = (
  groups: readonly Pick<TargetGroup, 'TargetGroupArn' | 'TargetType'>[],
): readonly string[] =>
  groups.flatMap(({ TargetGroupArn = '', TargetType }) =>
    TargetType === TargetTypeEnum.ALB || TargetType === TargetTypeEnum.LAMBDA ? [] : [TargetGroupArn],
  );

/** undefined: no load balancer of this account has the address. */
async function groupsBehind(
  client: ElasticLoadBalancingV2Client,
  { address, region }: { readonly address: string; readonly region: string },
  signal: AbortSignal,
): Promise<Source | undefined> {
  const what = `Could not find the load balancer ${address}`;
  let marker: string | undefined;
  do {
    const page = await callAws({ action: 'elasticloadbalancing:DescribeLoadBalancers', what }, signal, () =>
      client.send(new DescribeLoadBalancersCommand(marker ? { Marker: marker } : {}), { abortSignal: signal }),
    );
    const found = page.LoadBalancers?.find(({ DNSName }) => DNSName?.toLowerCase() === address);
    if (found !== undefined) {
      const { LoadBalancerArn: LoadBalancerArn = '', LoadBalancerName: name = address } = found;
      const groups = await callAws({ action: 'elasticloadbalancing:DescribeTargetGroups', what }, signal, () =>
        client.send(new DescribeTargetGroupsCommand({ LoadBalancerArn }), { abortSignal: signal }),
      );
      const all = groups.TargetGroups ?? [];
      const arns = all.map(({ TargetGroupArn = '' }) => TargetGroupArn);
      const described = { arns, ofTasks: groupsOfTasks(all), notices: uncheckedNotices(all) };
      return { kind: 'target-groups', name, region, loadBalancer: LoadBalancerArn, ...described };
    }
    marker = page.NextMarker;
  } while (marker);
  return undefined;
}

async function healthOfGroups(
  client: ElasticLoadBalancingV2Client,
  { name, arns, own }: Extract<Source, { kind: 'target-groups' }> & { readonly own: readonly TaskPlace[] | undefined },
  signal: AbortSignal,
): Promise<TargetHealth> {
  const facts = { action: 'elasticloadbalancing:DescribeTargetHealth', what: `Could not read the targets of ${name}` };
  const all: TargetHealthDescription[] = [];
  for (const arn of arns) {
    const answer = await callAws(facts, signal, () =>
      client.send(new DescribeTargetHealthCommand({ TargetGroupArn: arn }), { abortSignal: signal }),
    );
    all.push(...(answer.TargetHealthDescriptions ?? []));
  }
  return healthOf(all, own);
}

/** An end point is healthy for Route 53 when more than 18 % of its checkers say so. */
const ENOUGH = 0.18;

/**
 * The health check of a record, by what its checkers say. One that has none (it is calculated of others, or follows an alarm
 * of CloudWatch) tells nothing here, and its color is refused by name at the first look; a check that had some has them again.
 */
export function healthOfCheck(id: string, client: Pick<Route53Client, 'send'>): Extract<Source, { kind: 'asked' }> {
  const name = `health check ${id}`;
  const what = `Could not read ${name}`;
  const next = 'Name target groups in router.route53.targets or a URL in router.route53.health';
  let told: 'something' | 'nothing' = 'nothing';
  return {
    kind: 'asked',
    name,
    async health(signal) {
      const facts = { action: 'route53:GetHealthCheckStatus', what, next };
      const answer = await callAws(facts, signal, () =>
        client.send(new GetHealthCheckStatusCommand({ HealthCheckId: id }), { abortSignal: signal }),
      );
      const said = (answer.HealthCheckObservations ?? []).map(({ StatusReport }) => StatusReport?.Status ?? 'unknown');
      if (said.length === 0) {
        const why =
          'no checker reports to it: Route 53 tells nothing of a check that is calculated or follows an alarm';
        throw told === 'nothing' ? new Failure({ what, why, next }) : new CloudFailure('transient', { what, why });
      }
      told = 'something';
      const good = said.filter((status) => status.startsWith('Success')).length;
      const bad = said.filter((status) => !status.startsWith('Success'));
      if (good / said.length > ENOUGH) return { healthy: 1, total: 1, reasons: [] };
      const reasons = [`${name}: ${good} of ${said.length} checkers reach it`, ...bad.slice(0, 1)];
      return { healthy: 0, total: 1, reasons };
    },
  };
}

/** So many looks in a row without a good answer: one lost request of many hundred is no end of a color. */
const BAD_LOOKS = 3;
const URL_TIMEOUT = seconds(5);

/** One target behind a URL: healthy from its first answer below 400 on, until three looks in a row have none. */
export function healthOfUrl(url: string, prober: Prober): Extract<Source, { kind: 'asked' }> {
  let bad = BAD_LOOKS;
  return {
    kind: 'asked',
    name: url,
    async health(signal) {
      const request = { method: 'GET', url, headers: {}, timeout: URL_TIMEOUT, bodyLimit: 1_024 };
      const answer = await prober.probe(request, signal);
      const good = answer.kind === 'answered' && answer.status < 400;
      bad = good ? 0 : bad + 1;
      if (bad < BAD_LOOKS) return { healthy: 1, total: 1, reasons: [] };
      const why = answer.kind === 'answered' ? `answers ${answer.status}` : answer.message;
      return { healthy: 0, total: 1, reasons: good ? [] : [`${url}: ${why}`] };
    },
  };
}
