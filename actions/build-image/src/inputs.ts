import type { CleanupPolicy } from '../../../src/domain/image-build/cleanup.ts';
import type { BuildSpec } from '../../../src/domain/image-build/build-spec.ts';
import { cacheProblems } from '../../../src/domain/image-build/cache.ts';
import { extraArgProblems } from '../../../src/domain/image-build/command.ts';
import type { EngineKind } from '../../../src/domain/image-build/engine.ts';
import { INPUTS_LABEL, readPairs } from '../../../src/domain/image-build/labels.ts';
import type { Repository } from '../../../src/domain/image-build/registries.ts';
import { buildArgProblems, readSecrets } from '../../../src/domain/image-build/secrets.ts';
import { isRegistry, parseImage } from '../../../src/domain/image-reference.ts';
import type { Images } from '../../../src/domain/images.ts';
import { type Checked, type InputProblem, type InputsOf, bad, good } from '../../../src/domain/inputs.ts';
import { linesOf, parseFlavor, parseTagRules } from '../../../src/domain/tags/parse.ts';
import type { Flavor, TagRule } from '../../../src/domain/tags/rule.ts';
import type { spec } from './inputs/fields.ts';
import { idleProblems } from './inputs/idle.ts';
import { type ScanWish, scanWish } from './inputs/scan.ts';

export { spec } from './inputs/fields.ts';
export type { ScanWish } from './inputs/scan.ts';

type Values = InputsOf<typeof spec>;

/** What every mode has. */
interface Base {
  readonly repositories: readonly [Repository, ...Repository[]];
  /** Name of the service in `images`. */
  readonly name: string;
  readonly token?: string;
  readonly aws: {
    readonly region?: string;
    readonly roleToAssume?: string;
    readonly allowedAccountIds?: readonly string[];
  };
  readonly dryRun: 'plan' | 'act';
}

export interface TagWish {
  readonly rules: readonly TagRule[];
  readonly flavor: Flavor;
  readonly defaultBranch?: string;
}

export interface BuildRequest extends Base, TagWish {
  readonly mode: 'build';
  readonly identity: string;
  /** Its labels are those of the input alone. */
  readonly build: BuildSpec;
  readonly engine: 'auto' | EngineKind;
  readonly push: 'registry' | 'none';
  /** `same-files`: of the same source, and with the same files beside the commit. */
  readonly reuse: 'same-files' | 'same-source' | 'never';
  readonly scan: ScanWish | undefined;
}

export interface PromoteRequest extends Base, TagWish {
  readonly mode: 'promote';
  readonly source: Repository & { readonly digest: string };
}

export interface CleanupRequest extends Base {
  readonly mode: 'cleanup';
  readonly policy: Omit<CleanupPolicy, 'now'>;
}

export type Request = BuildRequest | PromoteRequest | CleanupRequest;

export function toRequest(values: Values): Checked<Request> {
  const repositories = repositoriesOf(values);
  const problems: InputProblem[] = repositories.ok ? [] : [...repositories.problems];
  const [first, ...others] = repositories.ok ? repositories.value : [];
  const base: Base = {
    repositories: [first ?? { host: '', path: '' }, ...others],
    name: values.name ?? first?.path.split('/').at(-1) ?? '',
    ...(values.token === undefined ? {} : { token: values.token }),
    aws: {
      ...(values.region === undefined ? {} : { region: values.region }),
      ...(values['role-to-assume'] === undefined ? {} : { roleToAssume: values['role-to-assume'] }),
      ...(values['allowed-account-ids'] === undefined ? {} : { allowedAccountIds: values['allowed-account-ids'] }),
    },
    dryRun: values['dry-run'] ? 'plan' : 'act',
  };
  const rest =
    values.mode === 'build'
      ? toBuild(values, first)
      : values.mode === 'promote'
        ? toPromote(values)
        : toCleanup(values);
  if (!rest.ok) problems.push(...rest.problems);
  problems.push(...idleProblems(values));
  return problems.length > 0 || !rest.ok ? bad(...problems) : good({ ...base, ...rest.value });
}

