import type { Probe } from '../../domain/image-build/engine.ts';
import type { Programs } from '../../ports/programs.ts';

interface Info {
  readonly ServerVersion?: string;
  readonly DockerRootDir?: string;
  readonly ServerErrors?: readonly string[];
  readonly ClientInfo?: {
    readonly Plugins?: readonly { readonly Name?: string; readonly Version?: string; readonly Err?: string }[];
  };
}

export interface Probed extends Probe {
  /** Where the engine keeps its layers, on its machine. */
  readonly root?: string;
}

/** Asks every docker on PATH what it is and what it reaches, side by side. */
export async function probeEngines(
  programs: Programs,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly Probed[]> {
  const clients = await programs.find('docker');
  return Promise.all(clients.map((client) => probe(client, { programs, env, signal })));
}

interface Asking {
  readonly programs: Programs;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

async function probe(client: string, { programs, env, signal }: Asking): Promise<Probed> {
  const [version, info] = await Promise.all([
    programs.run(client, { args: ['--version'], env }, signal),
    programs.run(client, { args: ['info', '--format', '{{json .}}'], env }, signal),
  ]);
  const clientVersion = /version v?(\d+(?:\.\d+)*)/i.exec(version.stdout)?.[1];
  const said = readInfo(info.stdout);
  const plugin = said.ClientInfo?.Plugins?.find(({ Name, Err }) => Name === 'buildx' && !Err);
  const problem = said.ServerErrors?.[0] ?? lastLine(info.stderr);
  return {
    client,
    ...(clientVersion === undefined ? {} : { clientVersion }),
    ...(plugin === undefined ? {} : { buildxVersion: plugin.Version ?? '' }),
    ...(said.ServerVersion
      ? { serverVersion: said.ServerVersion }
      : { serverProblem: problem || 'its engine does not answer' }),
    ...(said.DockerRootDir ? { root: said.DockerRootDir } : {}),
  };
}

function readInfo(text: string): Info {
  try {
    return JSON.parse(text) as Info;
  } catch {
    return {};
  }
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
