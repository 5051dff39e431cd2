import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute } from '../../../actions/build-image/src/execute.ts';
import type { BuildPorts } from '../../../actions/build-image/src/execute/ports.ts';
import { type BuildRequest, spec, toRequest } from '../../../actions/build-image/src/inputs.ts';
import { type BuildPlan, planBuild } from '../../../actions/build-image/src/plan.ts';
import type { BuildResult } from '../../../actions/build-image/src/result.ts';
import { makeConfigFolder, readUserConfig } from '../../../src/adapters/docker/config-folder.ts';
import { dockerEngine } from '../../../src/adapters/docker/engine.ts';
import { imageRegistry } from '../../../src/adapters/registry/registry.ts';
import type { BaseLine } from '../../../src/domain/image-build/dockerfile.ts';
import { InvalidInput } from '../../../src/domain/inputs.ts';
import type { CredentialsSource } from '../../../src/ports/image-registry.ts';
import type { ProgramResult, Programs } from '../../../src/ports/programs.ts';
import { readInputs } from '../../../src/runtime/read-inputs.ts';
import { EVENTS, type EventName, tools } from '../../domain/tags/events.ts';
import { fakeClock } from '../../fakes/clock.ts';
import { type RecordingLog, recordingLog } from '../../fakes/log.ts';
import type { Services } from './services.ts';

/** What a client of the engine says of a call, given its configuration; undefined: it builds and pushes as it should. */
export type Docker = (
  args: readonly string[],
  config: string,
  /** The file that buildx is told to write. */
  metadata: (value: object) => void,
) => ProgramResult | undefined;

export interface Play {
  readonly inputs: Readonly<Record<string, string>>;
  readonly event?: EventName;
  readonly docker?: Docker;
  /** Files named docker on PATH. */
  readonly clients?: readonly string[];
  /** Of `docker info`. */
  readonly info?: object;
  /** Of `docker buildx inspect`; without it there is no plugin. */
  readonly builder?: string | ProgramResult;
  readonly freeBytes?: number;
  /** Of the registry; none by default. */
  readonly credentials?: CredentialsSource;
  /** What happens while the image is scanned, which then has no findings; undefined: no scan. */
  readonly scan?: () => unknown;
  /** Of the Dockerfile. */
  readonly baseLine?: BaseLine;
  /** Variables of the step. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Played {
  readonly log: RecordingLog;
  /** Every call of the client but those that ask what it is, and those of `local`. */
  readonly commands: readonly (readonly string[])[];
  /** Calls about names in the engine, which no registry sees. */
  readonly local: readonly string[];
  readonly result: BuildResult | undefined;
  /** undefined: it came to none. */
  readonly plan: BuildPlan | undefined;
  /** Message of what was thrown; empty: nothing. */
  readonly failure: string;
  /** What was thrown is a problem of the inputs. */
  readonly isInput: boolean;
}

export const ended = (code: number, text: string): ProgramResult => ({ code, stdout: '', stderr: text });

/**
 * One build with the action's own code, its own client of registries and its own way to ask the engine. The engine's client
 * is played: what a real one says in words that cannot be had here, several platforms among them.
 */
