import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, messageOf } from '../../src/domain/failure.ts';
import { type Authority, authority } from '../tls/certificates.ts';
import { type Authenticator, startAuthenticator } from './eks/authenticator.ts';
import { type KubeApi, kubeApi } from './kube-api.ts';
import { kubeconfig } from './kubeconfig.ts';

/** Members of this group may do everything, whatever RBAC says. */
export const MASTERS = 'system:masters';

export interface ControlPlane {
  readonly url: string;
  readonly authority: Authority;
  /** A bearer token of a user in {@link MASTERS}, for clients that take no certificate. */
  readonly adminToken: string;
  /** What identities of AWS are made of that come in by a token of EKS. */
  readonly eksSeed: string;
  /** As a user in {@link MASTERS}. */
  readonly api: KubeApi;
  /** Milliseconds from the first process to an API server with its controllers. */
  readonly startedIn: number;
  stop(): Promise<void>;
}

/** A port may be taken between the look and its use; then the next one is tried. */
const ATTEMPTS = 4;
const START_LIMIT_MS = 180_000;

/** Starts etcd, kube-apiserver and kube-controller-manager of `programs` on 127.0.0.1, with new keys and an empty store. */
export async function startControlPlane(programs: string): Promise<ControlPlane> {
  let problem: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      return await start(programs);
    } catch (caught) {
      problem = caught;
      if (!/address already in use/.test(messageOf(caught))) break;
    }
  }
  throw problem;
}

