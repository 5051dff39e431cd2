import { homedir } from 'node:os';
import { join } from 'node:path';
import { apiHost, registryKind } from '../../domain/image-build/registries.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ContainerEngine } from '../../ports/container-engine.ts';
import type { CredentialsSource, ImageRegistry } from '../../ports/image-registry.ts';
import type { Log } from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';
import type { AwsSession, SessionRequest } from '../aws/session.ts';
import { imageRegistry } from '../registry/registry.ts';
import { systemPrograms } from '../system/programs.ts';
import { systemRandom } from '../system/random.ts';
import { type UserConfig, makeConfigFolder, readUserConfig, removeConfigFolder } from './config-folder.ts';
import { userCredentials } from './credentials.ts';
import { dockerEngine } from './engine.ts';

export interface OpenRequest {
  /** Registries that are read or written. */
  readonly hosts: readonly string[];
  readonly secrets: readonly { readonly id: string; readonly content: string }[];
  readonly token: string | undefined;
  readonly aws: SessionRequest;
  /** Called with the path before the folder is made. */
  readonly onFolder: (path: string) => void;
  readonly onLine: (line: string) => void;
}

/** The part of ActionTools that is needed. */
export interface OpenTools {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly run: {
    readonly workspace: string;
    readonly temp: string;
    readonly actor: string;
    readonly runId: string;
    readonly attempt: number;
  };
  mask(value: string): void;
  environment(name: string): string | undefined;
}

export interface OpenedPorts {
  readonly ports: {
    readonly registry: (host: string) => ImageRegistry;
    readonly engine: ContainerEngine;
    readonly random: Random;
  };
  /** Of the first ECR registry; asked for only where there is one. */
  readonly aws: (region: string) => Promise<AwsSession>;
  /** With which other programs read the registries as this run does. */
  readonly env: Readonly<Record<string, string>>;
  /** Of this run alone; gone with `close`, and after a crash by `post`. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Logs in to what the tags name and to nothing else: ECR by the SDK, GHCR by the token of the job, others as the user is. */
export async function openPorts(request: OpenRequest, tools: OpenTools): Promise<OpenedPorts> {
  const programs = systemPrograms();
  const random = systemRandom();
  const builders = tools.environment('BUILDX_CONFIG');
  const user = {
    ...(await readUserConfig(tools.environment('DOCKER_CONFIG') ?? join(homedir(), '.docker'))),
    ...(builders === undefined ? {} : { builders }),
  };
  const sessions = new Map<string, Promise<AwsSession>>();
  const aws = (region: string): Promise<AwsSession> => {
    const session = sessions.get(region) ?? openSession(region, request, tools);
    sessions.set(region, session);
    return session;
  };
  const sources = new Map<string, CredentialsSource>();
  const sourceOf = (host: string): CredentialsSource => {
    const source = sources.get(host) ?? credentialsOf(host, { request, tools, user, aws, programs });
    sources.set(host, source);
    return source;
  };
  const path = join(tools.run.temp, `sluice-docker-${random.token()}`);
  request.onFolder(path);
  const folder = await makeConfigFolder(path, user);
  // Proxies and the context of the user hold from the first call on.
  await folder.write(new Map());
  const registries = new Map<string, ImageRegistry>();
  const engine = dockerEngine({
    programs,
    folder,
    workspace: tools.run.workspace,
    logins: new Map(
      request.hosts.filter((host) => registryKind(host).kind !== 'other').map((host) => [host, sourceOf(host)]),
    ),
    secrets: request.secrets,
    onLine: request.onLine,
  });
  return {
    aws,
    env: folder.env,
    folder: path,
    ports: {
      random,
      engine,
      registry(host) {
        const registry =
          registries.get(host) ??
          imageRegistry({ host: apiHost(host), credentials: sourceOf(host) }, { ...tools, random });
        registries.set(host, registry);
        return registry;
      },
    },
    close: () => removeConfigFolder(path),
  };
}

interface Ways {
  readonly request: OpenRequest;
  readonly tools: OpenTools;
  readonly user: UserConfig;
  readonly aws: (region: string) => Promise<AwsSession>;
  readonly programs: ReturnType<typeof systemPrograms>;
}

function credentialsOf(host: string, { request, tools, user, aws, programs }: Ways): CredentialsSource {
  const kind = registryKind(host);
  if (kind.kind === 'ecr') {
    let opened: Promise<CredentialsSource> | undefined;
    return async (wanted, signal) => {
      opened ??= aws(kind.region).then(async (session) => {
        const { ecrCredentials } = await import('../aws/ecr-login.ts');
        return ecrCredentials(kind, session, tools.mask);
      });
      return (await opened)(wanted, signal);
    };
  }
  const { token } = request;
  if (kind.kind === 'ghcr' && token !== undefined)
    return () => Promise.resolve({ username: tools.run.actor, password: token });
  return userCredentials(host, user, programs);
}

async function openSession(region: string, { aws }: OpenRequest, tools: OpenTools): Promise<AwsSession> {
  const { awsSession } = await import('../aws/session.ts');
  return awsSession({ ...aws, region }, tools, tools.signal);
}