/** Lower case, because registries want it so and names of repositories on GitHub are not; with their host. */
function repositoriesOf({ repository, registry }: Values): Checked<readonly Repository[]> {
  const problems: InputProblem[] = [];
  const found: Repository[] = [];
  if (registry !== undefined && !isRegistry(registry))
    problems.push({
      input: 'registry',
      given: registry,
      problem: 'is not a host name',
      accepted: 'a host, with a port if need be, without https://',
    });
  if (repository.length === 0)
    problems.push({ input: 'repository', problem: 'has no entry', accepted: 'ghcr.io/acme/shop' });
  for (const given of repository) {
    const parsed = parseImage(`${given.toLowerCase()}:tag`, 'repository');
    if (!parsed.ok) {
      problems.push({
        input: 'repository',
        given,
        problem: 'is not the name of an image without its tag',
        accepted: 'ghcr.io/acme/shop',
      });
      continue;
    }
    const host = parsed.value.registry ?? registry?.toLowerCase() ?? 'docker.io';
    const path =
      host === 'docker.io' && !parsed.value.repository.includes('/')
        ? `library/${parsed.value.repository}`
        : parsed.value.repository;
    found.push({ host, path });
  }
  return problems.length > 0 ? bad(...problems) : good(found);
}

function tagWish(values: Values): Checked<TagWish> {
  const rules = parseTagRules(values.tags);
  const flavor = parseFlavor(values.flavor ?? '');
  if (!rules.ok || !flavor.ok) return bad(...(rules.ok ? [] : rules.problems), ...(flavor.ok ? [] : flavor.problems));
  const branch = values['default-branch'];
  return good({ rules: rules.value, flavor: flavor.value, ...(branch === undefined ? {} : { defaultBranch: branch }) });
}

type Rest<R> = Omit<R, keyof Base>;

function toBuild(values: Values, first: Repository | undefined): Checked<Rest<BuildRequest>> {
  const tags = tagWish(values);
  const build = buildSpec(values);
  const scan = scanWish(values, first);
  if (!tags.ok || !build.ok || !scan.ok)
    return bad(
      ...(tags.ok ? [] : tags.problems),
      ...(build.ok ? [] : build.problems),
      ...(scan.ok ? [] : scan.problems),
    );
  return good({
    mode: 'build',
    ...tags.value,
    identity: values['identity-tag'],
    build: build.value,
    engine: values.engine,
    push: values.push ? 'registry' : 'none',
    // Whoever asks for the base images of today is not served with those of then.
    reuse: values.pull || values['no-cache'] ? 'never' : (values.reuse ?? 'same-files'),
    scan: scan.value,
  });
}

function buildSpec(values: Values): Checked<BuildSpec> {
  const lines = (text: string | undefined): readonly string[] => linesOf(text ?? '');
  const buildArgs = lines(values['build-args']);
  const extraArgs = lines(values['extra-args']);
  const labels = readPairs(lines(values.labels), 'labels');
  const annotations = readPairs(lines(values.annotations), 'annotations');
  const secrets = readSecrets({
    values: values.secrets ?? '',
    environments: values['secret-envs'] ?? [],
    files: values['secret-files'] ?? [],
  });
  const platforms = values.platforms ?? [];
  const problems: InputProblem[] = [
    ...placeProblems(values),
    ...buildArgProblems(buildArgs, values['public-build-args']),
    ...extraArgProblems(extraArgs),
    ...cacheProblems('cache-from', lines(values['cache-from'])),
    ...cacheProblems('cache-to', lines(values['cache-to'])),
    ...(INPUTS_LABEL in (labels.ok ? labels.value : {})
      ? [{ input: 'labels', given: INPUTS_LABEL, problem: 'is set by build-image itself', accepted: 'other keys' }]
      : []),
    ...platforms
      .filter((platform) => !/^[a-z0-9]+\/[a-z0-9_]+(\/v\d+)?$/.test(platform))
      .map((given) => ({
        input: 'platforms',
        given,
        problem: 'is not a platform',
        accepted: 'linux/amd64, linux/arm64, linux/arm/v7',
      })),
    ...[labels, annotations, secrets].flatMap((read) => (read.ok ? [] : read.problems)),
  ];
  if (problems.length > 0 || !labels.ok || !annotations.ok || !secrets.ok) return bad(...problems);
  return good({
    context: values.context,
    ...(values.file === undefined ? {} : { file: values.file }),
    ...(values.target === undefined ? {} : { target: values.target }),
    buildArgs,
    labels: labels.value,
    annotations: annotations.value,
    platforms,
    pull: values.pull ? 'always' : 'missing',
    cache: values['no-cache'] ? 'none' : 'use',
    secrets: secrets.value,
    cacheFrom: lines(values['cache-from']),
    cacheTo: lines(values['cache-to']),
    provenance: values.provenance,
    sbom: values.sbom ? 'attach' : 'none',
    extraArgs,
  });
}

