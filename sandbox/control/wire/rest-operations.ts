interface RestRequest {
  readonly service: string;
  readonly method: string;
  readonly url: string;
}

/** REST calls carry no name of their operation: S3 clients add it as `x-id`, Route 53's are told by method and path. */
export function restOperation({ service, method, url }: RestRequest): string {
  const parsed = new URL(url, 'http://front');
  const cbor = /\/operation\/(\w+)$/.exec(parsed.pathname)?.[1];
  if (cbor !== undefined) return cbor;
  if (service === 'route53') return route53Operation(method, parsed.pathname) ?? `${method} ${parsed.pathname}`;
  return parsed.searchParams.get('x-id') ?? `${method} ${parsed.pathname.split('/').slice(0, 2).join('/')}`;
}

const ROUTE53: readonly (readonly [method: string, path: RegExp, operation: string])[] = [
  ['POST', /^\/hostedzone$/, 'CreateHostedZone'],
  ['GET', /^\/hostedzone$/, 'ListHostedZones'],
  ['GET', /^\/hostedzonesbyname$/, 'ListHostedZonesByName'],
  ['GET', /^\/hostedzone\/[^/]+$/, 'GetHostedZone'],
  ['POST', /^\/hostedzone\/[^/]+\/rrset$/, 'ChangeResourceRecordSets'],
  ['GET', /^\/hostedzone\/[^/]+\/rrset$/, 'ListResourceRecordSets'],
  ['GET', /^\/change\/.+$/, 'GetChange'],
  ['POST', /^\/healthcheck$/, 'CreateHealthCheck'],
  ['GET', /^\/healthcheck\/[^/]+\/status$/, 'GetHealthCheckStatus'],
  ['GET', /^\/healthcheck\/[^/]+$/, 'GetHealthCheck'],
  ['DELETE', /^\/hostedzone\/[^/]+$/, 'DeleteHostedZone'],
  ['POST', /^\/tags\/[^/]+\/[^/]+$/, 'ChangeTagsForResource'],
  ['GET', /^\/tags\/[^/]+\/[^/]+$/, 'ListTagsForResource'],
];

const route53Operation = (method: string, path: string): string | undefined => {
  const rest = path.replace(/^\/2013-04-01/, '').replace(/\/$/, '');
  return ROUTE53.find(([verb, pattern]) => verb === method && pattern.test(rest))?.[2];
};

const READS =
  /^(Describe|List|Get|BatchGet|BatchCheck|Head|Lookup|Search|Test|Filter|Estimate|Validate|Assume|Decode|GET|HEAD)/;

/** Whether a call changes something; SelectObjectContent and the like are reads that nobody here uses. */
export const isMutating = (operation: string): boolean => !READS.test(operation);
