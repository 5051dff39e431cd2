import type { KubeStatus } from './failure.ts';
import { type KubeObject, type Ref, groupOf, textAt } from './object.ts';

const GROUP = 'rbac.authorization.k8s.io';

export const isRole = ({ apiVersion, kind }: KubeObject): boolean =>
  groupOf(apiVersion) === GROUP && (kind === 'Role' || kind === 'ClusterRole');

/** The role that a binding gives to its subjects; undefined: it is no binding. */
export function roleOf(object: KubeObject): Ref | undefined {
  const { apiVersion, kind, metadata } = object;
  if (groupOf(apiVersion) !== GROUP || !/^(?:Cluster)?RoleBinding$/.test(kind)) return undefined;
  const [role, name] = [textAt(object, 'roleRef', 'kind'), textAt(object, 'roleRef', 'name')];
  if (role === undefined || name === undefined) return undefined;
  const { namespace } = metadata;
  return { apiVersion, kind: role, name, ...(role === 'Role' && namespace !== undefined ? { namespace } : {}) };
}

/** Whether a binding was refused because its role is not there, or not yet known to a server that reads roles from a cache. */
export function missesRole(object: KubeObject, { code, message }: KubeStatus): boolean {
  const role = roleOf(object);
  return role !== undefined && code === 404 && message.includes(`"${role.name}" not found`);
}
