import { type BaseImage, basesIn } from '../../../../src/domain/image-build/base.ts';
import type { Engine } from '../../../../src/domain/image-build/engine.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import { nameOf } from '../../../../src/domain/image-build/registries.ts';
import { CloudFailure } from '../../../../src/domain/retry-policy.ts';
import { unreachable } from '../../../../src/domain/unreachable.ts';
import type { StoredManifest } from '../../../../src/ports/image-registry.ts';
import { type Built, type Held, type Unnamed, buildAndPush } from './engine.ts';
import { commitOf, lookAt, movedMeanwhile, nameAfter, takenMeanwhile } from './name.ts';
import type { BuildPorts } from './ports.ts';
import { giveName } from './registry.ts';
import { OvertakenImage, type Verification, type Verified, digestOf, verify } from './verify.ts';
import type { BuildPlan } from '../plan.ts';
import type { VerifiedImage } from '../result.ts';

/** An image that is in the registry under its identity tag, and was read back. */
export interface Made {
  readonly kind: 'pushed' | 'reused';
  readonly identity: string;
  readonly image: VerifiedImage;
  readonly stored: StoredManifest;
  readonly engine?: string;
  /** As the build found them; absent: this run did not build it. */
  readonly base?: BaseImage | null;
  readonly bases?: readonly BaseImage[];
}

interface Building {
  readonly plan: BuildPlan;
  readonly engine: Engine;
  readonly identity: string;
}

/** undefined: it was not to be pushed. Another run of the same source may be first; then its image is the image. */
export async function pushed(building: Building, ports: BuildPorts, signal: AbortSignal): Promise<Made | undefined> {
  const built = await buildAndPush(building.plan, building, ports, signal);
  switch (built.kind) {
    case 'kept':
      return undefined;
    case 'named':
      return pushedByName(building, built, ports, signal);
    case 'unnamed':
    case 'held':
      try {
        return await withName(building, built, ports, signal);
      } finally {
        await built.forget();
      }
    default:
      return unreachable(built);
  }
}

/**
 * Gives the image its name, which was free before the build and need not be now. The image of another run of the same source
 * is taken; where another source was quicker, this image gets the next of its own names: it is there, and is known by its id.
 */
async function withName(
  building: Building,
  built: Held | Unnamed,
  ports: BuildPorts,
  signal: AbortSignal,
): Promise<Made> {
  const { plan } = building;
  const [repository] = plan.request.repositories;
  // Before the look at the name, so that little time is between that and the write.
  const read = built.kind === 'unnamed' ? await verify(wanted(plan, built.digest, built), ports, signal) : undefined;
  let { identity } = building;
  for (let refused: Failure | undefined; ;) {
    const name = `${nameOf(repository)}:${identity}`;
    const there = await lookAt(plan, { repository, identity }, ports, signal);
    if (there.kind === 'same') {
      ports.log.warning(`${name} was pushed by another run while this one built: that image is taken`);
      return { kind: 'reused', identity, image: there.image, stored: there.stored, engine: building.engine.said };
    }
    if (there.kind === 'free' && refused === undefined) {
      const found = await placed(plan, { identity, built, read }, ports, signal);
      if (!(found instanceof Failure)) return madeOf(found, { ...building, identity }, built, ports);
      refused = found;
      continue;
    }
    // A rule of the repository refuses the name, and no other image.
    if (there.kind === 'free' && refused instanceof CloudFailure) throw refused;
    const next = nameAfter(plan, identity, ports);
    if (next === undefined) throw refused ?? takenMeanwhile(name);
    ports.log.warning(`${name} was given to another image while this one was built; this image is ${next}`);
    [identity, refused] = [next, undefined];
  }
}

