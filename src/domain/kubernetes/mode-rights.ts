import { backupKinds } from './backup.ts';
import { type KubeObject } from './object.ts';
import { makesPods } from './readiness.ts';
import { AUTOSCALERS, QUOTAS, type Resource } from './resource.ts';
import { type Right, leaseRights, podRights, rightsFor, rolesFor, uniqueRights } from './rights.ts';

interface Where {
  readonly app: string;
  readonly home: string;
}

const rights = (resource: Resource, verbs: readonly string[], namespace: string, why: string): readonly Right[] =>
  verbs.map((verb) => ({ group: resource.group, resource: resource.plural, verb, namespace, why }));

/** What `scale` needs for the workloads of a set: they, their autoscalers, and the pods that are awaited. */
export function scaleRights(
  objects: readonly KubeObject[],
  { resourceOf, home }: { resourceOf(object: KubeObject): Resource | undefined; readonly home: string },
): readonly Right[] {
  const scalable = objects.filter(
    ({ apiVersion, kind, metadata }) =>
      apiVersion.startsWith('apps/') && /^(?:Deployment|StatefulSet)$/.test(kind) && metadata.namespace === home,
  );
  if (scalable.length === 0) return [];
  return uniqueRights([
    ...scalable.flatMap((object) => {
      const resource = resourceOf(object);
      const verbs = ['get', 'list', 'patch', 'watch'];
      return resource === undefined ? [] : rights(resource, verbs, home, 'sets its count and waits for it');
    }),
    ...rights(AUTOSCALERS, ['list', 'patch'], home, 'holds the autoscaler of a workload, or lets it go'),
    ...podRights(home),
  ]);
}

/** What is looked at and not needed: a release goes on without, and knows less. */
const wishedRights = (objects: readonly KubeObject[]): readonly Right[] => {
  const namespaces = new Set(objects.filter(makesPods).flatMap(({ metadata }) => metadata.namespace ?? []));
  return [...namespaces].flatMap((namespace) => [
    ...rights(AUTOSCALERS, ['list'], namespace, 'leaves a count to the autoscaler that rules it'),
    ...rights(QUOTAS, ['list'], namespace, 'sees beforehand what a quota refuses'),
  ]);
};

/** `backup` reads all kinds of the namespace, Secrets included: one that it may not list would be missing in it. */
export const backupRights = (served: readonly Resource[], home: string): readonly Right[] =>
  backupKinds(served).flatMap((kind) => rights(kind, ['list'], home, 'puts it into the backup'));

/** `restore` writes all kinds of the namespace, and waits for them. */
export const restoreRights = (served: readonly Resource[], { app, home }: Where): readonly Right[] =>
  uniqueRights([
    ...backupKinds(served).flatMap((kind) =>
      rights(kind, ['create', 'get', 'list', 'patch', 'watch'], home, 'brings it back'),
    ),
    ...podRights(home),
    ...leaseRights(app, home),
  ]);

/** One Role per purpose, each enough by itself: who only deploys is not given what a restore writes. */
export function rolesByMode(
  objects: readonly KubeObject[],
  wish: Where & { resourceOf(object: KubeObject): Resource | undefined; readonly served: readonly Resource[] },
): readonly KubeObject[] {
  const { app, home, served } = wish;
  return [
    ...rolesFor(
      uniqueRights([...rightsFor(objects, wish), ...wishedRights(objects)]),
      app,
      'deploy, rollback, status, diff, rbac',
    ),
    ...rolesFor(scaleRights(objects, wish), `${app}.scale`, 'scale'),
    ...rolesFor(backupRights(served, home), `${app}.backup`, 'backup'),
    ...rolesFor(restoreRights(served, { app, home }), `${app}.restore`, 'restore'),
  ];
}
