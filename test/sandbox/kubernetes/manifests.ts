/** A Deployment of one container, as small as it can be. */
export function deployment(name: string, image: string, more: { readonly replicas?: number } = {}): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: more.replicas ?? 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'web', image, readinessProbe: { httpGet: { path: '/ready', port: 80 } } }],
        },
      },
    },
  };
}

export function job(name: string, image: string): object {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'run', image }] } } },
  };
}
