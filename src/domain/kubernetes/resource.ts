import { type KubeObject, type Ref, groupOf, isFields, listAt, textAt, versionOf } from './object.ts';

/** One kind in one version, as the server serves it. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  /** `apps/v1`, `v1` */
  readonly apiVersion: string;
  readonly kind: string;
  /** Name in URLs and in rights: `deployments`. */
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  /** It has a part that its controller alone writes: `widgets/status`. */
  readonly status?: 'served';
}

export const resourceFor = (
  { apiVersion, kind }: Pick<Ref, 'apiVersion' | 'kind'>,
  served: readonly Resource[],
): Resource | undefined => served.find((each) => each.apiVersion === apiVersion && each.kind === kind);

/** Any version of the kind, the first that the server lists (the one it prefers). */
export const anyVersionOf = (group: string, kind: string, served: readonly Resource[]): Resource | undefined =>
  served.find((each) => each.group === group && each.kind === kind);

/** Path of the collection: `/apis/apps/v1/namespaces/shop/deployments`. */
export function pathOf({ group, version, plural, namespaced }: Resource, namespace?: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${plural}`;
}

/** Kinds that are used without asking the server what it serves. */
const builtIn = (
  apiVersion: string,
  kind: string,
  plural: string,
  scope: 'namespaced' | 'cluster' = 'namespaced',
): Resource => ({
  group: groupOf(apiVersion),
  version: versionOf(apiVersion),
  apiVersion,
  kind,
  plural,
  namespaced: scope === 'namespaced',
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
});

export const SECRETS = builtIn('v1', 'Secret', 'secrets');
export const NAMESPACES = builtIn('v1', 'Namespace', 'namespaces', 'cluster');
export const PODS = builtIn('v1', 'Pod', 'pods');
export const EVENTS = builtIn('v1', 'Event', 'events');
export const REPLICA_SETS = builtIn('apps/v1', 'ReplicaSet', 'replicasets');
export const DEPLOYMENTS = builtIn('apps/v1', 'Deployment', 'deployments');
/** Of the Lease that one run of the app holds at a time. */
export const leaseName = (app: string): string => `sluice-${app}`;
export const LEASES = builtIn('coordination.k8s.io/v1', 'Lease', 'leases');
export const AUTOSCALERS = builtIn('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers');
export const DISRUPTION_BUDGETS = builtIn('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets');
export const QUOTAS = builtIn('v1', 'ResourceQuota', 'resourcequotas');
export const RULES_REVIEWS = builtIn(
  'authorization.k8s.io/v1',
  'SelfSubjectRulesReview',
  'selfsubjectrulesreviews',
  'cluster',
);
export const ACCESS_REVIEWS = builtIn(
  'authorization.k8s.io/v1',
  'SelfSubjectAccessReview',
  'selfsubjectaccessreviews',
  'cluster',
);

/** Reads an aggregated discovery document (`APIGroupDiscoveryList`): one per root, all groups and versions in it. */
export function readAggregated(body: unknown): readonly Resource[] | undefined {
  if (!isFields(body) || body['kind'] !== 'APIGroupDiscoveryList') return undefined;
  return listAt(body, 'items').flatMap((item) => {
    const group = textAt(item, 'metadata', 'name') ?? '';
    return listAt(item, 'versions').flatMap((each) => {
      const version = textAt(each, 'version') ?? '';
      return listAt(each, 'resources').flatMap((entry) => {
        const kind = textAt(entry, 'responseKind', 'kind');
        const plural = textAt(entry, 'resource');
        if (kind === undefined || plural === undefined) return [];
        return [
          {
            group,
            version,
            apiVersion: group === '' ? version : `${group}/${version}`,
            kind,
            plural,
            namespaced: textAt(entry, 'scope') === 'Namespaced',
            verbs: listAt(entry, 'verbs').map(String),
            ...statusAmong(listAt(entry, 'subresources').map((part) => textAt(part, 'subresource'))),
          },
        ];
      });
    });
  });
}

const statusAmong = (parts: readonly (string | undefined)[]): Pick<Resource, 'status'> =>
  parts.includes('status') ? { status: 'served' } : {};

/** Reads an `APIResourceList`, the form before aggregated discovery. */
export function readResourceList(body: unknown): readonly Resource[] {
  const apiVersion = textAt(body, 'groupVersion') ?? 'v1';
  const names = listAt(body, 'resources').map((entry) => textAt(entry, 'name'));
  return listAt(body, 'resources').flatMap((entry) => {
    const kind = textAt(entry, 'kind');
    const plural = textAt(entry, 'name');
    // `deployments/status`: a part of a resource, not one.
    if (kind === undefined || plural === undefined || plural.includes('/')) return [];
    return [
      {
        group: groupOf(apiVersion),
        version: versionOf(apiVersion),
        apiVersion,
        kind,
        plural,
        namespaced: isFields(entry) && entry['namespaced'] === true,
        verbs: listAt(entry, 'verbs').map(String),
        ...statusAmong(names.flatMap((name) => (name?.startsWith(`${plural}/`) ? name.slice(plural.length + 1) : []))),
      },
    ];
  });
}

/** Definitions in the set itself: a kind that it makes counts as served. */
export function resourcesDefinedBy(objects: readonly KubeObject[]): readonly Resource[] {
  return objects
    .filter(
      ({ kind, apiVersion }) => kind === 'CustomResourceDefinition' && groupOf(apiVersion) === 'apiextensions.k8s.io',
    )
    .flatMap((definition) => {
      const group = textAt(definition, 'spec', 'group') ?? '';
      const kind = textAt(definition, 'spec', 'names', 'kind') ?? '';
      const plural = textAt(definition, 'spec', 'names', 'plural') ?? '';
      const namespaced = textAt(definition, 'spec', 'scope') !== 'Cluster';
      return listAt(definition, 'spec', 'versions')
        .filter((version) => isFields(version) && version['served'] !== false)
        .map((each) => {
          const version = textAt(each, 'name') ?? '';
          return { group, version, apiVersion: `${group}/${version}`, kind, plural, namespaced, verbs: [] };
        });
    });
}
