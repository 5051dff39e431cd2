import { Failure } from '../../../src/domain/failure.ts';
import { builderIn } from '../../../src/domain/image-build/command.ts';
import { type Engine, chooseEngine, missingFeatures } from '../../../src/domain/image-build/engine.ts';
import type { Attestation } from '../../../src/domain/image-build/attestations.ts';
import type { AttachedDocument, EvidenceDocument } from '../../../src/domain/image-build/evidence.ts';
import { nameOf } from '../../../src/domain/image-build/registries.ts';
import { RegistryRefusal } from '../../../src/domain/image-build/registry-errors.ts';
import { type ScanResult, scanLine } from '../../../src/domain/image-scan/judge.ts';
import { InvalidInput, type InputProblem, describeProblem } from '../../../src/domain/inputs.ts';
import { CloudFailure, mayPass } from '../../../src/domain/retry-policy.ts';
import type { StoredManifest } from '../../../src/ports/image-registry.ts';
import type { BuildPorts } from './execute/ports.ts';
import { type There, allTaken, besides, lookAt } from './execute/name.ts';
import { type Made, pushed, stillNamed } from './execute/push.ts';
import { setForward } from './execute/registry.ts';
import { digestOf } from './execute/verify.ts';
import type { BuildPlan } from './plan.ts';
import type { BuildResult, VerifiedImage } from './result.ts';

/** Below this an engine fails in the middle of a layer. */
const LEAST_FREE = 512 * 1024 * 1024;

/** Looks what is there, builds what is not, reads it back, scans it, and only then sets the tags. */
export async function execute(plan: BuildPlan, ports: BuildPorts, signal: AbortSignal): Promise<BuildResult> {
  const ready = await prepare(plan, ports, signal);
  if (ready.kind === 'reuse') {
    const { identity, image, stored } = ready;
    ports.log.info(`${nameOf(plan.request.repositories[0])}:${identity} has this commit and these inputs: no build`);
    return finish(plan, { kind: 'reused', identity, image, stored }, ports, signal);
  }
  const { engine, identity } = ready;
  ports.log.info(engine.said);
  await ports.engine.logIn('kept', signal);
  const made = await pushed({ plan, engine, identity }, ports, signal);
  if (made === undefined) return { kind: 'built-only', engine: engine.said };
  const { image } = made;
  ports.log.info(
    `${nameOf(plan.request.repositories[0])}:${made.identity} is ${image.digest} (${image.platforms.map(({ platform }) => platform).join(', ')})`,
  );
  return finish(plan, made, ports, signal);
}

type Ready =
  | {
      readonly kind: 'reuse';
      readonly identity: string;
      readonly image: VerifiedImage;
      readonly stored: StoredManifest;
    }
  | { readonly kind: 'build'; readonly engine: Engine; readonly identity: string };

/** Everything that a build needs, looked at side by side; what is missing is said in one message, before the first layer. */
async function prepare(plan: BuildPlan, ports: BuildPorts, signal: AbortSignal): Promise<Ready> {
  const { request } = plan;
  // A run that finds its image does not wait for a slow engine.
  const probing = new AbortController();
  const probed = engineOf(plan, ports, AbortSignal.any([signal, probing.signal]));
  probed.catch(() => undefined);
  const looked = await Promise.all(
    request.push === 'none' ? [] : request.repositories.map((repository) => look(plan, repository, ports, signal)),
  );
  const [first = { kind: 'free' }] = looked;
  const own: { readonly identity: string; readonly there: Looked } =
    first.kind === 'other' ? await besides(plan, ports, signal) : { identity: plan.identity, there: first };
  const { identity, there } = own;
  if (there.kind === 'same') {
    probing.abort(new Error('not needed'));
    return { kind: 'reuse', identity, image: there.image, stored: there.stored };
  }
  const engine = await probed;
  const barred = 'kind' in engine ? barredBy(looked) : undefined;
  if (barred !== undefined) throw barred;
  const problems: InputProblem[] = [
    ...looked.flatMap((each) => (each.kind === 'problem' ? [each.problem] : [])),
    ...('kind' in engine ? [] : engine.problems),
  ];
  if (problems.length > 0 || !('kind' in engine)) throw new InvalidInput('What the build needs', problems);
  if (there.kind === 'other') throw allTaken(`${nameOf(request.repositories[0])}:${identity}`);
  // A version that is the identity is a tag of this release, too: it moves at the end, like the others.
  const then = plan.identityTags.length === 0 ? 'stays' : 'moves to this image when it is verified';
  if (first.kind === 'other')
    ports.log.warning(`${plan.identity} ${first.why}, and ${then}; this image is ${identity}`);
  return { kind: 'build', engine, identity };
}