async function start(programs: string): Promise<ControlPlane> {
  const began = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-k8s-'));
  const children: Child[] = [];
  let authenticator: Authenticator | undefined;
  const stop = async (): Promise<void> => {
    await authenticator?.close();
    await Promise.all(children.toReversed().map((child) => child.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  const run = (name: string, args: readonly string[]): void => {
    children.push(startChild(name, { path: join(programs, name), args, folder }));
  };
  try {
    const port = await freePort();
    const url = `https://127.0.0.1:${port}`;
    const files = await writeFiles(folder, url);
    const eksSeed = randomBytes(16).toString('hex');
    const webhook = files.authority.issue({ name: 'authenticator', hosts: ['127.0.0.1'] });
    authenticator = await startAuthenticator(webhook, eksSeed);
    await writeWebhook(folder, { url: authenticator.url, authority: files.authority.cert });
    const admin = files.authority.issue({ name: 'sandbox-admin', organizations: [MASTERS] });
    const api = kubeApi({ url, authority: files.authority.cert, identity: admin });
    run('etcd', etcdArguments(folder));
    run('kube-apiserver', apiServerArguments(folder, port));
    await ready(api, children);
    run('kube-controller-manager', controllerArguments(folder));
    await controllersWork(api, children);
    return {
      url,
      authority: files.authority,
      adminToken: files.adminToken,
      eksSeed,
      api,
      startedIn: performance.now() - began,
      async stop() {
        await api.close();
        await stop();
      },
    };
  } catch (problem) {
    await stop();
    throw problem;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

async function writeFiles(
  folder: string,
  url: string,
): Promise<{ readonly authority: Authority; readonly adminToken: string }> {
  const signer = authority('sandbox');
  const server = signer.issue({
    name: 'kube-apiserver',
    hosts: ['127.0.0.1', 'localhost', 'kubernetes.default.svc', '10.96.0.1'],
  });
  const accounts = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const adminToken = randomBytes(24).toString('hex');
  const controllers = signer.issue({
    name: 'system:kube-controller-manager',
    organizations: [MASTERS],
  });
  const text: Readonly<Record<string, string>> = {
    'ca.crt': signer.cert,
    'ca.key': signer.key,
    'server.crt': server.cert,
    'server.key': server.key,
    'accounts.key': accounts.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    'accounts.pub': accounts.publicKey.export({ type: 'spki', format: 'pem' }) as string,
    'tokens.csv': `${adminToken},sandbox-admin,sandbox-admin,"${MASTERS}"\n`,
    'controllers.yaml': kubeconfig({
      url,
      authority: signer.cert,
      user: { name: 'controllers', identity: controllers },
    }),
  };
  await Promise.all(
    Object.entries(text).map(([name, content]) => writeFile(join(folder, name), content, { mode: 0o600 })),
  );
  return { authority: signer, adminToken };
}

const writeWebhook = (folder: string, at: { readonly url: string; readonly authority: string }): Promise<void> =>
  writeFile(join(folder, 'authenticator.yaml'), kubeconfig({ ...at, user: { name: 'kube-apiserver' } }), {
    mode: 0o600,
  });

/** Sockets of files: no port to find, and nobody else of this machine can reach the store. */
const etcdArguments = (folder: string): readonly string[] => [
  '--name=sandbox',
  `--data-dir=${folder}/etcd`,
  `--listen-client-urls=unix://${folder}/etcd.sock`,
  '--advertise-client-urls=unix://sandbox:2',
  `--listen-peer-urls=unix://${folder}/peer.sock`,
  // A name in the form that is asked for: there is no peer to come.
  '--initial-advertise-peer-urls=unix://sandbox:1',
  '--initial-cluster=sandbox=unix://sandbox:1',
  // A store that ends with its test has nothing to lose.
  '--unsafe-no-fsync',
  '--log-level=warn',
];

const apiServerArguments = (folder: string, port: number): readonly string[] => [
  `--etcd-servers=unix://${folder}/etcd.sock`,
  '--bind-address=127.0.0.1',
  '--advertise-address=127.0.0.1',
  '--endpoint-reconciler-type=none',
  `--secure-port=${port}`,
  `--tls-cert-file=${folder}/server.crt`,
  `--tls-private-key-file=${folder}/server.key`,
  `--client-ca-file=${folder}/ca.crt`,
  `--token-auth-file=${folder}/tokens.csv`,
  // Whoever none of the others know: tokens of EKS.
  `--authentication-token-webhook-config-file=${folder}/authenticator.yaml`,
  '--authentication-token-webhook-version=v1',
  // A token that has ended is not taken for long.
  '--authentication-token-webhook-cache-ttl=100ms',
  '--service-account-issuer=https://kubernetes.default.svc',
  `--service-account-signing-key-file=${folder}/accounts.key`,
  `--service-account-key-file=${folder}/accounts.pub`,
  '--service-cluster-ip-range=10.96.0.0/16',
  '--authorization-mode=Node,RBAC',
  '--allow-privileged=true',
  '--profiling=false',
];

/** The controllers that a release meets. The rest look after machines, clouds and disks, which are not here. */
const CONTROLLERS = [
  '*',
  '-node-ipam-controller',
  '-node-lifecycle-controller',
  '-node-route-controller',
  '-cloud-node-lifecycle-controller',
  '-service-lb-controller',
  '-certificatesigningrequest-signing-controller',
  '-certificatesigningrequest-approving-controller',
  '-certificatesigningrequest-cleaner-controller',
  '-bootstrap-signer-controller',
  '-token-cleaner-controller',
  '-ttl-controller',
];

const controllerArguments = (folder: string): readonly string[] => [
  `--kubeconfig=${folder}/controllers.yaml`,
  '--secure-port=0',
  '--leader-elect=false',
  `--controllers=${CONTROLLERS.join(',')}`,
  `--service-account-private-key-file=${folder}/accounts.key`,
  `--root-ca-file=${folder}/ca.crt`,
  '--kube-api-qps=300',
  '--kube-api-burst=600',
  '--horizontal-pod-autoscaler-sync-period=2s',
  '--profiling=false',
];

interface Child {
  readonly name: string;
  /** What it said last, once it has ended. */
  ended(): string | undefined;
  stop(): Promise<void>;
}

interface Start {
  readonly path: string;
  readonly args: readonly string[];
  readonly folder: string;
}

function startChild(name: string, { path, args, folder }: Start): Child {
  const child: ChildProcess = spawn(path, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  let end: string | undefined;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-8_000)));
  const gone = new Promise<void>((done) => {
    const finish = (how: string): void => {
      end = `${name} ended with ${how}: ${said.trim().split('\n').slice(-3).join(' ') || 'it said nothing'}`;
      done();
    };
    child.once('error', (problem) => finish(problem.message));
    child.once('close', (code, signal) => finish(String(signal ?? code)));
  });
  return {
    name,
    ended: () => end,
    async stop() {
      // Nothing of it is kept, so it need not say goodbye.
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Every process in the right order is worth waiting for; one that has ended is not. */
async function until(children: readonly Child[], what: string, look: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  let last = '';
  while (performance.now() < deadline) {
    const ended = children.map((child) => child.ended()).find((end) => end !== undefined);
    if (ended !== undefined) throw new Failure({ what: 'Could not start the control plane', why: ended });
    try {
      if (await look()) return;
    } catch (problem) {
      last = messageOf(problem);
    }
    await sleep(50);
  }
  throw new Failure({ what: `Could not start the control plane`, why: `${what} after 180 s; last answer: ${last}` });
}

const ready = (api: KubeApi, children: readonly Child[]): Promise<void> =>
  until(children, 'the API server is not ready', async () => (await api.request('GET', '/readyz')).status === 200);

/** The account that every pod needs is made by a controller: once it is there, controllers run. */
const controllersWork = (api: KubeApi, children: readonly Child[]): Promise<void> =>
  until(
    children,
    'the controllers do nothing',
    async () => (await api.request('GET', '/api/v1/namespaces/default/serviceaccounts/default')).status === 200,
  );
