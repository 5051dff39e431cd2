import { canonicalJson } from '../../../../src/domain/canonical-json.ts';
import { revisionName } from '../../../../src/domain/ecs/arn.ts';
import { fingerprint } from '../../../../src/domain/fingerprint.ts';
import { CloudFailure } from '../../../../src/domain/retry-policy.ts';
import type { DefinitionSource } from '../../../../src/engine/ecs-rollout/rollout.ts';
import type { Ecs } from '../../../../src/ports/ecs.ts';
import type { DeployRequest, Request } from '../inputs.ts';

interface Named {
  readonly ecs: Pick<Ecs, 'describeTaskDefinition'>;
  readonly definition: DefinitionSource | undefined;
  /** Those of a group, by service. */
  readonly definitions: ReadonlyMap<string, DefinitionSource>;
}

/**
 * A path and a family stay the same while what they stand for changes: a release that only they name gets what they stand for
 * now into its name. Else a later release would be taken for the earlier one, and its way back for that of the other.
 */
export async function nameReleases(request: Request, named: Named, signal: AbortSignal): Promise<Request> {
  if (request.mode === 'deploy') return nameOne(request, named.definition, named, signal);
  if (request.mode !== 'deploy-group') return request;
  const members = request.members.map(async ({ deploy, ...member }) => ({
    ...member,
    deploy: await nameOne(deploy, named.definitions.get(deploy.service), named, signal),
  }));
  return { ...request, members: await Promise.all(members) };
}

async function nameOne(
  request: DeployRequest,
  definition: DefinitionSource | undefined,
  { ecs }: Named,
  signal: AbortSignal,
): Promise<DeployRequest> {
  if (request.named === 'by-itself' || definition === undefined) return request;
  const content =
    definition.kind === 'written'
      ? fingerprint(canonicalJson(definition.body))
      : isRegisteredOver(request)
        ? undefined
        : await newestOf(definition.name, ecs, signal);
  return content === undefined ? request : { ...request, release: `${request.release} ${content}` };
}

/** The release itself makes the newest revision of the family then: its second attempt would be another release. */
const isRegisteredOver = ({ image, edits, roles }: DeployRequest): boolean =>
  [image, edits, roles].some((each) => each !== undefined);

/** undefined: a number names it already, or it cannot be read, which the release tells in its own words. */
async function newestOf(name: string, ecs: Named['ecs'], signal: AbortSignal): Promise<string | undefined> {
  if (/:\d+$/.test(name)) return undefined;
  try {
    return revisionName((await ecs.describeTaskDefinition(name, signal)).arn);
  } catch (thrown) {
    if (thrown instanceof CloudFailure) return undefined;
    throw thrown;
  }
}
