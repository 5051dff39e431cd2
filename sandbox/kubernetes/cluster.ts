import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { type Socket, createConnection } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../src/domain/failure.ts';
import { withLock } from '../../tools/setup/lock.mjs';
import { type Identity, type Subject, authorityOf } from '../tls/certificates.ts';
import { MASTERS } from './control-plane.ts';
import { type AwsIdentity, awsIdentity } from './eks/identity.ts';
import type { KeeperSays } from './keeper.ts';
import { type KubeApi, kubeApi } from './kube-api.ts';
import { kubeconfig } from './kubeconfig.ts';

/** Who talks to the cluster, and how. */
export interface ClusterUser {
  readonly name: string;
  /** Everything that kubectl needs, in one text. */
  readonly kubeconfig: string;
  readonly api: KubeApi;
}

export interface Cluster {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  /** PEM of the authority that signed the API server's certificate. */
  readonly authority: string;
  /** A member of system:masters, by certificate. */
  readonly admin: ClusterUser;
  /** The same rights by bearer token. */
  readonly adminToken: string;
  /** Milliseconds that the start took, nodes included. */
  readonly startedIn: number;
  /** A user by client certificate, without any right that RBAC does not grant it. */
  user(name: string, options?: { readonly groups?: readonly string[]; readonly namespace?: string }): ClusterUser;
  /** A service account with its token, made now; the namespace must exist. */
  serviceAccount(namespace: string, name: string): Promise<ClusterUser & { readonly token: string }>;
  /** Somebody in AWS who comes in by a token of EKS, which is taken for `tokenSeconds` (default: 900). Has no right. */
  awsUser(name: string, tokenSeconds?: number): AwsIdentity;
  /** A certificate of the cluster's authority, for a server beside it. */
  issue(subject: Subject): Identity;
  /** A new namespace with a name of its own. */
  namespace(prefix: string): Promise<string>;
  /** Lets go of the cluster; it ends with its last user. */
  stop(): Promise<void>;
}

export interface ClusterOptions {
  /** `shared`: one cluster for all processes that ask within 20 s of each other, namespaces apart. Default: `own`. */
  readonly use?: 'own' | 'shared';
}

const KEEPER = fileURLToPath(new URL('keeper.ts', import.meta.url));
const SHARED_IDLE_MS = 20_000;

/**
 * A real control plane with fake nodes on 127.0.0.1. It ends with the process that holds it, however that ends.
 *
 * @throws Failure when the programs are not there and cannot be built
 */
export async function startCluster({ use = 'own' }: ClusterOptions = {}): Promise<Cluster> {
  const held = use === 'own' ? await own() : await shared();
  const says = await firstLine(held.socket);
  if (says.kind === 'problem') {
    held.release();
    throw new Failure({ what: 'Could not start a Kubernetes cluster', why: says.message });
  }
  return clusterOf(says, held.release);
}

interface Held {
  readonly socket: Socket;
  release(): void;
}

async function own(): Promise<Held> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-keeper-'));
  const path = join(folder, 'k');
  spawnKeeper(path, 0);
  const socket = await connectWithin(path, 20_000);
  return {
    socket,
    release: () => {
      socket.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One socket for this clone and this user; its folder is the user's alone, because who connects is told the keys. */
async function shared(): Promise<Held> {
  const clone = createHash('sha256').update(KEEPER).digest('hex').slice(0, 10);
  const folder = join(tmpdir(), `sluice-keeper-${userInfo().uid}-${clone}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'k');
  const reach = async (): Promise<Socket> => {
    const there = await connect(path);
    if (there !== undefined) return there;
    rmSync(path, { force: true });
    spawnKeeper(path, SHARED_IDLE_MS);
    return connectWithin(path, 20_000);
  };
  const socket = await withLock(join(folder, 'lock'), reach, () => undefined);
  return { socket, release: () => void socket.destroy() };
}

/** Of its own session: a signal to the group of a test run does not take it from the other users. */
function spawnKeeper(path: string, idle: number): void {
  const env = { ...process.env };
  // Flags of a test runner are none of its business.
  delete env['NODE_OPTIONS'];
  spawn(process.execPath, [KEEPER, path, String(idle)], { detached: true, stdio: 'ignore', env }).unref();
}

const connect = (path: string): Promise<Socket | undefined> =>
  new Promise((done) => {
    const socket = createConnection(path);
    socket.once('connect', () => done(socket));
    socket.once('error', () => done(undefined));
  });

async function connectWithin(path: string, limit: number): Promise<Socket> {
  const deadline = performance.now() + limit;
  while (performance.now() < deadline) {
    const socket = await connect(path);
    if (socket !== undefined) return socket;
    await sleep(25);
  }
  throw new Failure({ what: 'Could not start a Kubernetes cluster', why: `its keeper does not listen at ${path}` });
}

async function firstLine(socket: Socket): Promise<KeeperSays> {
  for await (const line of createInterface(socket)) {
    // Nothing more is said; the connection alone keeps the cluster, and does not keep this process.
    socket.unref();
    return JSON.parse(line) as KeeperSays;
  }
  return { kind: 'problem', message: 'its keeper ended before the cluster was there' };
}

function clusterOf(says: KeeperSays & { readonly kind: 'cluster' }, release: () => void): Cluster {
  const { url, adminToken, startedIn } = says;
  const signer = authorityOf(says.authority);
  const authority = signer.cert;
  const clients: KubeApi[] = [];
  const client = (access: Parameters<typeof kubeApi>[0]): KubeApi => {
    const api = kubeApi(access);
    clients.push(api);
    return api;
  };
  const user: Cluster['user'] = (name, { groups = [], namespace } = {}) => {
    const identity = signer.issue({ name, organizations: groups });
    return {
      name,
      kubeconfig: kubeconfig({
        url,
        authority,
        user: { name, identity },
        ...(namespace === undefined ? {} : { namespace }),
      }),
      api: client({ url, authority, identity }),
    };
  };
  const admin = user('sandbox-admin', { groups: [MASTERS] });
  return {
    url,
    authority,
    admin,
    adminToken,
    startedIn,
    user,
    awsUser: (name, tokenSeconds) => awsIdentity(says.eksSeed, name, tokenSeconds),
    issue: signer.issue,
    async serviceAccount(namespace, name) {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
      await admin.api.create(path, { metadata: { name } });
      const { status } = await admin.api.create(`${path}/${name}/token`, { spec: { expirationSeconds: 3600 } });
      const { token } = status as { readonly token: string };
      return {
        name,
        token,
        kubeconfig: kubeconfig({ url, authority, user: { name, token }, namespace }),
        api: client({ url, authority, token }),
      };
    },
    async namespace(prefix) {
      const name = `${prefix}-${randomBytes(4).toString('hex')}`;
      await admin.api.create('/api/v1/namespaces', { metadata: { name } });
      return name;
    },
    async stop() {
      await Promise.all(clients.map((each) => each.close()));
      release();
    },
  };
}