/** A builder of several nodes pushes while it builds. What another run pushed over it is still there, by its digest. */
async function pushedByName(
  building: Building,
  built: Extract<Built, { readonly kind: 'named' }>,
  ports: BuildPorts,
  signal: AbortSignal,
): Promise<Made> {
  try {
    const found = await verify(wanted(building.plan, building.identity, built), ports, signal);
    return madeOf(found, building, built, ports);
  } catch (thrown) {
    if (!(thrown instanceof OvertakenImage)) throw thrown;
    return withName(building, { ...built, kind: 'unnamed', forget: () => Promise.resolve() }, ports, signal);
  }
}

/** A failure: another run was quicker, and the name is its image's, in the registry or in an engine that both use. */
async function placed(
  plan: BuildPlan,
  {
    identity,
    built,
    read,
  }: { readonly identity: string; readonly built: Held | Unnamed; readonly read: Verified | undefined },
  ports: BuildPorts,
  signal: AbortSignal,
): Promise<Verified | OvertakenImage | CloudFailure> {
  try {
    if (built.kind === 'unnamed' && read !== undefined) {
      const [repository] = plan.request.repositories;
      await giveName({ repository, stored: read.stored, tag: identity }, ports, signal);
      return read;
    }
    const digest = built.kind === 'held' ? await built.push(identity) : built.digest;
    return await verify(wanted(plan, identity, { ...built, digest }), ports, signal);
  } catch (thrown) {
    if (thrown instanceof OvertakenImage) return thrown;
    // A tag of a repository whose tags are immutable.
    if (thrown instanceof CloudFailure && thrown.kind === 'conflict') return thrown;
    throw thrown;
  }
}

type Known = Pick<Verification, 'imageId'> & { readonly digest: string | undefined };

const wanted = (plan: BuildPlan, reference: string, { digest, imageId }: Known): Verification => ({
  repository: plan.request.repositories[0],
  reference,
  platforms: plan.build.platforms,
  asked: plan.build,
  source: { commit: commitOf(plan), inputs: plan.inputs },
  ...(digest === undefined ? {} : { digest }),
  ...(imageId === undefined ? {} : { imageId }),
  ...(plan.request.reuse === 'never' ? {} : { others: 'taken' }),
});

function madeOf(
  { image, stored, isNamed }: Verified,
  { engine, identity }: Pick<Building, 'engine' | 'identity'>,
  { progress, digest, imageId }: Partial<Known> & { readonly progress: string },
  { baseLine, log }: BuildPorts,
): Made {
  const made = { identity, image, stored, engine: engine.said };
  if (isNamed) return { kind: 'pushed', ...made, ...basesIn(progress, baseLine) };
  log.warning(
    `${identity} is ${image.digest} of another run by now, and no longer ${digest ?? imageId}: that image is taken`,
  );
  return { kind: 'reused', ...made };
}

/**
 * The image under a name that is its own still, after a scan of minutes. Another image that has the name by now keeps it: this
 * one gets the next of its names.
 */
export async function stillNamed(plan: BuildPlan, made: Made, ports: BuildPorts, signal: AbortSignal): Promise<Made> {
  const [repository] = plan.request.repositories;
  const { digest } = made.image;
  const name = `${nameOf(repository)}:${made.identity}`;
  const now = await digestOf({ repository, reference: made.identity }, ports, signal);
  if (now === digest) return made;
  if (now === undefined) throw movedMeanwhile(name, digest, now);
  for (let identity = nameAfter(plan, made.identity, ports); identity !== undefined;) {
    const there = await lookAt(plan, { repository, identity }, ports, signal);
    const isOwn = there.kind === 'same' && there.image.digest === digest;
    if (there.kind === 'free') await giveName({ repository, stored: made.stored, tag: identity }, ports, signal);
    if (there.kind === 'free' || isOwn) {
      ports.log.warning(`${name} is ${now} of another run by now; this image is ${identity}`);
      return { ...made, identity };
    }
    identity = nameAfter(plan, identity, ports);
  }
  throw movedMeanwhile(name, digest, now);
}