/** The engine reads some places as something else: `-` as its standard input, an address as a repository to fetch. */
function placeProblems({ context, file }: Values): readonly InputProblem[] {
  const isRemote = (place: string): boolean => /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/)/i.test(place);
  const given = Object.entries({ context, file }).flatMap(([input, place]) => (place ? [{ input, place }] : []));
  return given.flatMap(({ input, place }): InputProblem[] => {
    const accepted = `a path below the workspace, such as ${input === 'context' ? 'web' : 'web/Dockerfile'}`;
    if (place.startsWith('-')) return [{ input, given: place, problem: 'is an option, and no path', accepted }];
    return isRemote(place)
      ? [
          {
            input,
            given: place,
            problem: 'is elsewhere, and so not of the commit that the image is named for',
            accepted,
          },
        ]
      : [];
  });
}

function toPromote(values: Values): Checked<Rest<PromoteRequest>> {
  const tags = tagWish(values);
  const source = sourceOf(values);
  if (!tags.ok || !source.ok) return bad(...(tags.ok ? [] : tags.problems), ...(source.ok ? [] : source.problems));
  return good({ mode: 'promote', ...tags.value, source: source.value });
}

function sourceOf({ source, images, registry, name }: Values): Checked<PromoteRequest['source']> {
  const accepted = 'source: registry/repository@sha256:<64 hex>, or images with registry';
  if ((source === undefined) === (images === undefined))
    return bad({ input: 'source', problem: 'is wanted to promote, or images: one of the two', accepted });
  if (source === undefined) {
    const entries = Object.entries(images ?? {});
    const entry = name === undefined && entries.length === 1 ? entries[0]?.[1] : images?.[name ?? ''];
    if (entry === undefined)
      return bad({
        input: 'name',
        problem: 'does not say which entry of images is promoted',
        accepted: entries.map(([key]) => key).join(', '),
      });
    return good({ host: registry ?? 'docker.io', path: entry.repository, digest: entry.digest });
  }
  const parsed = parseImage(source, 'source');
  if (!parsed.ok) return parsed;
  const { digest, repository, registry: host = registry ?? 'docker.io' } = parsed.value;
  if (digest === undefined) return bad({ input: 'source', given: source, problem: 'is not by digest', accepted });
  return good({ host, path: repository, digest });
}

function toCleanup(values: Values): Checked<Rest<CleanupRequest>> {
  const untagged = values['untagged-older-than'];
  const policy = {
    keep: values['keep-images'],
    olderThan: values['older-than'],
    ...(untagged === undefined ? {} : { untaggedOlderThan: untagged }),
    keepTags: values['keep-tags'],
    protected: Object.values<Images[string]>(values.images ?? {}).map(({ digest }) => digest),
  };
  return good({ mode: 'cleanup', policy });
}
