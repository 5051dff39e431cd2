import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Cluster } from '../../sandbox/kubernetes/cluster.ts';
import type { KubeObject } from '../../sandbox/kubernetes/kube-api.ts';
import type { BundleRun } from './run-bundle.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** A system's set of manifests, as the team has it under examples/. */
export interface System {
  /** Folder under examples/. */
  readonly folder: string;
  readonly app: string;
  /** The namespace that its files name. */
  readonly namespace: string;
  readonly secrets: readonly string[];
  /** What the set refers to and does not hold. */
  readonly outside: readonly { readonly kind: 'Secret' | 'ConfigMap'; readonly name: string }[];
}

export const WESIGN: System = {
  folder: 'wesign-charts/k8s',
  app: 'wesign-charts',
  namespace: 'wesign-charts',
  secrets: ['API_TOKEN', 'SENTRY_DSN'],
  outside: [
    { kind: 'ConfigMap', name: 'nginx-charts-config' },
    { kind: 'Secret', name: 'wesign-ssl-certs' },
    { kind: 'Secret', name: 'wesign-registry-secret' },
  ],
};

const HFT_SECRETS = ['API_KEY', 'SESSION_SECRET'];

export const HFT_STAGING: System = {
  folder: 'hft-platform/k8s/staging',
  app: 'hft-frontend',
  namespace: 'hft-staging',
  secrets: HFT_SECRETS,
  outside: [{ kind: 'Secret', name: 'hft-staging-tls' }],
};

export const HFT_PRODUCTION: System = {
  folder: 'hft-platform/k8s/production',
  app: 'hft-frontend',
  namespace: 'hft-production',
  secrets: HFT_SECRETS,
  outside: [],
};

/** A place of its own in the cluster for one system: its manifests name this namespace instead of theirs. */
export interface Place {
  readonly namespace: string;
  /** Text by path, for `files` of a run: the set under `k8s/`. */
  readonly files: Readonly<Record<string, string>>;
  /** A run of deploy-k8s. `without`: files of the set that are left out. */
  step(inputs: Readonly<Record<string, string>>, more?: StepOptions): BundleRun;
  /** What the cluster has under this path of the namespace's group; undefined: nothing. */
  look(path: string): Promise<KubeObject | undefined>;
  /** The image that a Deployment of the system wants, and whether all its pods are of it and ready. */
  truth(): Promise<Truth>;
  close(): Promise<void>;
}

export type StepOptions = Partial<BundleRun> & { readonly without?: readonly string[] };

export interface Truth {
  readonly tag: string | undefined;
  readonly isComplete: boolean;
  readonly replicas: number;
  /** Data of the system's ConfigMap. */
  readonly config: Readonly<Record<string, string>>;
}

export interface PlaceOptions {
  readonly cluster: Cluster;
  /** What the run reaches the cluster by; default: the administrator's. */
  readonly kubeconfig?: string;
  /** Makes the objects that the set refers to (default), or leaves them missing. */
  readonly outside?: 'made' | 'missing';
}

export const tagged = (tag: string): string => `${tag}@sha256:${'ab'.repeat(32)}`;

export async function openPlace(system: System, options: PlaceOptions): Promise<Place> {
  const { cluster } = options;
  const { api } = cluster.admin;
  const namespace = `${system.namespace}-${randomBytes(3).toString('hex')}`;
  await api.create('/api/v1/namespaces', { metadata: { name: namespace } });
  if (options.outside !== 'missing')
    for (const { kind, name } of system.outside)
      await api.create(`/api/v1/namespaces/${namespace}/${kind === 'Secret' ? 'secrets' : 'configmaps'}`, {
        metadata: { name },
      });
  const files = filesOf(system, namespace);
  const look = async (path: string): Promise<KubeObject | undefined> => {
    const { status, body } = await api.request('GET', path);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`${path} was answered with ${status}: ${JSON.stringify(body)}`);
    return body as KubeObject;
  };
  return {
    namespace,
    files,
    look,
    step: (inputs, { without = [], ...more } = {}) => ({
      action: 'deploy-k8s',
      inputs: {
        app: system.app,
        namespace,
        kubeconfig: options.kubeconfig ?? cluster.admin.kubeconfig,
        ...(READS_THE_SET.includes(inputs['mode'] ?? 'deploy') ? setInputs(system) : {}),
        timeout: '2m',
        ...inputs,
      },
      ...more,
      files: {
        ...Object.fromEntries(Object.entries(files).filter(([path]) => !without.includes(path.replace('k8s/', '')))),
        ...more.files,
      },
    }),
    truth: () => truthOf(system, namespace, look),
    close: () => api.delete(`/api/v1/namespaces/${namespace}`),
  };
}

const READS_THE_SET = ['deploy', 'diff', 'rbac'];

const setInputs = ({ secrets }: System): Readonly<Record<string, string>> => ({
  manifests: 'k8s',
  'secret-values': secrets.map((name) => `${name}=value-of-${name.toLowerCase()}`).join('\n'),
});

function filesOf({ folder, namespace: own }: System, namespace: string): Readonly<Record<string, string>> {
  const path = join(ROOT, 'examples', folder);
  return Object.fromEntries(
    readdirSync(path).map((name) => [`k8s/${name}`, renamed(readFileSync(join(path, name), 'utf8'), own, namespace)]),
  );
}

/** Only where the namespace is meant: an app may have the same name. */
function renamed(text: string, own: string, namespace: string): string {
  const named = text
    .replaceAll(`namespace: ${own}\n`, `namespace: ${namespace}\n`)
    .replaceAll(`namespace: ${own} }`, `namespace: ${namespace} }`);
  return /^kind: Namespace$/m.test(text) ? named.replace(`name: ${own}\n`, `name: ${namespace}\n`) : named;
}

interface DeploymentSeen extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly generation: number };
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
  readonly status?: Readonly<Record<string, number>>;
}

async function truthOf(system: System, namespace: string, look: Place['look']): Promise<Truth> {
  const name = deploymentOf(system);
  const found = (await look(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`)) as DeploymentSeen | undefined;
  const config = (await look(`/api/v1/namespaces/${namespace}/configmaps/${name}-config`)) as
    { readonly data?: Record<string, string> } | undefined;
  const status = found?.status ?? {};
  const replicas = found?.spec.replicas ?? 0;
  return {
    tag: /:([^:@]+)(@|$)/.exec(found?.spec.template.spec.containers[0]?.image ?? '')?.[1],
    replicas,
    isComplete:
      found !== undefined &&
      status['observedGeneration'] === found.metadata.generation &&
      status['updatedReplicas'] === replicas &&
      status['replicas'] === replicas &&
      status['availableReplicas'] === replicas,
    config: config?.data ?? {},
  };
}

function deploymentOf(system: System): string {
  const text = readFileSync(join(ROOT, 'examples', system.folder, 'deployment.yml'), 'utf8');
  return (parseAllDocuments(text)[0]?.toJS() as KubeObject).metadata.name;
}
