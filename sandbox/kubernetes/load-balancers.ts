import type { KubeApi, KubeObject } from './kube-api.ts';
import { watchLoop } from './node/watch-loop.ts';

interface Exposed extends KubeObject {
  readonly spec?: { readonly type?: string };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly unknown[] } };
}

/** With this annotation an address never comes: a cloud that has no quota left. */
export const PENDING = 'sandbox.sluice.dev/load-balancer';

/** Plays the cloud that gives Services of type LoadBalancer, and Ingresses, an address. */
export function startLoadBalancers(api: KubeApi, signal: AbortSignal): Promise<unknown> {
  const address = { status: { loadBalancer: { ingress: [{ hostname: 'lb.sandbox.internal' }] } } };
  const give = (path: (each: Exposed) => string) => (each: Exposed) => {
    if (each.metadata.annotations?.[PENDING] === 'pending') return;
    if ((each.status?.loadBalancer?.ingress ?? []).length > 0) return;
    // It may be gone again, and then needs none.
    void api.request('PATCH', `${path(each)}/status`, address, 'application/merge-patch+json').catch(() => undefined);
  };
  const services = give(({ metadata }) => `/api/v1/namespaces/${metadata.namespace}/services/${metadata.name}`);
  const ingresses = give(
    ({ metadata }) => `/apis/networking.k8s.io/v1/namespaces/${metadata.namespace}/ingresses/${metadata.name}`,
  );
  const gone = (): void => undefined;
  return Promise.all([
    watchLoop(api, '/api/v1/services', {
      signal,
      seen: (each: Exposed) => (each.spec?.type === 'LoadBalancer' ? services(each) : undefined),
      gone,
    }),
    watchLoop(api, '/apis/networking.k8s.io/v1/ingresses', { signal, seen: ingresses, gone }),
  ]);
}
