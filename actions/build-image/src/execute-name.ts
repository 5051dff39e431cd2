import { Failure } from '../../../src/domain/failure.ts';
import { nameOf } from '../../../src/domain/image-build/registries.ts';
import { isSameSource } from '../../../src/domain/image-build/source.ts';
import type { StoredManifest } from '../../../src/ports/image-registry.ts';
import type { BuildPorts } from './execute-ports.ts';
import { UnfitImage, checkFit, readImage } from './execute-verify.ts';
import type { BuildPlan } from './plan.ts';
import type { VerifiedImage } from './result.ts';

/** What has a name, seen from the source of this run. */
export type There =
  | { readonly kind: 'free' }
  /** `why` stands behind its name. */
  | { readonly kind: 'other'; readonly why: string }
  | { readonly kind: 'same'; readonly image: VerifiedImage; readonly stored: StoredManifest };

export async function lookAt(
  plan: BuildPlan,
  { repository, identity }: { readonly repository: BuildPlan['request']['repositories'][0]; readonly identity: string },
  ports: BuildPorts,
  signal: AbortSignal,
): Promise<There> {
  const registry = ports.registry(repository.host);
  if ((await registry.head(repository.path, identity, signal)) === undefined) return { kind: 'free' };
  if (plan.request.reuse === 'never') return { kind: 'other', why: 'is there, and may not be taken' };
  try {
    const found = await readImage({ repository, reference: identity }, ports, signal);
    const source = { commit: plan.git.sha, inputs: plan.inputs };
    if (isSameSource(found.image.labels, source) === 'no')
      return { kind: 'other', why: 'is there from another source' };
    // A run that was red for it has left the name, and the next one would be green.
    checkFit(`${nameOf(repository)}:${identity}`, found, plan.build);
    return { kind: 'same', ...found };
  } catch (thrown) {
    if (!(thrown instanceof UnfitImage)) throw thrown;
    return { kind: 'other', why: `is there and cannot be used (${thrown.facts.why})` };
  }
}

/**
 * Another source has the name, and it stays what it is: the name of this source has its hash behind it, by which the next
 * run finds its image. Where that may not be taken, or is another's, the run and its attempt follow.
 */
export async function besides(
  plan: BuildPlan,
  ports: BuildPorts,
  signal: AbortSignal,
): Promise<{ readonly identity: string; readonly there: There }> {
  const [repository] = plan.request.repositories;
  const { runId, attempt } = ports.run;
  const ofSource = `-${ports.tools.sha256(`${plan.git.sha} ${plan.inputs}`).slice(0, 12)}`;
  const named = (end: string): string => `${plan.identity.slice(0, LONGEST_TAG - end.length)}${end}`;
  const identity = named(ofSource);
  const there = await lookAt(plan, { repository, identity }, ports, signal);
  if (there.kind !== 'other') return { identity, there };
  const last = named(`${ofSource}-${runId}-${attempt}`);
  return { identity: last, there: await lookAt(plan, { repository, identity: last }, ports, signal) };
}

/** What is cut is never what makes it another name. */
const LONGEST_TAG = 128;

export const allTaken = (name: string): Failure =>
  new Failure({
    what: 'There is no name for this image',
    why: `${name}, the last that this run would give, is there from another build, as are those before it`,
    now: 'Nothing was built or changed',
    next: 'Give each build of a run an identity-tag of its own, such as sha-{{full_sha}}-debian',
  });
