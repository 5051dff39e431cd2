import { Failure } from '../../../../src/domain/failure.ts';
import { nameOf } from '../../../../src/domain/image-build/registries.ts';
import type { SemverGrammar } from '../../../../src/domain/tags/context.ts';
import type { RegistryPorts } from './ports.ts';
import { setForward } from './registry.ts';
import { verify } from './verify.ts';
import type { PromoteRequest } from '../inputs.ts';
import type { TagPlan } from '../plan.ts';
import type { Promoted } from '../result.ts';

/** Gives a digest other names, in its registry or another: nothing is built, and nothing is unpacked. */
export async function promote(
  {
    request,
    plan,
    semver,
  }: { readonly request: PromoteRequest; readonly plan: TagPlan; readonly semver: SemverGrammar },
  ports: RegistryPorts,
  signal: AbortSignal,
): Promise<Promoted> {
  const { source, repositories } = request;
  const stored = await ports.registry(source.host).manifest(source.path, source.digest, signal);
  if (stored === undefined)
    throw new Failure({
      what: `Could not promote ${nameOf(source)}@${source.digest}`,
      why: 'it is not there',
      now: 'Nothing was changed',
    });
  const { image } = await verify(
    { repository: source, reference: source.digest, digest: source.digest, platforms: [] },
    ports,
    signal,
  );
  const set = await setForward({ repositories, from: source, stored, plan, semver }, ports, signal);
  return { image, tags: set };
}
