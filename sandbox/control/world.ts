import { randomBytes } from 'node:crypto';
import type { State } from '../core/types.ts';
import { loadBalancers } from '../plane/load-balancer.ts';
import type { Ending } from '../plane/recorder.ts';
import { inProcessTaskRunner } from '../plane/task-runner-in-process.ts';
import { processTaskRunner } from '../plane/task-runner-processes.ts';
import type { LoggingTaskRunner, TargetGroupCounts } from '../plane/types.ts';
import { accountServer } from './account.ts';
import type { CallEntry } from './call-log.ts';
import type { SandboxClock } from './clock.ts';
import type { Services } from './dispatch.ts';
import type { FargateAccount } from './fargate.ts';
import { type Armed, type Faults, FIXTURE, type Kill } from './faults.ts';
import type { Served } from './front.ts';
import { imageStore, type NewImage, type PublishedImage } from './images.ts';
import type { Moto } from './moto.ts';
import { type Names, names } from './names.ts';
import { defaultNetwork, type Network } from './network.ts';
import { ownPages } from './own-pages.ts';
import { travel } from './region.ts';
import { openRegions } from './regions.ts';
import { openSessions, type Session } from './sessions.ts';

export interface WorldOptions {
  /** Default us-west-2. Other regions of the account exist too; this one is in `env`. */
  readonly region?: string;
  /** The same seed gives the same ids and the same draws of the load balancer. */
  readonly seed?: number;
  /** `processes`: each task is a child process (the default with real time); `in-process`: sockets of this process. */
  readonly tasks?: 'processes' | 'in-process';
  /** Twelve digits; free by default. */
  readonly account?: string;
  readonly dns?: {
    /** Milliseconds until a change of Route 53 is everywhere; default 2 s in real time, 30 s in lock-step. */
    readonly syncWithin?: number;
    /** Milliseconds that an alias lives in caches; default 60 s, as with load balancers. */
    readonly aliasLife?: number;
  };
  /** Lock-step: where time starts, epoch milliseconds; default now. */
  readonly start?: number;
}

/** What an SDK client of a fixture takes: `new ECSClient(world.client())`. */
export interface ClientConfig {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  };
}

/** One AWS account of its own: state, load balancers, tasks, call log, faults. */
export interface World {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly clock: SandboxClock['kind'];
  /** Of the run `action`: what the tested process gets. */
  readonly env: Readonly<Record<string, string>>;
  /** Another run: own keys, own ordinals in the call log, own faults. */
  run(name: string): Promise<Readonly<Record<string, string>>>;
  /** Credentials of the run `fixture`, which faults and kills leave alone unless they name it. */
  client(options?: { readonly region?: string }): ClientConfig;
  /** The default network of a region, which every account has: what load balancers and tasks are put into. */
  network(region?: string): Promise<Network>;
  /** What the account may run on Fargate, and runs elsewhere; in vCPU. */
  fargate(account: Parameters<FargateAccount['set']>[0], region?: string): void;
  publishImage(image: NewImage, region?: string): Promise<PublishedImage>;
  /** Where the listener really listens; undefined: there is none with this ARN. */
  listenerUrl(listenerArn: string): string | undefined;
  targetGroupCounts(targetGroupArn: string): TargetGroupCounts;
  /** Lock-step: a request that a target group is taken to have served now; CloudWatch and the metrics page count it. */
  played(targetGroupArn: string, ending: Ending): void;
  /** The names of the account's hosted zones, as clients meet them. */
  readonly names: Names;
  /** The last lines that a task printed, by its id. */
  taskLogs(id: string): readonly string[];
  calls(): readonly CallEntry[];
  readonly faults: Faults;
  killAt(kill: Kill): Armed;
  now(): number;
  /** Lock-step: moves time and lets everything happen that is due on the way. */
  advance(length: number): Promise<void>;
  /** What the core believes of a region; to be looked at, never changed. */
  state(region?: string): State;
  close(): Promise<void>;
}

export interface OpenWorld {
  readonly world: World;
  readonly served: Served;
}

export interface WorldParts extends WorldOptions {
  readonly account: string;
  readonly name: string;
  readonly front: string;
  readonly moto: Moto;
  readonly clock: SandboxClock;
  readonly log: (line: string) => void;
}

const ACTION = 'action';

