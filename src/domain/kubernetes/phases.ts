import { type KubeObject, fieldAt, groupOf, textAt } from './object.ts';

/**
 * The order of applying, with a barrier between phases: what is needed stands before what needs it, and what brings
 * traffic comes last. The same edges as kapp's default configuration (pkg/kapp/config/default.go), but that Services come
 * before their workloads: no phase waits for the address of a load balancer, which is asked for once all is applied.
 */
export const PHASES = [
  'namespaces',
  'definitions',
  'config',
  'roles',
  'bindings',
  'volumes',
  'services',
  'before',
  'workloads',
  'policies',
  'webhooks',
  'routes',
  'custom',
] as const;
export type Phase = (typeof PHASES)[number];

/** Annotation that puts an object into another phase. */
export const PHASE_ANNOTATION = 'sluice.dev/phase';

const BY_KIND: Readonly<Record<string, Phase>> = {
  '/Namespace': 'namespaces',
  'apiextensions.k8s.io/CustomResourceDefinition': 'definitions',
  'storage.k8s.io/StorageClass': 'config',
  'scheduling.k8s.io/PriorityClass': 'config',
  '/ResourceQuota': 'config',
  '/LimitRange': 'config',
  'networking.k8s.io/NetworkPolicy': 'config',
  'networking.k8s.io/IngressClass': 'config',
  'gateway.networking.k8s.io/GatewayClass': 'config',
  'gateway.networking.k8s.io/ReferenceGrant': 'config',
  '/ServiceAccount': 'config',
  '/Secret': 'config',
  '/ConfigMap': 'config',
  'rbac.authorization.k8s.io/Role': 'roles',
  'rbac.authorization.k8s.io/ClusterRole': 'roles',
  'rbac.authorization.k8s.io/RoleBinding': 'bindings',
  'rbac.authorization.k8s.io/ClusterRoleBinding': 'bindings',
  '/PersistentVolume': 'volumes',
  '/PersistentVolumeClaim': 'volumes',
  '/Service': 'services',
  '/Endpoints': 'services',
  'discovery.k8s.io/EndpointSlice': 'services',
  'gateway.networking.k8s.io/Gateway': 'services',
  '/Pod': 'workloads',
  '/ReplicationController': 'workloads',
  'apps/Deployment': 'workloads',
  'apps/StatefulSet': 'workloads',
  'apps/DaemonSet': 'workloads',
  'apps/ReplicaSet': 'workloads',
  'batch/Job': 'workloads',
  'batch/CronJob': 'workloads',
  'autoscaling/HorizontalPodAutoscaler': 'policies',
  'policy/PodDisruptionBudget': 'policies',
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': 'webhooks',
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': 'webhooks',
  'apiregistration.k8s.io/APIService': 'webhooks',
  'networking.k8s.io/Ingress': 'routes',
  'gateway.networking.k8s.io/HTTPRoute': 'routes',
  'gateway.networking.k8s.io/GRPCRoute': 'routes',
  'gateway.networking.k8s.io/TCPRoute': 'routes',
  'gateway.networking.k8s.io/TLSRoute': 'routes',
  'gateway.networking.k8s.io/UDPRoute': 'routes',
};

/** Groups whose objects make Secrets, or are what those need: pods that read them come later. */
const MAKE_SECRETS =
  /^(?:external-secrets\.io|bitnami\.com|cert-manager\.io|secrets-store\.csi\.x-k8s\.io|secrets\.hashicorp\.com)$/;

export const isPhase = (text: string): text is Phase => (PHASES as readonly string[]).includes(text);

export function phaseOf(object: KubeObject): Phase {
  const asked = fieldAt(object, 'metadata', 'annotations', PHASE_ANNOTATION);
  if (typeof asked === 'string' && isPhase(asked)) return asked;
  const group = groupOf(object.apiVersion);
  return BY_KIND[`${group}/${object.kind}`] ?? (MAKE_SECRETS.test(group) ? 'config' : 'custom');
}

/** An operator that is in the set itself has to run before it takes its objects. */
function phaseIn(all: readonly KubeObject[]): (object: KubeObject) => Phase {
  const operated = new Set(
    all
      .filter(({ kind }) => kind === 'CustomResourceDefinition')
      .flatMap((each) => textAt(each, 'spec', 'group') ?? []),
  );
  return (object) => {
    const isAsked = textAt(object, 'metadata', 'annotations', PHASE_ANNOTATION) !== undefined;
    const group = groupOf(object.apiVersion);
    return MAKE_SECRETS.test(group) && operated.has(group) && !isAsked ? 'custom' : phaseOf(object);
  };
}

export interface PhaseGroup<T> {
  readonly phase: Phase;
  readonly members: readonly T[];
}

/** In the order of applying; phases without a member are left out. */
export const inPhases = <T>(all: readonly T[], objectOf: (each: T) => KubeObject): readonly PhaseGroup<T>[] => {
  const phase = phaseIn(all.map(objectOf));
  return PHASES.map((each) => ({ phase: each, members: all.filter((one) => phase(objectOf(one)) === each) })).filter(
    ({ members }) => members.length > 0,
  );
};

/**
 * The way back: traffic first, then config before the workloads, because a pod of the earlier template that starts again
 * must find the earlier config.
 */
export const inPhasesBack = <T>(all: readonly T[], objectOf: (each: T) => KubeObject): readonly PhaseGroup<T>[] => {
  const groups = inPhases(all, objectOf);
  const routes = groups.filter(({ phase }) => phase === 'routes');
  return [...routes, ...groups.filter(({ phase }) => phase !== 'routes')];
};
