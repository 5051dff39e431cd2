import { Failure } from '../../../src/domain/failure.ts';
import { isSameSource } from '../../../src/domain/image-build/source.ts';
import type { StoredManifest } from '../../../src/ports/image-registry.ts';
import type { BuildPorts } from './execute-ports.ts';
import { verify } from './execute-verify.ts';
import type { BuildPlan } from './plan.ts';
import type { VerifiedImage } from './result.ts';

/** What has a name, seen from the source of this run. */
export type There =
  | { readonly kind: 'free' }
  | { readonly kind: 'other' }
  | { readonly kind: 'same'; readonly image: VerifiedImage; readonly stored: StoredManifest };

export async function lookAt(
  plan: BuildPlan,
  { repository, identity }: { readonly repository: BuildPlan['request']['repositories'][0]; readonly identity: string },
  ports: BuildPorts,
  signal: AbortSignal,
): Promise<There> {
  const registry = ports.registry(repository.host);
  if ((await registry.head(repository.path, identity, signal)) === undefined) return { kind: 'free' };
  if (plan.request.reuse === 'never') return { kind: 'other' };
  const verified = await verify({ repository, reference: identity, platforms: [] }, ports, signal);
  const same = isSameSource(verified.image.labels, { commit: plan.git.sha, inputs: plan.inputs });
  return same === 'yes' ? { kind: 'same', ...verified } : { kind: 'other' };
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
