import type { InputProblem } from '../inputs.ts';
import { unreachable } from '../unreachable.ts';
import type { BuildSpec, SecretFile } from './build-spec.ts';
import type { Engine, EngineKind } from './engine.ts';

export interface BuildCommand {
  /** After the client's name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What becomes of the image: buildx pushes it under its digest alone, or under its name; or it stays in the engine, from
 * where `docker push` takes it; or it stays where it was built.
 */
export type BuildEnd = 'push-digest' | 'push-name' | 'load' | 'keep';

export interface CommandParts {
  readonly kind: EngineKind;
  /** `registry/repository:tag` that the engine gives the image. */
  readonly name: string;
  readonly end: BuildEnd;
  readonly secrets: readonly SecretFile[];
  /** Where the engine writes what it made (buildx). */
  readonly metadataFile: string;
  /** `without`: the cache was in the way. */
  readonly cache: 'with' | 'without';
}

/** The engine's command line. Values of secrets are never in it. */
export function buildCommand(spec: BuildSpec, parts: CommandParts): BuildCommand {
  const { kind, name, end, secrets, metadataFile, cache } = parts;
  const isBuildx = kind === 'buildx';
  const many = (flag: string, values: readonly string[]): string[] => values.flatMap((value) => [flag, value]);
  const pairs = (values: Readonly<Record<string, string>>): string[] =>
    Object.entries(values).map(([key, value]) => `${key}=${value}`);
  const inline = spec.cacheTo.includes('type=inline') && !isBuildx && cache === 'with';
  const args = [
    ...(isBuildx ? ['buildx', 'build'] : ['build']),
    ...(kind === 'legacy' ? [] : ['--progress=plain']),
    ...many('--file', spec.file === undefined ? [] : [spec.file]),
    ...many('--target', spec.target === undefined ? [] : [spec.target]),
    ...many('--build-arg', [...spec.buildArgs, ...(inline ? ['BUILDKIT_INLINE_CACHE=1'] : [])]),
    ...many('--label', pairs(spec.labels)),
    ...many('--annotation', annotationsOf(spec)),
    ...many('--platform', spec.platforms.length === 0 ? [] : [spec.platforms.join(',')]),
    ...(spec.pull === 'always' ? ['--pull'] : []),
    ...(spec.cache === 'none' ? ['--no-cache'] : []),
    ...many(
      '--secret',
      secrets.map(({ id, path }) => `id=${id},src=${path}`),
    ),
    ...(cache === 'with' ? many('--cache-from', isBuildx ? spec.cacheFrom : spec.cacheFrom.map(imageOfCache)) : []),
    ...(cache === 'with' && isBuildx ? many('--cache-to', spec.cacheTo.map(withoutFail)) : []),
    ...(isBuildx ? attestations(spec) : []),
    ...(isBuildx ? ['--metadata-file', metadataFile] : []),
    ...(isBuildx ? outputs(end, name) : ['--tag', name]),
    ...spec.extraArgs,
    spec.context,
  ];
  return { args, env: kind === 'buildx' ? {} : { DOCKER_BUILDKIT: kind === 'buildkit' ? '1' : '0' } };
}

function outputs(end: BuildEnd, name: string): string[] {
  switch (end) {
    case 'push-digest': {
      const repository = name.slice(0, name.lastIndexOf(':'));
      return ['--output', `type=image,name=${repository},push-by-digest=true,name-canonical=true,push=true`];
    }
    case 'push-name':
      return ['--tag', name, '--push'];
    case 'load':
      // Said, because BUILDX_NO_DEFAULT_LOAD turns the default off; --load refuses an index.
      return ['--tag', name, '--output', 'type=image'];
    case 'keep':
      return ['--tag', name];
    default:
      return unreachable(end);
  }
}

/** Since Docker 29 the default makes an index of a single image, which Lambda, ECR's scan and others do not take: always said. */
function attestations({ provenance, sbom }: BuildSpec): string[] {
  return [
    provenance === 'none' ? '--provenance=false' : `--provenance=mode=${provenance}`,
    `--sbom=${sbom === 'attach' ? 'true' : 'false'}`,
  ];
}

/** Of an index, annotations belong to the index as well, unless the key says where. */
function annotationsOf({ annotations, platforms }: BuildSpec): string[] {
  const levels = platforms.length > 1 ? 'index,manifest' : 'manifest';
  return Object.entries(annotations).map(([key, value]) =>
    /^(index|manifest|index-descriptor|manifest-descriptor)(\[|,|:)/.test(key)
      ? `${key}=${value}`
      : `${levels}:${key}=${value}`,
  );
}

/** An old client takes the name of an image alone. */
const imageOfCache = (entry: string): string => /(?:^|,)ref=([^,]+)/.exec(entry)?.[1] ?? entry;

const withoutFail = (entry: string): string =>
  entry === 'type=inline' || /(^|,)ignore-error=/.test(entry) ? entry : `${entry},ignore-error=true`;

/**
 * Arguments that would take the image, its name or its way out of our hands, and those with an input of their own, which
 * looks at their values: a build argument that is a secret is refused there.
 */
const OWN = [
  '--tag',
  '--output',
  '--push',
  '--load',
  '--metadata-file',
  '--iidfile',
  '--file',
  '--quiet',
  '--secret',
  '--platform',
  '--build-arg',
  '--label',
  '--annotation',
  '--target',
  '--pull',
  '--no-cache',
  '--cache-from',
  '--cache-to',
  '--provenance',
  '--sbom',
  '--attest',
  '--call',
  '--check',
  '--print',
];

export function extraArgProblems(extraArgs: readonly string[]): readonly InputProblem[] {
  return extraArgs.flatMap((given): InputProblem[] => {
    const accepted = 'one --option=value a line, without those that have an input of their own';
    const option = given.split('=', 1)[0] ?? '';
    if (OWN.includes(option))
      return [{ input: 'extra-args', given: option, problem: 'is set by build-image itself', accepted }];
    // A letter takes its value without a blank, and letters stand together: -qtname is a name.
    return /^--[a-z]/.test(given) ? [] : [{ input: 'extra-args', given, problem: 'is not a long option', accepted }];
  });
}

/**
 * The driver `docker` cannot push by digest. A builder of several nodes puts their images together under its name, and where
 * that has no tag under `latest` (buildx, util/imagetools).
 */
export function endOf({ kind, builder }: Pick<Engine, 'kind' | 'builder'>, push: 'registry' | 'none'): BuildEnd {
  if (push === 'none') return 'keep';
  if (kind !== 'buildx' || builder?.driver === 'docker') return 'load';
  return builder?.nodes === 1 ? 'push-digest' : 'push-name';
}

/** The builder of buildx that an extra argument chooses. */
export const builderIn = (extraArgs: readonly string[]): string | undefined =>
  extraArgs.findLast((argument) => argument.startsWith('--builder='))?.slice('--builder='.length);

/** The build failed for its cache alone: it is made again without. */
export const isCacheFault = (output: string): boolean =>
  /(error|failed)[^\n]*(cache (exporter|importer|export|import)|exporting cache|importing cache|cache manifest|cache-(to|from))|(exporting|importing) cache[^\n]*\n[^\n]*(error|ERROR)/i.test(
    lastWords(output),
  );

/** Of a program's output, from its end: more than any engine says of its failure. */
const LAST_LINES = 300;
const LONGEST_LINE = 2_000;

/** A build may write megabytes without a line end, over which patterns would run for hours. */
export const lastWords = (output: string): string =>
  output
    .trimEnd()
    .split('\n')
    .slice(-LAST_LINES)
    .map((line) => line.slice(0, LONGEST_LINE))
    .join('\n');

/** One line for a person, with quotes where a shell wants them. */
export const shown = (program: string, args: readonly string[]): string =>
  [program, ...args]
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`))
    .join(' ');
