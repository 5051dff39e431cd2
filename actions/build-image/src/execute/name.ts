import { Failure } from '../../../../src/domain/failure.ts';
import { REVISION_LABEL } from '../../../../src/domain/image-build/labels.ts';
import { nameOf } from '../../../../src/domain/image-build/registries.ts';
import { isSameSource } from '../../../../src/domain/image-build/source.ts';
import type { StoredManifest } from '../../../../src/ports/image-registry.ts';
import type { BuildPorts } from './ports.ts';
import { UnfitImage, checkFit, readImage } from './verify.ts';
import type { BuildPlan } from '../plan.ts';
import type { VerifiedImage } from '../result.ts';

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
    const source = { commit: commitOf(plan), inputs: plan.inputs };
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

/** As the label says it, which an input may have set: the label is what an image is found by. */
export const commitOf = ({ build, git }: BuildPlan): string => build.labels[REVISION_LABEL] ?? git.sha;

/**
 * The names of an image, in turn. Where another source has one, that stays what it is: the next has the hash of this source
 * behind it, by which the next run finds its image. Where that may not be taken, or is another's, run and attempt follow.
 */
function namesOf(plan: BuildPlan, { run, tools }: BuildPorts): readonly string[] {
  const { identity, inputs } = plan;
  const ofSource = `-${tools.sha256(`${commitOf(plan)} ${inputs}`).slice(0, 12)}`;
  // What is cut is never what makes it another name.
  const ending = (end: string): string => `${identity.slice(0, LONGEST_TAG - end.length)}${end}`;
  return [identity, ending(ofSource), ending(`${ofSource}-${run.runId}-${run.attempt}`)];
}

const LONGEST_TAG = 128;

/** undefined: that was the last. */
export function nameAfter(plan: BuildPlan, identity: string, ports: BuildPorts): string | undefined {
  const names = namesOf(plan, ports);
  return names[names.indexOf(identity) + 1];
}

/** The first of an image's other names that is free or its own; else the last. */
export async function besides(
  plan: BuildPlan,
  ports: BuildPorts,
  signal: AbortSignal,
): Promise<{ readonly identity: string; readonly there: There }> {
  const [repository] = plan.request.repositories;
  for (let identity = nameAfter(plan, plan.identity, ports) ?? plan.identity; ;) {
    const there = await lookAt(plan, { repository, identity }, ports, signal);
    const next = nameAfter(plan, identity, ports);
    if (there.kind !== 'other' || next === undefined) return { identity, there };
    identity = next;
  }
}

export const allTaken = (name: string): Failure =>
  new Failure({
    what: 'There is no name for this image',
    why: `${name}, the last that this run would give, is there from another build, as are those before it`,
    now: 'Nothing was built or changed',
    next: OWN_NAMES,
  });

export const takenMeanwhile = (name: string): Failure =>
  new Failure({
    what: 'There is no name for this image',
    why: `${name}, the last that this run would give, was given to another image while this one was built`,
    now: 'No tag was set',
    next: OWN_NAMES,
  });

export const movedMeanwhile = (name: string, digest: string, now: string | undefined): Failure =>
  new Failure({
    what: `${name} is no longer ${digest}`,
    why: now === undefined ? 'it is gone' : `another run made it ${now}`,
    now: 'No other tag was set',
    next: 'Re-run: it takes what is there. With `concurrency` in the workflow, one run of a commit follows the other',
  });

const OWN_NAMES = 'Give each build of a run an identity-tag of its own, such as sha-{{full_sha}}-debian';
