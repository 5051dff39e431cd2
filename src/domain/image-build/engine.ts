import type { InputProblem } from '../inputs.ts';
import { unreachable } from '../unreachable.ts';
import type { BuildSpec } from './build-spec.ts';
import { cacheKind } from './cache.ts';

export type EngineKind = 'buildx' | 'buildkit' | 'legacy';

/** What one docker client on PATH said of itself and of its server. */
export interface Probe {
  readonly client: string;
  /** `20.10.24`; undefined: it does not run. */
  readonly clientVersion?: string;
  /** undefined: the server does not answer. */
  readonly serverVersion?: string;
  /** Why it does not. */
  readonly serverProblem?: string;
  /** `v0.13.1`; undefined: no plugin. */
  readonly buildxVersion?: string;
  /** Of the plugin; undefined: there is none, or see `builderProblem`. */
  readonly builder?: Builder;
  /** Why the plugin has none. */
  readonly builderProblem?: string;
}

/** The builder that buildx would take. */
export interface Builder {
  readonly name: string;
  /** `docker`, `docker-container`, `kubernetes`, `remote`. */
  readonly driver: string;
  /** Where the driver `docker` puts images; with containerd's store it can do what the others can. */
  readonly store: 'containerd' | 'other';
  readonly nodes: number;
  /** What the plugin says is wrong with it: an engine or a cluster that it does not reach. */
  readonly problem?: string;
}

export interface Engine {
  readonly kind: EngineKind;
  readonly client: string;
  /** One line for the log. */
  readonly said: string;
  /** Of buildx. */
  readonly builder?: Builder;
}

/** From here on the client has no BuildKit of its own and wants the plugin. */
const OLD_CLIENTS_END = 23;

/** The best way to build of what is there. Several clients may be on PATH, and the first may be the one that cannot. */
export function chooseEngine(probes: readonly Probe[], wanted: 'auto' | EngineKind): Engine | InputProblem {
  const input = 'engine';
  if (probes.length === 0)
    return {
      input,
      problem: 'no docker is on PATH',
      accepted: 'a runner with Docker 20.10 or newer, or docker/setup-buildx-action before',
    };
  const working = probes.filter((probe) => probe.serverVersion !== undefined || buildsElsewhere(probe));
  if (working.length === 0)
    return {
      input,
      problem: `no docker engine answers (${probes.map(saidOfDead).join('; ')})`,
      accepted: 'a running engine that this user may use, or a builder of buildx that needs none here',
    };
  const able = (kind: EngineKind): Probe | undefined => working.find((probe) => canBe(probe, kind));
  const kinds: readonly EngineKind[] = wanted === 'auto' ? ['buildx', 'buildkit'] : [wanted];
  for (const kind of kinds) {
    const probe = able(kind);
    if (probe === undefined) continue;
    const { client, builder, builderProblem } = probe;
    const said = saidOf(kind, probe);
    if (kind !== 'buildx') return { kind, client, said };
    // Somebody chose a builder: another engine in its place would not be what was asked for.
    if (builder === undefined)
      return {
        input,
        given: wanted,
        problem: `buildx has no builder: ${builderProblem ?? 'it names none'}`,
        accepted: 'docker/setup-buildx-action before this step, or BUILDX_BUILDER as `docker buildx ls` has it',
      };
    return { kind, client, said, builder };
  }
  const seen = working.map((probe) => `${probe.client} ${probe.clientVersion ?? ''} without buildx`).join('; ');
  return {
    input,
    ...(wanted === 'auto' ? {} : { given: wanted }),
    problem: `there is no engine of this kind: ${wanted === 'auto' ? seen : working.map((probe) => `${probe.client} ${probe.clientVersion ?? ''}`).join('; ')}`,
    accepted:
      'docker/setup-buildx-action before this step, a docker client before 23 (BuildKit is in it), or engine: legacy, which lacks secrets and platforms',
  };
}