type Looked = There | { readonly kind: 'problem'; readonly problem: InputProblem; readonly by: Failure };

/** Where all that is wrong is a registry that does not answer, or lets nobody in, the inputs are right: no InvalidInput. */
function barredBy(looked: readonly Looked[]): Failure | undefined {
  const wrong = looked.flatMap((each) => (each.kind === 'problem' ? [each] : []));
  const isBar = ({ by }: { readonly by: Failure }): boolean =>
    by instanceof RegistryRefusal || (by instanceof CloudFailure && mayPass(by.kind));
  if (wrong.length === 0 || !wrong.every(isBar)) return undefined;
  const refusal = wrong.map(({ by }) => by).find((by) => by instanceof RegistryRefusal);
  const facts = {
    what: `The registry ${refusal === undefined ? 'cannot be asked' : 'refuses this job'}`,
    why: wrong.map(({ problem }) => describeProblem(problem)).join('; '),
    now: 'Nothing was built or changed',
    next: refusal?.facts.next ?? 'Re-run when it answers',
  };
  return refusal === undefined ? new Failure(facts) : new RegistryRefusal(refusal.kind, facts, { cause: refusal });
}

async function look(
  plan: BuildPlan,
  repository: BuildPlan['request']['repositories'][0],
  ports: BuildPorts,
  signal: AbortSignal,
): Promise<Looked> {
  try {
    const there = await lookAt(plan, { repository, identity: plan.identity }, ports, signal);
    // dockerd repeats a push that is denied for a minute, after the whole build.
    if (there.kind !== 'same') await ports.registry(repository.host).mayPush(repository.path, signal);
    return there;
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof Failure)) throw thrown;
    const { what, why } = thrown.facts;
    const problem = `cannot be used: ${thrown instanceof RegistryRefusal ? `${what}: ${why}` : thrown.message}`;
    return {
      kind: 'problem',
      by: thrown,
      problem: { input: 'repository', given: nameOf(repository), problem: problem.replace(/\.$/, '') },
    };
  }
}

async function engineOf(
  { request, build }: BuildPlan,
  { engine }: BuildPorts,
  signal: AbortSignal,
): Promise<Engine | { readonly problems: readonly InputProblem[] }> {
  const probes = await engine.probe(builderIn(build.extraArgs), signal);
  const chosen = chooseEngine(probes, request.engine);
  if ('problem' in chosen) return { problems: [chosen] };
  const missing = missingFeatures(build, chosen);
  const probe = probes.find(({ client }) => client === chosen.client);
  // A builder in another place keeps its layers there.
  const free = probe?.serverVersion === undefined ? undefined : await engine.free(probe.root);
  const full: readonly InputProblem[] =
    free !== undefined && free < LEAST_FREE
      ? [
          {
            input: 'engine',
            problem: `has ${Math.floor(free / 1024 / 1024)} MB free where it keeps its layers`,
            accepted: '512 MB or more: docker system prune',
          },
        ]
      : [];
  return missing.length + full.length > 0 ? { problems: [...missing, ...full] } : chosen;
}

