import { KubeFailure, readStatus } from '../../domain/kubernetes/failure.ts';
import { type KubeObject, describeRef, isFields, listAt, textAt } from '../../domain/kubernetes/object.ts';
import { type Resource, pathOf, readAggregated, readResourceList } from '../../domain/kubernetes/resource.ts';
import type { Kubernetes, Listed, Place, Scope } from '../../ports/kubernetes.ts';
import { type Answer, type KubeHttp, refusal } from './http.ts';
import { selectors } from './selectors.ts';
import { watchOnce } from './watch.ts';

const APPLY = 'application/apply-patch+yaml';
const PAGE = '500';

/** The port over one connection. Objects are sent and read as they are: no model drops a field that it does not know. */
export function kubernetesOf(http: KubeHttp): Kubernetes {
  let known: Promise<readonly Resource[]> | undefined;
  const named = (resource: Resource, place: Place): string =>
    `${pathOf(resource, place.namespace)}/${encodeURIComponent(place.name)}`;
  const subject = ({ kind }: Resource, place: Place): string => describeRef({ kind, ...withoutUndefined(place) });
  return {
    server: http.server,
    resources(signal, wish) {
      if (wish === 'fresh') known = undefined;
      known ??= discover(http, signal);
      // A discovery that failed must be asked again by the next caller.
      known.catch(() => (known = undefined));
      return known;
    },
    async get(resource, place, signal) {
      const call = {
        what: `Could not read ${subject(resource, place)}`,
        method: 'GET',
        path: named(resource, place),
      } as const;
      const answer = await http.call(call, signal);
      if (answer.status !== 404) return objectIn(answer);
      const status = readStatus(404, answer.json, answer.text);
      if (status.reason === 'NotFound') return undefined;
      // A proxy on the way has no such page, which says nothing of the object.
      throw new KubeFailure(
        'transient',
        { what: call.what, why: `no API server answered (404: ${status.message})` },
        { status },
      );
    },
    list: (resource, scope, signal) => listAll(http, resource, scope, signal),
    async apply(resource, object, { manager, conflicts, dryRun }, signal) {
      const place = object.metadata;
      const call = {
        what: `Could not ${dryRun === 'yes' ? 'try' : 'apply'} ${subject(resource, place)}`,
        method: 'PATCH',
        path: named(resource, place),
        query: {
          fieldManager: manager,
          force: String(conflicts === 'take'),
          fieldValidation: 'Strict',
          ...(dryRun === 'yes' ? { dryRun: 'All' } : {}),
        },
        body: { type: APPLY, text: JSON.stringify(object) },
      } as const;
      const answer = found(await http.call(call, signal), call);
      return { object: objectIn(answer), created: answer.status === 201 };
    },
    async create(resource, object, signal) {
      const call = {
        what: `Could not create ${subject(resource, object.metadata)}`,
        method: 'POST',
        path: pathOf(resource, object.metadata.namespace),
        body: { type: 'application/json', text: JSON.stringify(object) },
      } as const;
      return objectIn(found(await http.call(call, signal), call));
    },
    async replace(resource, object, signal) {
      const call = {
        what: `Could not write ${subject(resource, object.metadata)}`,
        method: 'PUT',
        path: named(resource, object.metadata),
        body: { type: 'application/json', text: JSON.stringify(object) },
      } as const;
      return objectIn(found(await http.call(call, signal), call));
    },
    async patch(resource, place, change, signal) {
      const type = Array.isArray(change) ? 'application/json-patch+json' : 'application/merge-patch+json';
      const call = {
        what: `Could not ${place.dryRun === undefined ? 'change' : 'try'} ${subject(resource, place)}`,
        method: 'PATCH',
        path: `${named(resource, place)}${place.subresource === undefined ? '' : `/${place.subresource}`}`,
        query: {
          ...(place.manager === undefined ? {} : { fieldManager: place.manager }),
          ...(place.dryRun === undefined ? {} : { dryRun: 'All' }),
        },
        body: { type, text: JSON.stringify(change) },
      } as const;
      return objectIn(found(await http.call(call, signal), call));
    },
    async delete(resource, place, { uid, children }, signal) {
      const propagationPolicy = children === 'foreground' ? 'Foreground' : 'Background';
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy, preconditions: { uid } };
      await http.call(
        {
          what: `Could not delete ${subject(resource, place)}`,
          method: 'DELETE',
          path: named(resource, place),
          body: { type: 'application/json', text: JSON.stringify(body) },
        },
        signal,
      );
    },
    watch: (resource, scope, tell, signal) =>
      watchOnce(http, { resource, scope, path: pathOf(resource, scope.namespace), tell }, signal),
    async podLog(place, { container, previous, lines }, signal) {
      const answer = await http.call(
        {
          what: `Could not read the log of pod ${place.namespace ?? ''}/${place.name}`,
          method: 'GET',
          path: `/api/v1/namespaces/${place.namespace ?? 'default'}/pods/${encodeURIComponent(place.name)}/log`,
          query: { container, previous: String(previous === 'yes'), tailLines: String(lines), limitBytes: '65536' },
          accept: 'application/json, */*',
          answer: 'text',
        },
        signal,
      );
      return answer.status === 404 ? '' : answer.text;
    },
  };
}

