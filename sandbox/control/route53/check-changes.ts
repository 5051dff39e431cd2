import { Refused } from '../refused.ts';
import { objectOf, objectsOf, textOf, type TreeObject } from '../wire/tree.ts';
import { type RecordSet, recordSetOf, sameKey, sameValues } from './records.ts';

export interface ZoneFacts {
  /** With its dot. */
  readonly name: string;
  readonly records: readonly RecordSet[];
  /** Whether a load balancer of this account has the name. */
  knowsLoadBalancer(dnsName: string): boolean;
}

const MOST_CHANGES = 1_000;
const ACTIONS = new Set(['CREATE', 'DELETE', 'UPSERT']);

/**
 * The records after a batch, or the refusal of all of it. moto lets much through that the service refuses (weights beyond
 * 255, a DELETE with other values, simple records beside weighted ones, groups of unequal TTL). Sentences as public reports
 * quote them where there are any.
 */
export function changed(zone: ZoneFacts, batch: TreeObject): readonly RecordSet[] {
  const changes = objectsOf(batch['Changes']);
  if (changes.length === 0) throw invalidInput("Value '[]' at 'changeBatch.changes' failed to satisfy constraint: Member must have length greater than or equal to 1");
  if (changes.length > MOST_CHANGES) throw new Refused('InvalidChangeBatch', `[Number of records limit of ${MOST_CHANGES} exceeded.]`);
  let records = zone.records;
  const messages: string[] = [];
  changes.forEach((change, index) => {
    const action = textOf(change['Action']) ?? '';
    const given = objectOf(change['ResourceRecordSet']);
    const record = recordSetOf(given);
    if (!ACTIONS.has(action)) throw invalidInput(`Value '${action}' at 'changeBatch.changes.${index + 1}.member.action' failed to satisfy constraint: Member must satisfy enum value set: [CREATE, DELETE, UPSERT]`);
    checkShape(record, { action, index });
    const wrong = wrongIn(record, action, { ...zone, records });
    if (wrong !== undefined) messages.push(wrong);
    else records = applied(records, record, action);
  });
  messages.push(...wrongTogether(zone, records));
  if (messages.length > 0) throw new Refused('InvalidChangeBatch', `[${[...new Set(messages)].join(', ')}]`);
  return records;
} // prettier-ignore

const invalidInput = (said: string): Refused => new Refused('InvalidInput', `1 validation error detected: ${said}`);

function checkShape(record: RecordSet, at: { readonly action: string; readonly index: number }): void {
  const { weight, ttl, alias, values, setIdentifier, policy } = record;
  const where = `changeBatch.changes.${at.index + 1}.member.resourceRecordSet`;
  if (weight !== undefined && !(weight >= 0 && weight <= 255 && Number.isInteger(weight))) {
    throw invalidInput(`Value '${weight}' at '${where}.weight' failed to satisfy constraint: Member must have value ${weight < 0 ? 'greater than or equal to 0' : 'less than or equal to 255'}`);
  }
  const said = `Change with [Action=${at.action}, Name=${record.name}, Type=${record.type}, SetIdentifier=${setIdentifier ?? 'null'}]`;
  const isPlain = ttl !== undefined && values.length > 0;
  if (isPlain === (alias !== undefined)) {
    throw new Refused('InvalidInput', `Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found ${isPlain ? 'more than one' : 'none'} in ${said}`);
  }
  const routed = [weight === undefined ? undefined : 'Weight', policy].filter((each) => each !== undefined);
  if (routed.length > 1 || (routed.length === 1) !== (setIdentifier !== undefined)) {
    throw new Refused('InvalidInput', `Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, GeoProximityLocation, CidrRoutingConfig, or MultiValueAnswer], but found ${routed.length === 0 ? 'none' : routed.join(' and ')} in ${said}`);
  }
} // prettier-ignore

const named = ({ name, type, setIdentifier }: RecordSet): string =>
  `[name='${name}', type='${type}'${setIdentifier === undefined ? '' : `, set identifier='${setIdentifier}'`}]`;

function wrongIn(record: RecordSet, action: string, zone: ZoneFacts): string | undefined {
  if (record.name !== zone.name && !record.name.endsWith(`.${zone.name}`))
    return `RRSet with DNS name ${record.name} is not permitted in zone ${zone.name}`;
  const standing = zone.records.find((each) => sameKey(each, record));
  if (action === 'CREATE' && standing !== undefined)
    return `Tried to create resource record set ${named(record)} but it already exists`;
  if (action === 'DELETE' && standing === undefined)
    return `Tried to delete resource record set ${named(record)} but it was not found`;
  if (action === 'DELETE' && standing !== undefined && !sameValues(standing, record))
    return `Tried to delete resource record set ${named(record)} but the values provided do not match the current values`;
  const { alias } = record;
  const isElb = alias !== undefined && /\.elb\.amazonaws\.com\.$/.test(alias.dnsName);
  if (action !== 'DELETE' && isElb && !zone.knowsLoadBalancer(alias.dnsName))
    return `Tried to create an alias that targets ${alias.dnsName}, type ${record.type} in zone ${alias.zoneId}, but that target was not found`;
  return undefined;
}

function applied(records: readonly RecordSet[], record: RecordSet, action: string): readonly RecordSet[] {
  const others = records.filter((each) => !sameKey(each, record));
  return action === 'DELETE' ? others : [...others, record];
}

/** What records of one name must agree in, looked at when the whole batch is in. */
function wrongTogether({ name: zone }: ZoneFacts, records: readonly RecordSet[]): readonly string[] {
  const groups = Map.groupBy(records, ({ name, type }) => `${name} ${type}`);
  return [...groups.values()].flatMap((group) => {
    const [{ name, type } = { name: '', type: '' }] = group;
    const kinds = new Set(group.map(({ weight, policy, setIdentifier }) => policy ?? (weight !== undefined ? 'Weight' : (setIdentifier ?? 'simple'))));
    if (kinds.size > 1) return [`RRSet with DNS name ${name}, type ${type} cannot be created as RRSets of another routing policy exist with the same name and type`];
    const lives = new Set(group.filter(({ alias }) => alias === undefined).map(({ ttl }) => ttl));
    if (lives.size > 1) return [`All RRSets with DNS name ${name}, type ${type} must have the same TTL`];
    const beside = records.filter((each) => each.name === name && each.type !== type);
    if (type === 'CNAME' && beside.length > 0) return [`RRSet of type CNAME with DNS name ${name} is not permitted as it conflicts with other records with the same DNS name in zone ${zone}`];
    return type === 'CNAME' && name === zone ? [`RRSet of type CNAME with DNS name ${name} is not permitted at apex in zone ${zone}`] : [];
  });
} // prettier-ignore