/** Scan, then tags: what is found wanting stays under its identity tag alone. */
async function finish(plan: BuildPlan, pushedAs: Made, ports: BuildPorts, signal: AbortSignal): Promise<BuildResult> {
  const [repository] = plan.request.repositories;
  const scan = await ports.scan?.(repository, pushedAs.image, signal);
  if (scan !== undefined) ports.log.info(scanLine(scan));
  const made = await stillNamed(plan, pushedAs, ports, signal);
  const { stored, kind, engine, identity, image } = made;
  if (scan !== undefined && isBlocked(scan, plan))
    return { kind: 'blocked', identity, image, scan, evidence: evidenceOf(plan, { made, scan, tags: [] }, ports) };
  const wished = tagsBeside(plan, identity);
  const tags = await setForward(
    { repositories: plan.request.repositories, from: repository, stored, plan: wished, semver: ports.tools.semver },
    ports,
    signal,
  );
  for (const left of tags.left) ports.log.info(`${left.name} is left where it is: ${left.why}`);
  const after = await digestOf({ repository, reference: identity }, ports, signal);
  if (after !== image.digest)
    ports.log.warning(
      `${nameOf(repository)}:${identity} is ${after ?? 'gone'} by now, which is of another run: the tags and outputs of this one are of ${image.digest}`,
    );
  const names = wished.tags.map((tag) => tag.name).filter((tag) => !tags.left.some((each) => each.name === tag));
  const shown = { kind, identity, image, ...(engine === undefined ? {} : { engine }) };
  return { ...shown, tags, scan, evidence: evidenceOf(plan, { made, scan, tags: names }, ports) };
}

/** A tag that was to be the identity, and is not, is one like the others: it moves, with a warning, or is left. */
const tagsBeside = (plan: BuildPlan, identity: string): Pick<BuildPlan, 'tags' | 'left'> =>
  identity === plan.identity ? plan : { tags: [...plan.identityTags, ...plan.tags], left: plan.left };

const isBlocked = (scan: ScanResult, { request }: BuildPlan): boolean =>
  scan.kind === 'fail' || (scan.kind === 'unknown' && request.scan?.onError !== 'warn');

function evidenceOf(
  plan: BuildPlan,
  {
    made,
    scan,
    tags,
  }: { readonly made: Made; readonly scan: ScanResult | undefined; readonly tags: readonly string[] },
  { run }: BuildPorts,
): EvidenceDocument {
  const { image, identity, base, bases = null } = made;
  const label = (key: string): string | undefined =>
    image.labels[key] === undefined ? undefined : String(image.labels[key]);
  const name = label('org.opencontainers.image.base.name');
  const digest = label('org.opencontainers.image.base.digest');
  return {
    schema: 'sluice/evidence/v1',
    name: plan.request.name,
    repository: plan.request.repositories[0].path,
    digest: image.digest,
    kind: image.kind,
    platforms: image.platforms,
    identityTag: identity,
    tags,
    version: plan.version ?? identity,
    releaseId: plan.releaseId,
    commit: plan.git.sha,
    inputsSha256: plan.inputs,
    builtBy: made.kind === 'pushed' ? run : null,
    sbom: attached(image, 'sbom'),
    provenance: attached(image, 'provenance'),
    base: base ?? (name === undefined || digest === undefined ? null : { name, digest }),
    bases,
    scan: scan === undefined ? null : scanEvidence(scan),
  };
}

const attached = ({ attestations }: VerifiedImage, kind: Attestation['kind']): readonly AttachedDocument[] =>
  attestations.filter((each) => each.kind === kind).map(({ about, digest }) => ({ about, digest }));

function scanEvidence(scan: ScanResult): NonNullable<EvidenceDocument['scan']> {
  const summary = scanLine(scan);
  if (scan.kind === 'unknown') return { scanner: scan.scanner, verdict: 'unknown', counted: {}, summary, ignored: [] };
  const ignored = scan.ignores
    .filter(({ state }) => state === 'used' || state === 'expires-soon')
    .map(({ entry: { id, owner, reason } }) => ({ id, owner, reason }));
  return { scanner: scan.scanner, verdict: scan.kind, counted: scan.counted, summary, ignored };
}