const withoutUndefined = ({ namespace, name }: Place) => ({ name, ...(namespace === undefined ? {} : { namespace }) });

/** A 404 of a write: the namespace is missing, or the kind. */
function found(answer: Answer, call: { readonly what: string }): Answer {
  if (answer.status !== 404) return answer;
  throw refusal(call, readStatus(404, answer.json, answer.text));
}

function objectIn({ json }: Answer): KubeObject {
  if (isFields(json) && isFields(json['metadata'])) return json as unknown as KubeObject;
  throw new KubeFailure('invalid', { what: 'The API server answered with something that is no object' }, {});
}

async function listAll(http: KubeHttp, resource: Resource, scope: Scope, signal: AbortSignal): Promise<Listed> {
  const items: KubeObject[] = [];
  for (let next: string | undefined; ;) {
    const call = {
      what: `Could not list ${resource.plural}${scope.namespace === undefined ? '' : ` in ${scope.namespace}`}`,
      method: 'GET',
      path: pathOf(resource, scope.namespace),
      query: { limit: PAGE, ...selectors(scope), ...(next === undefined ? {} : { continue: next }) },
    } as const;
    const { json } = found(await http.call(call, signal), call);
    // Entries of a list do not say what they are.
    const { apiVersion, kind } = resource;
    items.push(...listAt(json, 'items').map((item) => ({ apiVersion, kind, ...(item as object) }) as KubeObject));
    next = textAt(json, 'metadata', 'continue') || undefined;
    if (next === undefined) return { items, resourceVersion: textAt(json, 'metadata', 'resourceVersion') ?? '' };
  }
}

const AGGREGATED =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';

/** Two requests to a server since 1.26; one more per group and version to an older one. */
async function discover(http: KubeHttp, signal: AbortSignal): Promise<readonly Resource[]> {
  const what = 'Could not ask what the API server serves';
  const ask = async (path: string, accept?: string): Promise<unknown> =>
    (await http.call({ what, method: 'GET', path, ...(accept === undefined ? {} : { accept }) }, signal)).json;
  const core = await ask('/api', AGGREGATED);
  const groups = await ask('/apis', AGGREGATED);
  const aggregated = [readAggregated(core), readAggregated(groups)];
  const paths = [
    ...(aggregated[0] === undefined ? ['/api/v1'] : []),
    ...(aggregated[1] === undefined
      ? listAt(groups, 'groups').flatMap((group) =>
          listAt(group, 'versions').map((version) => `/apis/${textAt(version, 'groupVersion') ?? ''}`),
        )
      : []),
  ];
  const listed = await Promise.all(paths.map(async (path) => readResourceList(await ask(path))));
  return [...aggregated.flatMap((each) => each ?? []), ...listed.flat()];
}
