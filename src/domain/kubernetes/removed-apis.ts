import { type Resource, anyVersionOf } from './resource.ts';
import { groupOf } from './object.ts';

/**
 * What to write instead of an API that is gone: kubernetes.io/docs/reference/using-api/deprecation-guide. Without an entry
 * the server's own list answers, because another version of the same kind is nearly always the replacement.
 */
const REMOVED: Readonly<Record<string, string>> = {
  'policy/v1beta1 PodSecurityPolicy':
    'it was removed in Kubernetes 1.25 without a successor object; label the namespace for Pod Security Admission instead (pod-security.kubernetes.io/enforce: restricted)',
  'extensions/v1beta1 PodSecurityPolicy':
    'it was removed in Kubernetes 1.16, and the kind in 1.25; label the namespace for Pod Security Admission instead (pod-security.kubernetes.io/enforce: restricted)',
  'policy/v1beta1 PodDisruptionBudget':
    'it was removed in Kubernetes 1.25; write policy/v1 (an empty selector means all pods there)',
  'batch/v1beta1 CronJob': 'it was removed in Kubernetes 1.25; write batch/v1',
  'autoscaling/v2beta1 HorizontalPodAutoscaler':
    'it was removed in Kubernetes 1.25; write autoscaling/v2 (targetAverageUtilization becomes target.averageUtilization with target.type: Utilization)',
  'autoscaling/v2beta2 HorizontalPodAutoscaler': 'it was removed in Kubernetes 1.26; write autoscaling/v2',
  'extensions/v1beta1 Ingress':
    'it was removed in Kubernetes 1.22; write networking.k8s.io/v1 (backend.service.name and backend.service.port, and a pathType per path)',
  'networking.k8s.io/v1beta1 Ingress':
    'it was removed in Kubernetes 1.22; write networking.k8s.io/v1 (backend.service.name and backend.service.port, and a pathType per path)',
  'networking.k8s.io/v1beta1 IngressClass': 'it was removed in Kubernetes 1.22; write networking.k8s.io/v1',
  'extensions/v1beta1 Deployment': 'it was removed in Kubernetes 1.16; write apps/v1 (spec.selector is required there)',
  'apps/v1beta1 Deployment': 'it was removed in Kubernetes 1.16; write apps/v1 (spec.selector is required there)',
  'apps/v1beta2 Deployment': 'it was removed in Kubernetes 1.16; write apps/v1',
  'extensions/v1beta1 DaemonSet': 'it was removed in Kubernetes 1.16; write apps/v1',
  'apps/v1beta2 DaemonSet': 'it was removed in Kubernetes 1.16; write apps/v1',
  'apps/v1beta1 StatefulSet': 'it was removed in Kubernetes 1.16; write apps/v1',
  'apps/v1beta2 StatefulSet': 'it was removed in Kubernetes 1.16; write apps/v1',
  'extensions/v1beta1 NetworkPolicy': 'it was removed in Kubernetes 1.16; write networking.k8s.io/v1',
  'rbac.authorization.k8s.io/v1beta1 Role': 'it was removed in Kubernetes 1.22; write rbac.authorization.k8s.io/v1',
  'rbac.authorization.k8s.io/v1beta1 RoleBinding':
    'it was removed in Kubernetes 1.22; write rbac.authorization.k8s.io/v1',
  'rbac.authorization.k8s.io/v1beta1 ClusterRole':
    'it was removed in Kubernetes 1.22; write rbac.authorization.k8s.io/v1',
  'rbac.authorization.k8s.io/v1beta1 ClusterRoleBinding':
    'it was removed in Kubernetes 1.22; write rbac.authorization.k8s.io/v1',
  'apiextensions.k8s.io/v1beta1 CustomResourceDefinition':
    'it was removed in Kubernetes 1.22; write apiextensions.k8s.io/v1 (each version needs a structural schema)',
  'admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration':
    'it was removed in Kubernetes 1.22; write admissionregistration.k8s.io/v1',
  'admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration':
    'it was removed in Kubernetes 1.22; write admissionregistration.k8s.io/v1',
  'scheduling.k8s.io/v1beta1 PriorityClass': 'it was removed in Kubernetes 1.22; write scheduling.k8s.io/v1',
  'storage.k8s.io/v1beta1 StorageClass': 'it was removed in Kubernetes 1.22; write storage.k8s.io/v1',
  'coordination.k8s.io/v1beta1 Lease': 'it was removed in Kubernetes 1.22; write coordination.k8s.io/v1',
  'discovery.k8s.io/v1beta1 EndpointSlice': 'it was removed in Kubernetes 1.25; write discovery.k8s.io/v1',
  'events.k8s.io/v1beta1 Event': 'it was removed in Kubernetes 1.25; write events.k8s.io/v1',
  'node.k8s.io/v1beta1 RuntimeClass': 'it was removed in Kubernetes 1.25; write node.k8s.io/v1',
  'flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema':
    'it was removed in Kubernetes 1.32; write flowcontrol.apiserver.k8s.io/v1',
  'flowcontrol.apiserver.k8s.io/v1beta3 PriorityLevelConfiguration':
    'it was removed in Kubernetes 1.32; write flowcontrol.apiserver.k8s.io/v1',
};

/** Why the server does not know a kind, and what to write instead. */
export function whyNotServed(apiVersion: string, kind: string, served: readonly Resource[]): string {
  const known = REMOVED[`${apiVersion} ${kind}`];
  if (known !== undefined) return known;
  const other = anyVersionOf(groupOf(apiVersion), kind, served) ?? served.find((each) => each.kind === kind);
  if (other !== undefined) return `this cluster serves it as ${other.apiVersion}`;
  return 'install what defines it (its CustomResourceDefinition) first, or put that into the set';
}