export async function play(services: Services, given: Play): Promise<Played> {
  const { event = 'main', info = { ServerVersion: '20.10.24' }, clients = ['/usr/bin/docker'] } = given;
  const log = recordingLog();
  const commands: (readonly string[])[] = [];
  const local: string[] = [];
  const path = await mkdtemp(join(tmpdir(), 'sluice-played-'));
  const programs: Programs = {
    find: () => Promise.resolve(clients),
    async run(_client, { args }) {
      if (args[0] === '--version') return said('Docker version 20.10.24, build 297e128');
      if (args[0] === 'info')
        return said(JSON.stringify({ ...info, ...(given.builder === undefined ? {} : { ClientInfo: PLUGIN }) }));
      if (args[0] === 'buildx' && args[1] === 'inspect') return inspected(given.builder);
      if (args[0] === 'image' || args[0] === 'tag') {
        local.push(args.join(' '));
        const [, of = ''] = /^[^/]+\/(.+):/.exec(args.at(-1) ?? '') ?? [];
        return said(args[1] === 'inspect' ? `${services.imageId(of, labelsIn(commands))}\n` : '');
      }
      commands.push(args);
      const config = await readFile(join(path, 'config.json'), 'utf8').catch(() => '{}');
      const metadata = (value: object): void =>
        writeFileSync(args[args.indexOf('--metadata-file') + 1] ?? '', JSON.stringify(value));
      return given.docker?.(args, config, metadata) ?? (await pushed(services, args, labelsIn(commands)));
    },
  };
  const logins = new Map(given.credentials === undefined ? [] : [[services.host, given.credentials] as const]);
  try {
    const folder = await makeConfigFolder(path, await readUserConfig(path));
    const engine = dockerEngine({
      programs,
      folder,
      workspace: path,
      logins,
      secrets: [],
      onLine: log.info,
    });
    const clock = fakeClock({ mode: 'automatic' });
    const random = { fraction: () => 0, token: () => 'token' };
    const plan = planBuild(await requestOf(given.inputs, path), {
      git: EVENTS[event],
      repository: { name: 'shop' },
      tools,
      environment: (name) => given.environment?.[name],
    });
    if (!plan.ok) throw new InvalidInput('The inputs of build-image', plan.problems);
    for (const note of plan.value.notes) log.warning(note);
    const registry = (host: string) =>
      imageRegistry(
        { host, credentials: () => Promise.resolve(undefined) },
        { clock, random, log, mask: () => undefined },
      );
    const { freeBytes } = given;
    const result = await execute(
      plan.value,
      {
        registry,
        engine: freeBytes === undefined ? engine : { ...engine, free: () => Promise.resolve(freeBytes) },
        clock,
        random,
        log,
        tools,
        baseLine: given.baseLine,
        scan: scanOf(given.scan),
        run: { repository: 'acme/shop', runId: '4711', attempt: 1 },
        onWrite: () => undefined,
      },
      new AbortController().signal,
    );
    return { log, commands, local, result, plan: plan.value, failure: '', isInput: false };
  } catch (thrown) {
    const failure = thrown instanceof Error ? thrown.message : String(thrown);
    return {
      log,
      commands,
      local,
      result: undefined,
      plan: undefined,
      failure,
      isInput: thrown instanceof InvalidInput,
    };
  } finally {
    await rm(path, { recursive: true });
  }
}

function scanOf(meanwhile: Play['scan']): BuildPorts['scan'] {
  if (meanwhile === undefined) return undefined;
  return () => {
    meanwhile();
    const counted = { critical: 0, high: 0, medium: 0, low: 0, negligible: 0 };
    return Promise.resolve({ kind: 'pass', scanner: 'played', findings: [], counted, over: [], ignores: [] });
  };
}

const PLUGIN = { Plugins: [{ Name: 'buildx', Version: 'v0.13.1' }] };

/** In the form of buildx; the words of a client without it are those of Docker 20.10. */
function inspected(builder: Play['builder']): ProgramResult {
  if (builder === undefined) return ended(1, "docker: 'buildx' is not a docker command.");
  return typeof builder === 'string' ? said(builder) : builder;
}

const said = (stdout: string): ProgramResult => ({ code: 0, stdout, stderr: '' });

async function requestOf(inputs: Readonly<Record<string, string>>, workspace: string): Promise<BuildRequest> {
  const environment = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  const read = await readInputs(spec, { action: 'build-image', environment, workspace, mask: () => undefined });
  if (!read.ok) throw new InvalidInput('The inputs of build-image', read.problems);
  const request = toRequest(read.value.values);
  if (!request.ok) throw new InvalidInput('The inputs of build-image', request.problems);
  if (request.value.mode !== 'build') throw new Error('only builds are played');
  return request.value;
}

/** What the client's commands do, as far as anybody sees it: an image with the labels is in the registry. */
async function pushed(
  services: Services,
  args: readonly string[],
  labels: Readonly<Record<string, string>>,
): Promise<ProgramResult> {
  const [, repository] = /name=[^/]+\/([^,]+),push-by-digest=true/.exec(args[args.indexOf('--output') + 1] ?? '') ?? [];
  if (args[1] === 'build' && repository !== undefined) {
    const { digest } = services.put(repository, UNTAGGED, labels);
    await writeFile(
      args[args.indexOf('--metadata-file') + 1] ?? '',
      JSON.stringify({ 'containerimage.digest': digest }),
    );
  }
  if (args[0] !== 'push') return said('');
  const [, path = '', tag = ''] = /^[^/]+\/(.+):([^:]+)$/.exec(args[1] ?? '') ?? [];
  const { digest } = services.put(path, tag, labels);
  return said(`${tag}: digest: ${digest} size: 1`);
}

/** No name that a registry takes. */
const UNTAGGED = '';

/** Of every command so far. */
const labelsIn = (commands: readonly (readonly string[])[]): Record<string, string> =>
  Object.fromEntries(
    commands.flatMap((args) =>
      args.flatMap((word, index) => (args[index - 1] === '--label' ? [word.split(/=(.*)/s).slice(0, 2)] : [])),
    ),
  ) as Record<string, string>;

export const hexOf = (text: string): string => createHash('sha256').update(text).digest('hex');
