import { describe, expect, test } from '@jest/globals';
import type { BuildSpec } from '../../../src/domain/image-build/build-spec.ts';
import {
  type CommandParts,
  buildCommand,
  builderIn,
  endOf,
  extraArgProblems,
  isCacheFault,
  shown,
} from '../../../src/domain/image-build/command.ts';
import { type Engine, type Probe, chooseEngine, missingFeatures } from '../../../src/domain/image-build/engine.ts';

const PLAIN: BuildSpec = {
  context: '.',
  buildArgs: [],
  labels: {},
  annotations: {},
  platforms: [],
  pull: 'missing',
  cache: 'use',
  secrets: [],
  cacheFrom: [],
  cacheTo: [],
  provenance: 'none',
  sbom: 'none',
  extraArgs: [],
};
const PARTS: CommandParts = {
  kind: 'buildx',
  name: 'r/a:1',
  end: 'push-digest',
  secrets: [],
  metadataFile: '/m',
  cache: 'with',
};
const lineOf = (spec: Partial<BuildSpec>, parts: Partial<CommandParts> = {}): string =>
  shown('docker', buildCommand({ ...PLAIN, ...spec }, { ...PARTS, ...parts }).args);

describe('the command of the engine', () => {
  const BY_DIGEST = '--output type=image,name=r/a,push-by-digest=true,name-canonical=true,push=true';
  const ATTESTED = `--provenance=false --sbom=false --metadata-file /m ${BY_DIGEST}`;
  test.each<[name: string, spec: Partial<BuildSpec>, parts: Partial<CommandParts>, line: string]>([
    ['plain, by buildx', {}, {}, `docker buildx build --progress=plain ${ATTESTED} .`],
    [
      'without a push',
      {},
      { end: 'keep' },
      'docker buildx build --progress=plain --provenance=false --sbom=false --metadata-file /m --tag r/a:1 .',
    ],
    [
      'under its name, by a builder of several nodes',
      {},
      { end: 'push-name' },
      'docker buildx build --progress=plain --provenance=false --sbom=false --metadata-file /m --tag r/a:1 --push .',
    ],
    [
      'into the engine, where docker push takes it',
      {},
      { end: 'load' },
      'docker buildx build --progress=plain --provenance=false --sbom=false --metadata-file /m --tag r/a:1 --output type=image .',
    ],
    ['plain, by BuildKit of an old client', {}, { kind: 'buildkit' }, 'docker build --progress=plain --tag r/a:1 .'],
    ['plain, by the legacy builder', {}, { kind: 'legacy' }, 'docker build --tag r/a:1 .'],
    [
      'several platforms with annotations',
      { platforms: ['linux/amd64', 'linux/arm64'], annotations: { team: 'shop', 'manifest-descriptor:a': 'b' } },
      {},
      `docker buildx build --progress=plain --annotation index,manifest:team=shop --annotation manifest-descriptor:a=b --platform linux/amd64,linux/arm64 ${ATTESTED} .`,
    ],
    [
      'provenance and SBOM',
      { provenance: 'max', sbom: 'attach' },
      {},
      `docker buildx build --progress=plain --provenance=mode=max --sbom=true --metadata-file /m ${BY_DIGEST} .`,
    ],
    [
      'caches, whose faults are ignored',
      {
        cacheFrom: ['type=gha,scope=web'],
        cacheTo: ['type=gha,scope=web,mode=max', 'type=inline', 'type=registry,ref=x,ignore-error=false'],
      },
      {},
      `docker buildx build --progress=plain --cache-from type=gha,scope=web --cache-to type=gha,scope=web,mode=max,ignore-error=true --cache-to type=inline --cache-to type=registry,ref=x,ignore-error=false ${ATTESTED} .`,
    ],
    [
      'the same build without its cache',
      { cacheFrom: ['type=gha'], cacheTo: ['type=gha'] },
      { cache: 'without' },
      `docker buildx build --progress=plain ${ATTESTED} .`,
    ],
    [
      'an inline cache by an old client',
      { cacheFrom: ['type=registry,ref=r/a:cache'], cacheTo: ['type=inline'] },
      { kind: 'buildkit' },
      'docker build --progress=plain --build-arg BUILDKIT_INLINE_CACHE=1 --cache-from r/a:cache --tag r/a:1 .',
    ],
    [
      'everything else',
      {
        file: 'web/Dockerfile',
        target: 'run',
        buildArgs: ['A=b c', 'D'],
        labels: { k: 'v' },
        pull: 'always',
        cache: 'none',
        extraArgs: ['--add-host=db:10.0.0.5'],
        context: 'web',
      },
      { secrets: [{ id: 'npm', path: '/s/0' }] },
      `docker buildx build --progress=plain --file web/Dockerfile --target run --build-arg 'A=b c' --build-arg D --label k=v --pull --no-cache --secret id=npm,src=/s/0 --provenance=false --sbom=false --metadata-file /m ${BY_DIGEST} --add-host=db:10.0.0.5 web`,
    ],
  ])('%s', (_name, spec, parts, line) => {
    expect(lineOf(spec, parts)).toBe(line);
  });

  test.each([
    ['buildx', {}],
    ['buildkit', { DOCKER_BUILDKIT: '1' }],
    ['legacy', { DOCKER_BUILDKIT: '0' }],
  ] as const)('%s is chosen by the environment as well', (kind, env) => {
    expect(buildCommand(PLAIN, { ...PARTS, kind }).env).toEqual(env);
  });

  test.each(['--push', '--tag=x', '-f', '--output=type=local', '--secret=id=x', 'context'])(
    '%s is not taken as an extra argument',
    (argument) => {
      expect(extraArgProblems([argument])).toHaveLength(1);
      expect(extraArgProblems(['--add-host=a:1', '--network=host'])).toEqual([]);
    },
  );
});

