import { randomUUID } from 'node:crypto';
import type { Moto } from '../moto.ts';
import { Refused } from '../refused.ts';
import { type Answer, errorAnswer } from '../wire/answer.ts';
import type { ApiCall } from '../wire/call.ts';
import { objectOf, textOf, type TreeObject, treeOfXml } from '../wire/tree.ts';
import { changed } from './check-changes.ts';
import { LIST_MEMBERS, type RecordSet, byName, fullName, recordSetOf, xmlOf } from './records.ts';
import { type Change, type Zone, type Zones, openZones } from './zones.ts';

export interface Route53Options {
  readonly moto: Moto;
  now(): number;
  /** Milliseconds until a change is everywhere. */
  readonly syncWithin: number;
  knowsLoadBalancer(dnsName: string): boolean;
}

/** Route 53 of one account: moto keeps zones and health checks, the records and their changes are kept and judged here. */
export interface Route53 {
  handle(call: ApiCall): Promise<Answer>;
  readonly zones: Zones;
  /** What checkers say of a health check; healthy until told otherwise. */
  setHealth(healthCheckId: string, health: 'healthy' | 'unhealthy'): void;
  isHealthy(healthCheckId: string): boolean;
}

const SPACE = 'https://route53.amazonaws.com/doc/2013-04-01/';

export function route53(options: Route53Options): Route53 {
  const { moto, now } = options;
  const zones = openZones(options);
  const unhealthy = new Set<string>();

  async function create(call: ApiCall): Promise<Answer> {
    const answer = await moto.forward(call);
    if (answer.error !== undefined) return answer;
    const made = objectOf(objectOf(treeOfXml(answer.body.toString())['CreateHostedZoneResponse'])['HostedZone']);
    const id = bareId(textOf(made['Id']) ?? '');
    const name = fullName(textOf(made['Name']) ?? '');
    zones.add(id, { name, records: firstRecords(name) });
    return answer;
  }

  function change(call: ApiCall): Answer {
    const zone = zoneIn(call, zones);
    const body = objectOf(treeOfXml(call.body.toString('utf8'), LIST_MEMBERS)['ChangeResourceRecordSetsRequest']);
    const facts = { ...zone, knowsLoadBalancer: options.knowsLoadBalancer };
    const made = zones.change(zone, changed(facts, objectOf(body['ChangeBatch'])));
    return xmlAnswer('ChangeResourceRecordSetsResponse', changeInfo(made, now()));
  }

  function changeStatus(call: ApiCall): Answer {
    const id = /\/change\/(?:change\/)?([^/?]+)/.exec(call.url)?.[1] ?? '';
    const found = zones.changeOf(decodeURIComponent(id));
    if (found === undefined) throw new Refused('NoSuchChange', `A change with the specified change ID does not exist: ${id}`, 404);
    return xmlAnswer('GetChangeResponse', changeInfo(found, now()));
  } // prettier-ignore

  async function checkStatus(call: ApiCall): Promise<Answer> {
    const id = /\/healthcheck\/([^/]+)\/status/.exec(call.url)?.[1] ?? '';
    const known = await moto.forward({ ...call, url: call.url.replace(/\/status.*$/, ''), operation: 'GetHealthCheck' });
    if (known.error !== undefined) return known;
    const status = unhealthy.has(id) ? 'Failure: Connection refused' : 'Success: HTTP Status Code 200, OK';
    const seen = CHECKERS.map((ip) => `<HealthCheckObservation><IPAddress>${ip}</IPAddress><StatusReport><Status>${status}</Status><CheckedTime>${new Date(now()).toISOString()}</CheckedTime></StatusReport></HealthCheckObservation>`);
    return xmlText(`<GetHealthCheckStatusResponse xmlns="${SPACE}"><HealthCheckObservations>${seen.join('')}</HealthCheckObservations></GetHealthCheckStatusResponse>`);
  } // prettier-ignore

  async function serve(call: ApiCall): Promise<Answer> {
    switch (call.operation) {
      case 'CreateHostedZone':
        return create(call);
      case 'ChangeResourceRecordSets':
        return change(call);
      case 'ListResourceRecordSets':
        return list(zoneIn(call, zones), new URL(call.url, 'http://front').searchParams);
      case 'GetChange':
        return changeStatus(call);
      case 'GetHealthCheckStatus':
        return checkStatus(call);
      default:
        return moto.forward(call);
    }
  }

  return {
    zones,
    async handle(call) {
      try {
        return await serve(call);
      } catch (error) {
        if (error instanceof Refused) return errorAnswer(call, error.error);
        throw error;
      }
    },
    setHealth: (id, health) => void (health === 'healthy' ? unhealthy.delete(id) : unhealthy.add(id)),
    isHealthy: (id) => !unhealthy.has(id),
  };
}

const CHECKERS = ['15.177.0.1', '15.177.0.2', '15.177.0.3'];
const bareId = (id: string): string => id.replace(/^\/?hostedzone\//, '');

function zoneIn(call: ApiCall, zones: Zones): Zone {
  const id = /\/hostedzone\/([^/?]+)/.exec(call.url)?.[1] ?? '';
  const zone = zones.get(id);
  if (zone === undefined) throw new Refused('NoSuchHostedZone', `No hosted zone found with ID: ${id}`, 404);
  return zone;
}

/** The records that every zone has. */
function firstRecords(name: string): readonly RecordSet[] {
  const record = (Type: string, TTL: string, values: readonly string[]): RecordSet =>
    recordSetOf({ Name: name, Type, TTL, ResourceRecords: values.map((Value) => ({ Value })) });
  return [
    record('NS', '172800', ['ns-1.sandbox.test.', 'ns-2.sandbox.test.']),
    record('SOA', '900', ['ns-1.sandbox.test. hostmaster.sandbox.test. 1 7200 900 1209600 86400']),
  ];
}

const changeInfo = ({ id, submittedAt, insyncAt }: Change, now: number): TreeObject => ({
  ChangeInfo: {
    Id: `/change/${id}`,
    Status: now >= insyncAt ? 'INSYNC' : 'PENDING',
    SubmittedAt: new Date(submittedAt).toISOString(),
  },
});

const MOST_ITEMS = 300;

function list({ records }: Zone, query: URLSearchParams): Answer {
  const size = Math.min(Number(query.get('maxitems') ?? MOST_ITEMS), MOST_ITEMS);
  const start = {
    name: fullName(query.get('name') ?? ''),
    type: query.get('type') ?? undefined,
    setIdentifier: query.get('identifier') ?? undefined,
  };
  const from = query.get('name') === null ? records : records.filter((record) => byName(record, start) >= 0);
  const next = from[size];
  const items = from.slice(0, size).map(({ shown }) => shown);
  return xmlAnswer('ListResourceRecordSetsResponse', {
    ResourceRecordSets: items,
    IsTruncated: String(next !== undefined),
    NextRecordName: next?.name,
    NextRecordType: next?.type,
    NextRecordIdentifier: next?.setIdentifier,
    MaxItems: String(size),
  });
}

const xmlAnswer = (root: string, content: TreeObject): Answer =>
  xmlText(`<?xml version="1.0"?><${root} xmlns="${SPACE}">${xmlOf(content)}</${root}>`);

const xmlText = (body: string): Answer => ({
  status: 200,
  headers: { 'content-type': 'text/xml', 'x-amzn-requestid': randomUUID() },
  body,
});
