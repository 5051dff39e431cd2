import { spawn } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { type Cluster, startCluster } from '../sandbox/kubernetes/cluster.ts';
import { startFaultServer } from '../sandbox/kubernetes/faults/fault-server.ts';
import { type Place, WESIGN, openPlace, tagged } from '../test/harness/kubernetes.ts';
import { runBundle, startBundle } from '../test/harness/run-bundle.ts';
import { ensureGoTool } from '../tools/go-tools.mjs';
import { type Bench, type Figure, median } from './figures.ts';

const ROUNDS = 3;
const APPS = 40;
const SET_SECRETS = 'API_TOKEN=a\nSENTRY_DSN=b';

const bench: Bench = {
  title: 'Two sets of manifests applied and awaited: deploy-k8s and kubectl on one API server',
  async run() {
    // Built before anything is measured.
    ensureGoTool('kubectl');
    const cluster = await startCluster();
    try {
      const nine = await compared(cluster, 'nine objects', nineObjects);
      const many = await compared(cluster, `${APPS * 5} objects`, manyObjects);
      return [...nine, ...many, await lagOf(cluster)];
    } finally {
      await cluster.stop();
    }
  },
};
export default bench;

/** A set in a namespace of its own: text by path, and the Deployments to wait for. */
interface ManifestSet {
  readonly namespace: string;
  readonly app: string;
  readonly files: Readonly<Record<string, string>>;
  readonly deployments: readonly string[];
  close(): Promise<void>;
}

type MakeSet = (cluster: Cluster) => Promise<ManifestSet>;

const nineObjects: MakeSet = async (cluster) => {
  const place: Place = await openPlace(WESIGN, { cluster });
  const files = Object.fromEntries(
    Object.entries(place.files).map(([path, text]) => [path, text.replaceAll('{{IMAGE_TAG}}', tagged('1.0.0'))]),
  );
  return { namespace: place.namespace, app: WESIGN.app, files, deployments: ['wesign-charts'], close: place.close };
};

const manyObjects: MakeSet = async (cluster) => {
  const namespace = await cluster.namespace('many');
  const apps = Array.from({ length: APPS }, (_, index) => `app-${index}`);
  return {
    namespace,
    app: 'many',
    files: Object.fromEntries(apps.map((app) => [`k8s/${app}.yml`, fiveObjects(app, namespace)])),
    deployments: apps,
    close: () => cluster.admin.api.delete(`/api/v1/namespaces/${namespace}`),
  };
};

function fiveObjects(name: string, namespace: string): string {
  const labels = { app: name };
  const metadata = { name, namespace, labels };
  const container = { name: 'web', image: 'acme/web:1.0.0', envFrom: [{ configMapRef: { name } }] };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { NAME: name } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [{ port: 80 }] } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { selector: { matchLabels: labels }, template } },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata,
      spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
    },
  ]
    .map((object) => stringify(object))
    .join('---\n');
}

/** What one way of applying a set cost. */
interface Cost {
  readonly seconds: number;
  readonly requests: number;
  readonly connections: number;
  readonly kilobytes: number;
}

type Apply = (set: ManifestSet, kubeconfig: string) => Promise<void>;

async function costOf(cluster: Cluster, make: MakeSet, apply: Apply): Promise<Cost> {
  const set = await make(cluster);
  const server = await startFaultServer(cluster);
  const { kubeconfig } = server.run('measured', { token: cluster.adminToken, namespace: set.namespace });
  const began = performance.now();
  await apply(set, kubeconfig);
  const seconds = (performance.now() - began) / 1_000;
  const { connections, bytesIn, bytesOut } = server.counts();
  const requests = server.calls().length;
  await server.stop();
  await set.close();
  return { seconds, requests, connections, kilobytes: (bytesIn + bytesOut) / 1_000 };
}

const byAction: Apply = async ({ app, namespace, files }, kubeconfig) => {
  const run = await runBundle({
    action: 'deploy-k8s',
    inputs: { app, namespace, manifests: 'k8s', kubeconfig, 'secret-values': SET_SECRETS },
    files,
    timeout: 300_000,
  });
  if (run.outputs['outcome'] !== 'succeeded')
    throw new Error(`deploy-k8s ended ${run.outputs['outcome']}: ${run.stdout}`);
};