describe('the engine', () => {
  const old: Probe = { client: '/usr/bin/docker', clientVersion: '20.10.24', serverVersion: '20.10.24' };
  const recent: Probe = { client: '/usr/local/bin/docker', clientVersion: '28.2.2', serverVersion: '20.10.24' };
  const builder = (driver: string, store: 'containerd' | 'other' = 'other') =>
    ({ name: 'b', driver, store, nodes: 1 }) as const;
  const plugged: Probe = {
    ...recent,
    client: '/opt/docker',
    buildxVersion: 'v0.13.1',
    builder: builder('docker-container'),
  };
  const { builder: _none, ...builderless } = plugged;
  const dead: Probe = {
    client: '/usr/bin/docker',
    clientVersion: '28.2.2',
    serverProblem: 'Cannot connect to the Docker daemon',
  };

  const elsewhere = (driver: string, problem?: string): Probe => ({
    ...dead,
    client: '/opt/docker',
    buildxVersion: 'v0.13.1',
    builder: { ...builder(driver), ...(problem === undefined ? {} : { problem }) },
  });

  test.each<[string, readonly Probe[], Parameters<typeof chooseEngine>[1], { kind: string; client: string }]>([
    ['buildx wherever it is', [recent, old, plugged], 'auto', { kind: 'buildx', client: '/opt/docker' }],
    [
      'the old client behind a recent one without the plugin',
      [recent, old],
      'auto',
      { kind: 'buildkit', client: '/usr/bin/docker' },
    ],
    ['legacy when it is chosen', [recent], 'legacy', { kind: 'legacy', client: '/usr/local/bin/docker' }],
    [
      'a builder in a cluster, where no engine answers',
      [dead, elsewhere('kubernetes')],
      'auto',
      { kind: 'buildx', client: '/opt/docker' },
    ],
    [
      'a BuildKit that runs by itself, where no engine answers',
      [elsewhere('remote')],
      'buildx',
      { kind: 'buildx', client: '/opt/docker' },
    ],
    ['BuildKit when it is chosen', [plugged, old], 'buildkit', { kind: 'buildkit', client: '/usr/bin/docker' }],
  ])('is %s', (_name, probes, wanted, expected) => {
    expect(chooseEngine(probes, wanted)).toMatchObject(expected);
  });

  test.each<[string, readonly Probe[], Parameters<typeof chooseEngine>[1], RegExp]>([
    ['no docker at all', [], 'auto', /no docker is on PATH/],
    ['an engine that does not answer', [dead], 'auto', /no docker engine answers \(.*Cannot connect/],
    [
      'a builder of the driver docker whose engine does not answer',
      [elsewhere('docker')],
      'auto',
      /no docker engine answers \(\/opt\/docker: Cannot connect/,
    ],
    [
      'a builder that does not reach its cluster either',
      [elsewhere('kubernetes', 'no route to 10.0.0.1')],
      'auto',
      /Cannot connect to the Docker daemon, and its builder: no route to 10\.0\.0\.1\)/,
    ],
    ['a builder elsewhere and no engine for the client', [elsewhere('remote')], 'legacy', /no engine of this kind/],
    ['a recent client without the plugin: legacy is never taken silently', [recent], 'auto', /without buildx/],
    ['buildx that is not there', [old], 'buildx', /no engine of this kind/],
    [
      'a builder that is not there: no other engine is taken in its place',
      [{ ...builderless, builderProblem: 'ERROR: no builder "nope" found' }, old],
      'auto',
      /buildx has no builder: ERROR: no builder "nope" found/,
    ],
  ])('is none with %s', (_name, probes, wanted, problem) => {
    expect(chooseEngine(probes, wanted)).toMatchObject({ input: 'engine', problem: expect.stringMatching(problem) });
  });

  const SECRET = { id: 'npm', from: { kind: 'value', value: 'x' } } as const;
  type Engines = 'driver docker' | 'buildkit' | 'legacy';
  test.each<[string, Partial<BuildSpec>, Readonly<Partial<Record<Engines, readonly string[]>>>]>([
    ['nothing special', {}, {}],
    [
      'two platforms',
      { platforms: ['linux/amd64', 'linux/arm64'] },
      { 'driver docker': ['platforms'], buildkit: ['platforms'], legacy: ['platforms'] },
    ],
    ['one platform', { platforms: ['linux/arm64'] }, { legacy: ['platforms'] }],
    [
      'an annotation',
      { annotations: { a: 'b' } },
      { 'driver docker': ['annotations'], buildkit: ['annotations'], legacy: ['annotations'] },
    ],
    ...['type=registry,ref=x', 'type=gha,scope=x', 'type=local,dest=x', 'type=s3,bucket=x'].map(
      (entry): [string, Partial<BuildSpec>, Readonly<Partial<Record<Engines, readonly string[]>>>] => [
        `a cache written to ${entry}`,
        { cacheTo: [entry] },
        { 'driver docker': ['cache-to'], buildkit: ['cache-to'], legacy: ['cache-to'] },
      ],
    ),
    ['an inline cache', { cacheTo: ['type=inline'] }, { legacy: ['cache-to'] }],
    ['a cache read from an image', { cacheFrom: ['ghcr.io/a/b', 'type=registry,ref=x'] }, {}],
    [
      'a cache read from a folder',
      { cacheFrom: ['type=local,src=x'] },
      { buildkit: ['cache-from'], legacy: ['cache-from'] },
    ],
    [
      'a cache read from GitHub',
      { cacheFrom: ['type=gha'] },
      { 'driver docker': ['cache-from'], buildkit: ['cache-from'], legacy: ['cache-from'] },
    ],
    [
      'provenance and SBOM',
      { provenance: 'min', sbom: 'attach' },
      {
        'driver docker': ['provenance', 'sbom'],
        buildkit: ['provenance', 'sbom'],
        legacy: ['provenance', 'sbom'],
      },
    ],
    ['a secret', { secrets: [SECRET] }, { legacy: ['secrets'] }],
  ])('refuses by name what it lacks: %s', (_name, spec, lacking) => {
    const inputs = (engine: Pick<Engine, 'kind' | 'builder'>): readonly string[] =>
      missingFeatures({ ...PLAIN, ...spec }, engine).map(({ input }) => input);
    for (const driver of ['docker-container', 'kubernetes', 'remote'])
      expect(inputs({ kind: 'buildx', builder: builder(driver) })).toEqual([]);
    expect(inputs({ kind: 'buildx', builder: builder('docker', 'containerd') })).toEqual([]);
    expect({
      'driver docker': inputs({ kind: 'buildx', builder: builder('docker') }),
      buildkit: inputs({ kind: 'buildkit' }),
      legacy: inputs({ kind: 'legacy' }),
    }).toEqual({ 'driver docker': [], buildkit: [], legacy: [], ...lacking });
  });

  test.each<[string, Pick<Engine, 'kind' | 'builder'>, ReturnType<typeof endOf>]>([
    [
      'under its digest alone where that can be',
      { kind: 'buildx', builder: builder('docker-container') },
      'push-digest',
    ],
    [
      'under its name by several nodes, which would put it under latest',
      { kind: 'buildx', builder: { ...builder('docker-container'), nodes: 2 } },
      'push-name',
    ],
    ['by docker push with the driver docker', { kind: 'buildx', builder: builder('docker', 'containerd') }, 'load'],
    ['by docker push of an old client', { kind: 'buildkit' }, 'load'],
    ['by docker push of the legacy builder', { kind: 'legacy' }, 'load'],
  ])('pushes %s', (_name, engine, end) => {
    expect(endOf(engine, 'registry')).toBe(end);
    expect(endOf(engine, 'none')).toBe('keep');
  });

  test('the builder of an extra argument is the one that is asked', () => {
    expect(builderIn(['--builder=a', '--network=host', '--builder=b'])).toBe('b');
    expect(builderIn(['--network=host'])).toBeUndefined();
  });
});

test.each([
  ['ERROR: failed to solve: error writing layer blob: failed to export cache: 502; exporting cache failed', true],
  ['#12 exporting cache to GitHub Actions Cache\n#12 ERROR: maximum timeout reached', true],
  ['ERROR: failed to configure registry cache importer: 401', true],
  ['ERROR: process "/bin/sh -c npm ci" did not complete successfully: exit code: 1', false],
])('a fault of the cache is told from one of the build: %s', (output, expected) => {
  expect(isCacheFault(output)).toBe(expected);
});
