/** One request to the API server, named so that the same request of the next run has the same name. */
export interface KubeOperation {
  /** `patch deployments/web`, `list pods`, `get pods/*`/log, `dry-run services/web`, `discover /apis`. */
  readonly name: string;
  readonly mutating: boolean;
  readonly isWatch: boolean;
}

/** Their names end with chance, so they are all one. */
const NAMED_BY_CHANCE = ['pods', 'replicasets', 'events', 'endpointslices', 'controllerrevisions'];
/** Questions that are asked by POST. */
const REVIEWS = /^(selfsubject|localsubject|subject)?(access|rules)?reviews$|^tokenreviews$|reviews$/;

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

export function operationOf(method: string, url: string): KubeOperation {
  const { pathname, searchParams } = new URL(url, 'https://cluster');
  const place = placeOf(pathname);
  if (place === undefined) return { name: `discover ${pathname}`, mutating: false, isWatch: false };
  const { resource, name, subresource } = place;
  const isWatch = method === 'GET' && ['true', '1'].includes(searchParams.get('watch') ?? '');
  const isDryRun = searchParams.get('dryRun') === 'All';
  const reading = isWatch ? 'watch' : name === undefined ? 'list' : 'get';
  const verb = isDryRun ? 'dry-run' : (VERBS[method] ?? reading);
  const target = name === undefined ? '' : `/${NAMED_BY_CHANCE.includes(resource) ? '*' : name}`;
  return {
    name: `${verb} ${resource}${target}${subresource === undefined ? '' : `/${subresource}`}`,
    mutating: method !== 'GET' && method !== 'HEAD' && !isDryRun && !REVIEWS.test(resource),
    isWatch,
  };
}

interface Place {
  readonly resource: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** `/api/v1/...` and `/apis/GROUP/VERSION/...`; undefined for what is no resource: discovery, health, versions. */
function placeOf(pathname: string): Place | undefined {
  const [, ...rest] = /^\/(?:api\/[^/]+|apis\/[^/]+\/[^/]+)\/(.+)$/.exec(pathname) ?? [];
  if (rest[0] === undefined) return undefined;
  const parts = rest[0].split('/').map(decodeURIComponent);
  const inside = parts[0] === 'namespaces' && parts.length > 2 && !['status', 'finalize'].includes(parts[2] ?? '');
  const [resource = '', name, ...deeper] = inside ? parts.slice(2) : parts;
  return {
    resource,
    ...(name === undefined ? {} : { name }),
    ...(deeper.length === 0 ? {} : { subresource: deeper.join('/') }),
  };
}
