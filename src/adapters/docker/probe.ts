import type { Builder, Probe } from '../../domain/image-build/engine.ts';
import type { Programs } from '../../ports/programs.ts';

interface Info {
  readonly ServerVersion?: string;
  readonly DockerRootDir?: string;
  readonly DriverStatus?: readonly (readonly string[])[] | null;
  readonly ServerErrors?: readonly string[];
  readonly ClientInfo?: {
    readonly Plugins?: readonly { readonly Name?: string; readonly Version?: string; readonly Err?: string }[];
  };
}

export interface Probed extends Probe {
  /** Where the engine keeps its layers, on its machine. */
  readonly root?: string;
}

export interface Asking {
  readonly programs: Programs;
  readonly env: Readonly<Record<string, string>>;
  /** Of buildx; undefined: the one that the user chose. */
  readonly builder?: string | undefined;
}

/** Asks every docker on PATH what it is and what it reaches, side by side. */
export async function probeEngines(asking: Asking, signal: AbortSignal): Promise<readonly Probed[]> {
  const clients = await asking.programs.find('docker');
  return Promise.all(clients.map((client) => probe(client, asking, signal)));
}

async function probe(client: string, { programs, env, builder: wanted }: Asking, signal: AbortSignal): Promise<Probed> {
  const inspect = ['buildx', 'inspect', ...(wanted === undefined ? [] : [wanted])];
  const [version, info, inspected] = await Promise.all([
    programs.run(client, { args: ['--version'], env }, signal),
    programs.run(client, { args: ['info', '--format', '{{json .}}'], env }, signal),
    // Asked before it is known whether there is a plugin: one wait, and not two.
    programs.run(client, { args: inspect, env }, signal),
  ]);
  const clientVersion = /version v?(\d+(?:\.\d+)*)/i.exec(version.stdout)?.[1];
  const said = readInfo(info.stdout);
  const plugin = said.ClientInfo?.Plugins?.find(({ Name, Err }) => Name === 'buildx' && !Err);
  const problem = said.ServerErrors?.[0] ?? lastLine(info.stderr);
  const builder = inspected.code === 0 ? builderIn(inspected.stdout, said) : undefined;
  return {
    client,
    ...(clientVersion === undefined ? {} : { clientVersion }),
    ...(plugin === undefined ? {} : { buildxVersion: plugin.Version ?? '' }),
    ...(plugin === undefined
      ? {}
      : builder === undefined
        ? {
            builderProblem:
              lastLine(inspected.stderr) || problemIn(inspected.stdout) || 'docker buildx inspect names no driver',
          }
        : { builder }),
    ...(said.ServerVersion
      ? { serverVersion: said.ServerVersion }
      : { serverProblem: problem || 'its engine does not answer' }),
    ...(said.DockerRootDir ? { root: said.DockerRootDir } : {}),
  };
}

/** Of the text of `docker buildx inspect`, which has no other form in the releases that are in use. */
function builderIn(text: string, { DriverStatus }: Info): Builder | undefined {
  const [, name = ''] = /^Name:[ \t]*(\S+)/m.exec(text) ?? [];
  // Empty where the builder is that of an engine which does not answer.
  const driver = /^Driver:[ \t]*(\S+)/m.exec(text)?.[1];
  if (driver === undefined) return undefined;
  // Newer engines say it of the worker, to the plugin; older ones to `docker info` alone.
  const isContainerd =
    /^\s*org\.mobyproject\.buildkit\.worker\.snapshotter:/m.test(text) ||
    DriverStatus?.some(([key, value]) => key === 'driver-type' && value?.startsWith('io.containerd.')) === true;
  // The builder has a name, and each node has one.
  const nodes = [...text.matchAll(/^Name:/gm)].length - 1;
  const problem = problemIn(text);
  return {
    name,
    driver,
    store: isContainerd ? 'containerd' : 'other',
    nodes,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Said in the text; the plugin ends well all the same. */
const problemIn = (text: string): string | undefined => /^Error:[ \t]*(.+)$/m.exec(text)?.[1]?.slice(0, 300);

function readInfo(text: string): Info {
  try {
    return JSON.parse(text) as Info;
  } catch {
    return {};
  }
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