export async function openWorld(parts: WorldParts): Promise<OpenWorld> {
  const { moto, account, name, front, clock, log } = parts;
  const home = parts.region ?? 'us-west-2';
  const seed = String(parts.seed ?? 1);
  const sessions = openSessions({ moto, account, region: home, now: clock.now });
  const role = `arn:aws:iam::${account}:role/sandbox`;
  const [action, fixture] = await Promise.all([
    sessions.issue(role, { run: ACTION, name: ACTION }),
    sessions.issue(role, { run: FIXTURE, name: FIXTURE }),
  ]);
  const bearer = randomBytes(16).toString('hex');
  const runner = taskRunner(parts);
  const balancers = loadBalancers({ seed, now: clock.now });
  const images = imageStore(moto, account, fixture.accessKey);
  const regions = openRegions({
    moto,
    account,
    accessKey: fixture.accessKey,
    seed,
    clock,
    sessions,
    runner,
    balancers,
    images,
    syncWithin: syncWithinOf(parts),
    log,
  });
  const named = names({ regions, seed, aliasLife: parts.dns?.aliasLife ?? 60_000 });
  const services = async (region: string): Promise<Services> => regions.of(region);
  const server = accountServer({ clock, sessions, home, services, regions: regions.all, log });
  const environment = environmentOf({ account, name, front, region: home, bearer });

  const world: World = {
    name,
    account,
    region: home,
    clock: clock.kind,
    env: environment(action),
    run: async (run) => environment(await sessions.issue(role, { run, name: run })),
    client: ({ region = home } = {}) => clientConfig(fixture, { region, endpoint: front }),
    network: (region = home) => defaultNetwork(moto, { accessKey: fixture.accessKey, region }),
    fargate: (given, region = home) => regions.of(region).fargate.set(given),
    publishImage: (image, region = home) => images.publish(image, region),
    listenerUrl: (arn) => regions.find(({ elb }) => elb.listenerUrl(arn)),
    targetGroupCounts: (arn) => balancers.counts(arn),
    played: balancers.played,
    names: named,
    taskLogs: (id) => runner.logs(id),
    calls: server.calls,
    faults: server.faults,
    killAt: (kill) => server.faults.kill(kill),
    now: clock.now,
    advance: (length) => server.exclusive(() => travel(regions.all(), clock, clock.now() + length)),
    state: (region = home) => regions.of(region).region.state(),
    async close() {
      for (const region of regions.all()) region.close();
      await runner.stopAll();
      await balancers.close();
      await named.close();
    },
  };

  const owns = (accessKey: string): boolean => sessions.of(accessKey) !== undefined;
  const serveOwn = ownPages({ sessions, regions, balancers, bearer, calls: server.calls });
  return { world, served: { name, account, owns, serve: server.serve, serveOwn } };
}

const syncWithinOf = ({ dns, clock }: WorldParts): number =>
  dns?.syncWithin ?? (clock.kind === 'real' ? 2_000 : 30_000);

const clientConfig = (session: Session, at: Pick<ClientConfig, 'region' | 'endpoint'>): ClientConfig => ({
  ...at,
  credentials: { accessKeyId: session.accessKey, secretAccessKey: session.secretKey, sessionToken: session.token },
});

function taskRunner({ tasks, clock }: WorldParts): LoggingTaskRunner {
  const kind = tasks ?? (clock.kind === 'real' ? 'processes' : 'in-process');
  return kind === 'processes' ? processTaskRunner() : inProcessTaskRunner({ now: clock.now });
}

interface Place {
  readonly account: string;
  readonly name: string;
  readonly front: string;
  readonly region: string;
  readonly bearer: string;
}

/** What a step on a runner would have in its environment. The bearer carries the run, so that its sessions count as its own. */
const environmentOf =
  ({ account, name, front, region, bearer }: Place) =>
  (session: Session): Readonly<Record<string, string>> => ({
    AWS_ENDPOINT_URL: front,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: session.accessKey,
    AWS_SECRET_ACCESS_KEY: session.secretKey,
    AWS_SESSION_TOKEN: session.token,
    AWS_ACCOUNT_ID: account,
    // No look at a metadata service, no files of the machine.
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    ACTIONS_ID_TOKEN_REQUEST_URL: `${front}/sandbox/${name}/oidc?api-version=2.0`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: `${bearer}.${session.run}`,
    SLUICE_SANDBOX_URL: `${front}/sandbox/${name}`,
  });
