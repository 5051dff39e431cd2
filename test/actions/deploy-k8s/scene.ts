import { type Cluster, startCluster } from '../../../sandbox/kubernetes/cluster.ts';
import type { KubeObject } from '../../../sandbox/kubernetes/kube-api.ts';
import { type BundleResult, type BundleRun, runBundle } from '../../harness/run-bundle.ts';

export interface SetParts {
  readonly tag?: string;
  readonly config?: string;
  readonly replicas?: number;
  /** More documents. */
  readonly more?: string;
  /** More of the pod spec, as lines of YAML. */
  readonly pod?: string;
  readonly deadline?: number;
}

/** A small app: config, a Secret, a Deployment and its Service. */
export const setOf = ({
  tag = '1',
  config = 'one',
  replicas = 2,
  more = '',
  pod = '',
  deadline = 600,
}: SetParts = {}): string => `
apiVersion: v1
kind: ConfigMap
metadata: { name: web-config }
data: { GREETING: ${config} }
---
apiVersion: v1
kind: Secret
metadata: { name: web-secret }
stringData: { PASSWORD: '\${PASSWORD}' }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: ${replicas}
  progressDeadlineSeconds: ${deadline}
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: registry.example.com/team/web:${tag}
          envFrom: [{ configMapRef: { name: web-config } }, { secretRef: { name: web-secret } }]
          readinessProbe: { httpGet: { path: /ready, port: 80 } }
${pod}
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
${more === '' ? '' : `---\n${more}`}`;

export const PASSWORD = 'correct-horse-battery';

export interface Scene {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** One run of the action; each has a later run id. */
  run(inputs: Readonly<Record<string, string>>, set?: string, more?: Partial<BundleRun>): Promise<BundleResult>;
  /** What a run would be started with. */
  step(inputs: Readonly<Record<string, string>>, set?: string, more?: Partial<BundleRun>): BundleRun;
  live(path: string): Promise<KubeObject | undefined>;
  /** Image and greeting that are in force: what is old and what is new can be told by them. */
  truth(): Promise<{ readonly image: string; readonly config: string; readonly ready: number }>;
  close(): Promise<void>;
}

export async function openScene(prefix: string): Promise<Scene> {
  const cluster = await startCluster({ use: 'shared' });
  const namespace = await cluster.namespace(prefix);
  let runs = 1_000;
  const { api } = cluster.admin;
  const step: Scene['step'] = (inputs, set = setOf(), more = {}) => {
    runs += 1;
    const kubeconfig = cluster.admin.kubeconfig;
    const reads = /^(?:deploy|diff|rbac)$/.test(inputs['mode'] ?? 'deploy');
    const files = reads ? { 'k8s/web.yml': set, ...more.files } : { ...more.files };
    const given = reads ? { manifests: 'k8s', 'secret-values': `PASSWORD=${PASSWORD}` } : {};
    return {
      action: 'deploy-k8s',
      ...more,
      inputs: { app: 'web', namespace, kubeconfig, ...given, ...inputs },
      files,
      env: { GITHUB_RUN_ID: String(runs), ...more.env },
    };
  };
  const live: Scene['live'] = async (path) => {
    const { status, body } = await api.request('GET', path);
    return status === 200 ? (body as KubeObject) : undefined;
  };
  return {
    cluster,
    namespace,
    step,
    live,
    run: (inputs, set, more) => runBundle(step(inputs, set, more)),
    async truth() {
      const deployment = (await live(`/apis/apps/v1/namespaces/${namespace}/deployments/web`)) as unknown as
        Deployed | undefined;
      const config = (await live(`/api/v1/namespaces/${namespace}/configmaps/web-config`)) as unknown as
        { data: { GREETING: string } } | undefined;
      return {
        image: deployment?.spec.template.spec.containers[0]?.image ?? 'none',
        config: config?.data.GREETING ?? 'none',
        ready: deployment?.status?.readyReplicas ?? 0,
      };
    },
    async close() {
      await api.request('DELETE', `/api/v1/namespaces/${namespace}`);
      await cluster.stop();
    },
  };
}

interface Deployed {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
  readonly status?: { readonly readyReplicas?: number };
}
