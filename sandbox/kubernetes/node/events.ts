import type { KubeApi, KubeObject } from '../kube-api.ts';

export interface Warning {
  readonly reason: string;
  readonly message: string;
}

/** Warning events about objects, counted when one comes again, as the kubelet's are. */
export interface Events {
  warn(about: KubeObject, warning: Warning, component?: string): Promise<void>;
}

export function eventsOf(api: KubeApi): Events {
  const known = new Map<string, { readonly name: string; count: number }>();
  let next = 0;

  return {
    async warn(about, { reason, message }, component = 'kubelet') {
      const { namespace = 'default', name, uid } = about.metadata;
      const key = `${uid} ${reason} ${message}`;
      const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
      const path = `/api/v1/namespaces/${namespace}/events`;
      const seen = known.get(key);
      if (seen !== undefined) {
        seen.count += 1;
        const patch = { count: seen.count, lastTimestamp: now };
        await api.request('PATCH', `${path}/${seen.name}`, patch, 'application/merge-patch+json');
        return;
      }
      next += 1;
      const event = { name: `${name}.${next.toString(16).padStart(8, '0')}${uid?.slice(0, 8) ?? ''}`, count: 1 };
      known.set(key, event);
      // In a namespace that is being deleted nobody wants to know.
      await api.request('POST', path, {
        metadata: { name: event.name, namespace },
        involvedObject: { apiVersion: 'v1', kind: about.kind ?? 'Pod', name, namespace, uid },
        reason,
        message,
        type: 'Warning',
        count: 1,
        firstTimestamp: now,
        lastTimestamp: now,
        source: { component },
      });
    },
  };
}
