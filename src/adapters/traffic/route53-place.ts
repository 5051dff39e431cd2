import {
  type HostedZone,
  type ListResourceRecordSetsCommandOutput,
  type ResourceRecordSet,
  type Route53Client,
  GetHostedZoneCommand,
  ListHostedZonesByNameCommand,
  ListResourceRecordSetsCommand,
} from '@aws-sdk/client-route-53';
import { Failure } from '../../domain/failure.ts';
import type { Color } from '../../domain/traffic-split.ts';
import { callAws } from '../aws/errors.ts';

/** Where the traffic is decided, as a user names it. */
export interface Route53Target {
  /** Name or id of the hosted zone. */
  readonly zone: string;
  readonly record: string;
  /** Set identifiers of the weighted records. */
  readonly colors: Readonly<Record<Color, string>>;
  /** Names or ARNs of target groups, where the records do not lead to load balancers of this account. */
  readonly targets: Readonly<Record<Color, string>> | undefined;
  /** URL with `{color}` that tells whether a color serves, where nothing of AWS does. */
  readonly health?: string | undefined;
}

/** The same place by id, found once at the start. */
export interface Route53Place {
  /** `Route 53 record shop.example.com` */
  readonly name: string;
  readonly zoneId: string;
  /** With its dot: `shop.example.com.` */
  readonly record: string;
  readonly colors: Readonly<Record<Color, string>>;
}

export async function findRoute53Place(
  client: Route53Client,
  { zone, record, colors }: Route53Target,
  signal: AbortSignal,
): Promise<Route53Place> {
  const found = isZoneId(zone) ? await zoneById(client, zone, signal) : await zoneByName(client, zone, signal);
  const full = dotted(record);
  const zoneName = dotted(found.Name ?? '');
  if (full !== zoneName && !full.endsWith(`.${zoneName}`)) {
    throw new Failure({
      what: `Could not find the records of ${record}`,
      why: `the name lies outside the hosted zone ${zoneName.slice(0, -1)}`,
      now: 'Nothing was touched',
      next: 'Correct router.route53.zone or router.route53.record',
    });
  }
  return { name: `Route 53 record ${full.slice(0, -1)}`, zoneId: bareId(found.Id ?? ''), record: full, colors };
}

/** Ids are capitals and digits without a dot; names of zones that users ask have one. */
const isZoneId = (zone: string): boolean => /^(\/hostedzone\/)?[A-Z0-9]{10,32}$/.test(zone);
const bareId = (id: string): string => id.replace('/hostedzone/', '');

/** As Route 53 keeps names: lower case, with a dot at the end, a wildcard as an octal code. */
export const dotted = (name: string): string => `${name.toLowerCase().replace(/\.$/, '').replace(/^\*/, '\\052')}.`;

async function zoneById(client: Route53Client, id: string, signal: AbortSignal): Promise<HostedZone> {
  const facts = {
    action: 'route53:GetHostedZone',
    what: `Could not find hosted zone ${id}`,
    next: 'Correct router.route53.zone',
  };
  const answer = await callAws(facts, signal, () =>
    client.send(new GetHostedZoneCommand({ Id: bareId(id) }), { abortSignal: signal }),
  );
  return answer.HostedZone ?? { Id: id, Name: undefined, CallerReference: undefined };
}

async function zoneByName(client: Route53Client, name: string, signal: AbortSignal): Promise<HostedZone> {
  const what = `Could not find hosted zone ${name}`;
  const answer = await callAws({ action: 'route53:ListHostedZonesByName', what }, signal, () =>
    client.send(new ListHostedZonesByNameCommand({ DNSName: dotted(name) }), { abortSignal: signal }),
  );
  // The list begins at the name and goes on with whatever follows it.
  const zones = (answer.HostedZones ?? []).filter(({ Name }) => dotted(Name ?? '') === dotted(name));
  const [only] = zones;
  if (only !== undefined && zones.length === 1) return only;
  const shown = zones.map(({ Id, Config }) => `${bareId(Id ?? '')} (${Config?.PrivateZone ? 'private' : 'public'})`);
  throw new Failure({
    what,
    why: zones.length === 0 ? 'there is none of this name' : `several have this name: ${shown.join(', ')}`,
    now: 'Nothing was touched',
    next:
      zones.length === 0
        ? 'Correct router.route53.zone'
        : 'Set router.route53.zone to the id of the one that users ask',
  });
}

type Start = Pick<ResourceRecordSet, 'Name' | 'Type' | 'SetIdentifier'>;

/** All records of one name, whatever their type. */
export async function recordsOf(
  client: Route53Client,
  { zoneId, name }: { readonly zoneId: string; readonly name: string },
  signal: AbortSignal,
): Promise<readonly ResourceRecordSet[]> {
  const facts = {
    action: 'route53:ListResourceRecordSets',
    what: `Could not read the records of ${name.replace(/\.$/, '')}`,
  };
  const found: ResourceRecordSet[] = [];
  let from: Start | undefined = { Name: name, Type: undefined, SetIdentifier: undefined };
  while (from !== undefined) {
    const start: Start = from;
    const page: ListResourceRecordSetsCommandOutput = await callAws(facts, signal, () =>
      client.send(
        new ListResourceRecordSetsCommand({
          HostedZoneId: zoneId,
          StartRecordName: start.Name,
          ...(start.Type === undefined ? {} : { StartRecordType: start.Type }),
          ...(start.SetIdentifier === undefined ? {} : { StartRecordIdentifier: start.SetIdentifier }),
        }),
        { abortSignal: signal },
      ),
    );
    const records = page.ResourceRecordSets ?? [];
    found.push(...records.filter(({ Name }) => dotted(Name ?? '') === name));
    const goesOn = page.IsTruncated === true && dotted(page.NextRecordName ?? '') === name;
    from = goesOn
      ? { Name: page.NextRecordName, Type: page.NextRecordType, SetIdentifier: page.NextRecordIdentifier }
      : undefined;
  }
  return found;
}
