import { escaped, objectOf, objectsOf, textOf, textsOf, type TreeObject } from '../wire/tree.ts';

/** One resource record set, read as far as the sandbox judges it; `shown` is the element as it was given. */
export interface RecordSet {
  /** Lower case, with its dot, a wildcard as `\052`. */
  readonly name: string;
  readonly type: string;
  readonly setIdentifier: string | undefined;
  readonly weight: number | undefined;
  readonly ttl: number | undefined;
  readonly values: readonly string[];
  readonly alias: AliasTarget | undefined;
  readonly healthCheckId: string | undefined;
  /** Which of the other routing policies the record names. */
  readonly policy: (typeof POLICIES)[number] | undefined;
  readonly shown: TreeObject;
}

export interface AliasTarget {
  readonly zoneId: string;
  readonly dnsName: string;
  readonly evaluateTargetHealth: 'true' | 'false';
}

export const POLICIES = [
  'Region',
  'Failover',
  'GeoLocation',
  'GeoProximityLocation',
  'CidrRoutingConfig',
  'MultiValueAnswer',
] as const;

export const fullName = (name: string): string => `${name.toLowerCase().replace(/\.$/, '').replaceAll('*', '\\052')}.`;

/** `input`: a ResourceRecordSet element. */
export function recordSetOf(input: TreeObject): RecordSet {
  const text = (key: string): string | undefined => textOf(input[key]);
  const number = (key: string): number | undefined => (text(key) === undefined ? undefined : Number(text(key)));
  const alias = input['AliasTarget'] === undefined ? undefined : objectOf(input['AliasTarget']);
  return {
    name: fullName(text('Name') ?? ''),
    type: text('Type') ?? '',
    setIdentifier: text('SetIdentifier'),
    weight: number('Weight'),
    ttl: number('TTL'),
    values: objectsOf(input['ResourceRecords']).map((entry) => textOf(entry['Value']) ?? ''),
    alias: alias && {
      zoneId: textOf(alias['HostedZoneId']) ?? '',
      dnsName: fullName(textOf(alias['DNSName']) ?? ''),
      evaluateTargetHealth: textOf(alias['EvaluateTargetHealth']) === 'true' ? 'true' : 'false',
    },
    healthCheckId: text('HealthCheckId'),
    policy: POLICIES.find((key) => input[key] !== undefined),
    shown: { ...input, Name: fullName(text('Name') ?? '') },
  };
}

/** Names that are lists in this API's XML, and what they hold. */
const LISTS: Readonly<Record<string, string>> = {
  Changes: 'Change',
  ResourceRecords: 'ResourceRecord',
  ResourceRecordSets: 'ResourceRecordSet',
};
export const LIST_MEMBERS: ReadonlySet<string> = new Set(Object.values(LISTS));

/** The XML of a tree: elements in the order of the tree, lists by the names that this API gives their members. */
export function xmlOf(tree: TreeObject): string {
  return Object.entries(tree)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<${name}>${xmlOfValue(name, value)}</${name}>`)
    .join('');
}

function xmlOfValue(name: string, value: TreeObject[string]): string {
  if (typeof value === 'string') return escaped(value);
  if (!Array.isArray(value)) return xmlOf(objectOf(value));
  const member = LISTS[name] ?? 'member';
  const texts = textsOf(value);
  return texts.length > 0
    ? texts.map((text) => `<${member}>${escaped(text)}</${member}>`).join('')
    : objectsOf(value).map((entry) => `<${member}>${xmlOf(entry)}</${member}>`).join('');
} // prettier-ignore

const reversed = (name: string): string => name.split('.').reverse().join('.');

/** As ListResourceRecordSets sorts: labels from the right, then type, then set identifier. */
export function byName(a: Sortable, b: Sortable): number {
  return (
    compare(reversed(a.name), reversed(b.name)) ||
    compare(a.type ?? '', b.type ?? '') ||
    compare(a.setIdentifier ?? '', b.setIdentifier ?? '')
  );
}

type Sortable = {
  readonly name: string;
  readonly type?: string | undefined;
  readonly setIdentifier?: string | undefined;
};
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const sameKey = (a: RecordSet, b: RecordSet): boolean =>
  a.name === b.name && a.type === b.type && a.setIdentifier === b.setIdentifier;

/** Whether two records say the same: a DELETE must give every value as it stands. */
export function sameValues(a: RecordSet, b: RecordSet): boolean {
  const said = (each: RecordSet): string => {
    const { shown: _shown, values, ...rest } = each;
    return JSON.stringify([rest, [...values].sort(), POLICIES.map((key) => each.shown[key])]);
  };
  return said(a) === said(b);
}