const byKubectl: Apply = async ({ namespace, files, deployments }, kubeconfig) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kubectl-'));
  try {
    for (const [path, text] of Object.entries({ ...files, kubeconfig })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    await kubectl(folder, ['apply', '--server-side', '-f', 'k8s']);
    for (const name of deployments)
      await kubectl(folder, ['rollout', 'status', `deployment/${name}`, '-n', namespace, '--timeout=120s']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** A runner is new each time: nothing of an earlier discovery is kept. */
function kubectl(folder: string, args: readonly string[]): Promise<void> {
  const env = { PATH: process.env['PATH'], HOME: folder, KUBECONFIG: join(folder, 'kubeconfig') };
  const child = spawn(ensureGoTool('kubectl'), args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString('utf8')));
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) =>
      code === 0 ? done() : fail(new Error(`kubectl ${args[0]} ended with ${code}: ${said}`)),
    );
  });
}

async function compared(cluster: Cluster, name: string, make: MakeSet): Promise<readonly Figure[]> {
  const own: Cost[] = [];
  const peer: Cost[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await costOf(cluster, make, byAction));
    peer.push(await costOf(cluster, make, byKubectl));
  }
  const middle = (costs: readonly Cost[], what: keyof Cost): number => median(costs.map((cost) => cost[what]));
  const figure = (what: keyof Cost, unit: string, goal: number): Figure => ({
    name: `${name}: ${what}`,
    value: middle(own, what),
    unit,
    goal,
    comparison: { name: 'kubectl', value: middle(peer, what) },
  });
  return [
    figure('seconds', 's', middle(peer, 'seconds')),
    figure('connections', '', 1),
    figure('requests', '', Number.MAX_SAFE_INTEGER),
    figure('kilobytes', 'kB', Number.MAX_SAFE_INTEGER),
  ];
}

interface Watched {
  readonly metadata: { readonly name: string; readonly generation?: number };
  readonly spec?: { readonly replicas?: number };
  readonly status?: Readonly<Record<string, number>>;
}

/** From the moment in which a watcher beside it sees a Deployment rolled out to the line that says so. */
async function lagOf(cluster: Cluster): Promise<Figure> {
  const set = await manyObjects(cluster);
  const stopping = new AbortController();
  const rolledOut = new Map<string, number>();
  const watching = watchUntil(cluster, set, { rolledOut, signal: stopping.signal });
  const run = await startBundle({
    action: 'deploy-k8s',
    inputs: { app: set.app, namespace: set.namespace, manifests: 'k8s', kubeconfig: cluster.admin.kubeconfig },
    files: set.files,
    timeout: 300_000,
  });
  const seen = new Map<string, number>();
  await Promise.all(
    set.deployments.map(async (name) => {
      await run.saw(new RegExp(`/${name} is ready`));
      seen.set(name, performance.now());
    }),
  );
  await run.result;
  stopping.abort();
  await watching;
  await set.close();
  const lags = set.deployments.flatMap((name) => {
    const [from, to] = [rolledOut.get(name), seen.get(name)];
    return from === undefined || to === undefined ? [] : [Math.max(0, to - from)];
  });
  return { name: `p50 from rolled out to seen (n=${lags.length})`, value: median(lags), unit: 'ms', goal: 300 };
}

async function watchUntil(
  cluster: Cluster,
  set: ManifestSet,
  { rolledOut, signal }: { readonly rolledOut: Map<string, number>; readonly signal: AbortSignal },
): Promise<void> {
  try {
    for await (const { object } of cluster.admin.api.watch(
      `/apis/apps/v1/namespaces/${set.namespace}/deployments?timeoutSeconds=600`,
      signal,
    )) {
      const { metadata, spec, status = {} } = object as unknown as Watched;
      const wanted = spec?.replicas ?? 1;
      const isDone =
        status['observedGeneration'] === metadata.generation &&
        status['updatedReplicas'] === wanted &&
        status['availableReplicas'] === wanted;
      if (isDone && !rolledOut.has(metadata.name)) rolledOut.set(metadata.name, performance.now());
    }
  } catch (problem) {
    if (!signal.aborted) throw problem;
  }
}