/** In a cluster, or with a BuildKit that runs by itself: such a builder needs no engine where the client is. */
const buildsElsewhere = ({ builder }: Probe): boolean =>
  builder !== undefined && builder.driver !== 'docker' && builder.problem === undefined;

function saidOfDead({ client, serverProblem = 'does not run', builder, builderProblem }: Probe): string {
  const ofBuilder = builder?.problem ?? builderProblem;
  const isAnother = ofBuilder !== undefined && !ofBuilder.includes(serverProblem);
  return `${client}: ${serverProblem}${isAnother ? `, and its builder: ${ofBuilder}` : ''}`;
}

function canBe({ clientVersion = '', serverVersion, buildxVersion }: Probe, kind: EngineKind): boolean {
  switch (kind) {
    case 'buildx':
      return buildxVersion !== undefined;
    case 'buildkit': {
      const major = Number.parseInt(clientVersion, 10);
      return serverVersion !== undefined && major >= 18 && major < OLD_CLIENTS_END;
    }
    case 'legacy':
      return serverVersion !== undefined;
    default:
      return unreachable(kind);
  }
}

function saidOf(kind: EngineKind, probe: Probe): string {
  const { client, clientVersion, serverVersion, buildxVersion, builder } = probe;
  const by = {
    buildx: `buildx ${buildxVersion ?? ''}, builder ${builder?.name ?? '?'} (driver ${builder?.driver ?? '?'})`,
    buildkit: 'BuildKit of the client',
    legacy: 'the legacy builder',
  }[kind];
  return `${serverVersion === undefined ? 'No engine here' : `Engine ${serverVersion}`}, client ${client} ${clientVersion ?? '?'}, ${by}`;
}

const CALLED = {
  buildx: 'the docker driver of buildx without the image store of containerd',
  buildkit: 'the BuildKit of an old client',
  legacy: 'the legacy builder',
} as const satisfies Record<EngineKind, string>;

/**
 * What the build asks for and this engine would drop or misread, each named by its input. Measured of buildx 0.13 with the
 * driver `docker` and without containerd's store: annotations and `type=gha` are dropped without a word; several platforms,
 * attestations and any other cache but an inline one end the build.
 */
export function missingFeatures(
  spec: BuildSpec,
  { kind, builder }: Pick<Engine, 'kind' | 'builder'>,
): readonly InputProblem[] {
  if (kind === 'buildx' && (builder?.driver !== 'docker' || builder.store === 'containerd')) return [];
  const lacks = (input: string, what: string): InputProblem => ({
    input,
    problem: `${what} is not possible with ${CALLED[kind]}`,
    accepted: 'docker/setup-buildx-action before this step, or leave it out',
  });
  const imported = kind === 'buildx' ? ['registry', 'local'] : ['registry'];
  const asks: readonly (readonly [string, string, boolean])[] = [
    ['platforms', 'more than one platform', spec.platforms.length > 1],
    ['annotations', 'an annotation', Object.keys(spec.annotations).length > 0],
    ['cache-to', 'a cache other than inline', spec.cacheTo.some((entry) => entry !== 'type=inline')],
    // An old client takes the name of an image alone, and reads anything else as one.
    [
      'cache-from',
      `a cache other than ${kind === 'buildx' ? 'an image or a folder' : 'an image'}`,
      spec.cacheFrom.some((entry) => !imported.includes(cacheKind(entry) ?? '')),
    ],
    ['provenance', 'provenance', spec.provenance !== 'none'],
    ['sbom', 'an SBOM', spec.sbom !== 'none'],
    // Measured: with a cache the legacy builder gives an image of the wrong platform.
    ['platforms', 'another platform', kind === 'legacy' && spec.platforms.length === 1],
    ['secrets', 'a secret', kind === 'legacy' && spec.secrets.length > 0],
    ['cache-to', 'a cache', kind === 'legacy' && spec.cacheTo.length > 0],
  ];
  const named = new Map(asks.filter(([, , asked]) => asked).map(([input, what]) => [input, lacks(input, what)]));
  return [...named.values()];
}
