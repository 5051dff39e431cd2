import type { BuildSpec } from '../../../src/domain/image-build/build-spec.ts';
import { buildCommand, endOf, shown } from '../../../src/domain/image-build/command.ts';
import { INPUTS_LABEL, type RepositoryFacts, imageLabels } from '../../../src/domain/image-build/labels.ts';
import { nameOf } from '../../../src/domain/image-build/registries.ts';
import { sourceText } from '../../../src/domain/image-build/source.ts';
import { type Checked, bad, good } from '../../../src/domain/inputs.ts';
import type { GitContext, TagTools } from '../../../src/domain/tags/context.ts';
import { expand, globalExpression } from '../../../src/domain/tags/expression.ts';
import { ENVIRONMENTS, type Standing, withoutShared } from '../../../src/domain/tags/forward.ts';
import { type MadeTag, makeTags } from '../../../src/domain/tags/make.ts';
import { isTag } from '../../../src/domain/tags/sanitize.ts';
import type { BuildRequest, TagWish } from './inputs.ts';

export interface TagPlan {
  readonly tags: readonly MadeTag[];
  /** What this run does not move, so far as is known without the registry. */
  readonly left: readonly Standing[];
  readonly notes: readonly string[];
  readonly version: string | undefined;
}

export interface BuildPlan extends TagPlan {
  readonly request: BuildRequest;
  readonly git: GitContext;
  /** With all labels. */
  readonly build: BuildSpec;
  readonly identity: string;
  /** Those of the tags that are the identity. */
  readonly identityTags: readonly MadeTag[];
  /** Of everything that decides the image, beside the commit. */
  readonly inputs: string;
  readonly releaseId: string;
}

export interface PlanFacts {
  readonly git: GitContext;
  readonly repository: RepositoryFacts;
  readonly tools: TagTools;
  /** Of the step, where build arguments without a value have theirs. */
  readonly environment: (name: string) => string | undefined;
  /** Hash of what the context has beside the commit; undefined: nothing. */
  readonly uncommitted?: string;
}

/** PURE: which tags a run gives. */
export function planTags(wish: TagWish, { git, tools }: Pick<PlanFacts, 'git' | 'tools'>): Checked<TagPlan> {
  const made = makeTags(wish.rules, wish.flavor, git, tools);
  if (!made.ok) return made;
  const { tags, left } = withoutShared(made.value.tags, git);
  const version = tags.find((tag) => tag.name === made.value.version)?.name;
  return good({ tags, left, notes: made.value.notes, version });
}

/** PURE: what is built under which names. */
export function planBuild(request: BuildRequest, facts: PlanFacts): Checked<BuildPlan> {
  const { git, tools, environment, uncommitted } = facts;
  const tagged = planTags(request, facts);
  if (!tagged.ok) return tagged;
  const identity = identityOf(request, git, tagged.value);
  if (!identity.ok) return identity;
  const version = tagged.value.version ?? identity.value;
  const own = imageLabels(facts.repository, {
    commit: git.sha,
    ...(git.commitDate === undefined ? {} : { commitDate: git.commitDate }),
    version,
  });
  const inputs = tools.sha256(sourceText(request.build, environment, uncommitted));
  const labels = { ...own, [INPUTS_LABEL]: inputs, ...request.build.labels };
  return good({
    ...tagged.value,
    notes: [...tagged.value.notes, ...untagged(tagged.value, git)],
    tags: tagged.value.tags.filter(({ name }) => name !== identity.value),
    identityTags: tagged.value.tags.filter(({ name }) => name === identity.value),
    request,
    git,
    identity: identity.value,
    inputs,
    version,
    releaseId: `${version}-${tools.sha256(`${git.sha} ${inputs} ${nameOf(request.repositories[0])}`).slice(0, 8)}`,
    build: {
      ...request.build,
      labels: Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))),
    },
  });
}

/** Nothing that was asked for is lost, but whoever deploys by a tag of this event waits for one. */
const untagged = ({ tags, left }: TagPlan, { event, ref }: GitContext): readonly string[] =>
  tags.length + left.length > 0
    ? []
    : [`No rule of tags is meant for ${event} of ${ref}: the image has its identity tag alone`];

function identityOf({ identity }: BuildRequest, git: GitContext, { version, tags }: TagPlan): Checked<string> {
  const input = 'identity-tag';
  const globals = globalExpression(git);
  const expanded = expand(
    identity,
    (call) =>
      call.name !== 'version'
        ? globals(call)
        : (version ?? {
            problem: 'is empty: tags give none on this event',
            accepted: 'a rule that gives a tag on every event',
          }),
    input,
  );
  if (!expanded.ok) return expanded;
  // It is pushed before the scan and before it is read back: a name that is deployed by would be set unseen.
  const moves = tags.some(
    ({ name, floating, moves: how }) => name === expanded.value && (floating ?? how) !== undefined,
  );
  if (moves || ENVIRONMENTS.includes(expanded.value.toLowerCase()))
    return bad({
      input,
      given: expanded.value,
      problem: 'is a tag that moves, and the identity tag is set before anything is scanned or verified',
      accepted: 'a name of this commit or version, such as sha-{{full_sha}}',
    });
  if (isTag(expanded.value)) return expanded;
  return bad({
    input,
    given: expanded.value,
    problem: 'is not a tag',
    accepted: 'letters, digits, _ . and -, at most 128',
  });
}

/** What a dry run shows: no engine and no registry is asked. */
export function planLines(plan: BuildPlan): readonly string[] {
  const { request, build, identity, tags, left, notes } = plan;
  const [first] = request.repositories;
  return [
    `identity: ${nameOf(first)}:${identity}`,
    ...request.repositories.flatMap((repository) => tags.map(({ name }) => `tag: ${nameOf(repository)}:${name}`)),
    ...left.map(({ name, why }) => `left: ${name}: ${why}`),
    ...notes.map((note) => `note: ${note}`),
    ...Object.entries(build.labels).map(([key, value]) => `label: ${key}=${value}`),
    ...Object.entries(build.annotations).map(([key, value]) => `annotation: ${key}=${value}`),
    ...commandLines(plan, `${nameOf(first)}:${identity}`),
    ...(request.scan === undefined ? [] : [`scan: ${request.scan.by}, before any tag but the identity tag is set`]),
  ];
}

/** Which engine there is only a run can say: with `auto` both ways are shown. */
function commandLines({ request, build }: BuildPlan, name: string): readonly string[] {
  const kinds = request.engine === 'auto' ? (['buildx', 'buildkit'] as const) : [request.engine];
  return kinds.flatMap((kind) => {
    const end = endOf(
      { kind, builder: { name: '', driver: 'docker-container', store: 'other', nodes: 1 } },
      request.push,
    );
    const secrets = build.secrets.map(({ id }) => ({ id, path: `<file of ${id}>` }));
    // What the engine pushes is built under a name of its run alone, and known by its id from then on.
    const built = end === 'load' ? '<name of this run>' : name;
    const parts = { kind, name: built, end, secrets, metadataFile: '<metadata>', cache: 'with' } as const;
    const by = kinds.length === 1 ? 'command' : `command by ${kind}`;
    return [
      `${by}: ${shown('docker', buildCommand(build, parts).args)}`,
      ...(end === 'load'
        ? [`${by}: ${shown('docker', ['tag', '<image id>', name])}`, `${by}: ${shown('docker', ['push', name])}`]
        : []),
    ];
  });
}
