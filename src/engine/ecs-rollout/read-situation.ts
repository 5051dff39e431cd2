import { type BaseDefinition, type Situation, refusalOf } from '../../domain/ecs/start.ts';
import { judgedByRecord, movesTraffic } from '../../domain/ecs/strategy.ts';
import { Failure } from '../../domain/failure.ts';
import { CloudFailure } from '../../domain/retry-policy.ts';
import type { EcsService, ServiceDeployment, TaskDefinition } from '../../ports/ecs.ts';
import { movingRecord } from './moving-record.ts';
import type { DefinitionSource, DeployImageRequest, RolloutTools } from './rollout.ts';

/** All that the start is decided from; reads only. Also what a dry-run shows. */
export async function readSituation(
  { ref, definition }: Pick<DeployImageRequest, 'ref' | 'definition'>,
  { ecs }: Pick<RolloutTools, 'ecs'>,
  signal: AbortSignal,
): Promise<Situation> {
  const [service] = await ecs.describeServices([ref], signal);
  if (service === undefined)
    throw new Failure({ what: `Could not find ECS service ${ref.service} in cluster ${ref.cluster}` });
  // A service of another deployer may have none to read.
  const refusal = service.taskDefinition === '' ? refusalOf(service, 'deploy to') : undefined;
  if (refusal !== undefined) throw new Failure(refusal);
  const current = await ecs.describeTaskDefinition(service.taskDefinition, signal);
  const situation = { service, current, ...(await readBase(definition, current, ecs, signal)) };
  const serviceDeployment = await readRecord(service, ecs, signal);
  return { ...situation, ...(serviceDeployment === undefined ? {} : { serviceDeployment }) };
}

/** Where the end is known by the record alone, a role that may not read it could not tell how its own release ends. */
async function readRecord(
  service: EcsService,
  ecs: RolloutTools['ecs'],
  signal: AbortSignal,
): Promise<ServiceDeployment | undefined> {
  const need = judgedByRecord(service) ? 'must' : 'may';
  try {
    return await movingRecord(service, { ecs, need }, signal);
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure) || thrown.kind !== 'access-denied' || need === 'may') throw thrown;
    const by = movesTraffic(service) ? `the strategy ${service.strategy}` : 'deployment alarms';
    const why = `${thrown.facts.why}, and with ${by} ECS's record of a deployment alone tells how it ended`;
    throw new CloudFailure(thrown.kind, { ...thrown.facts, why, now: 'Nothing was changed' }, { cause: thrown });
  }
}

async function readBase(
  source: DefinitionSource | undefined,
  current: TaskDefinition,
  ecs: RolloutTools['ecs'],
  signal: AbortSignal,
): Promise<{ readonly base?: BaseDefinition }> {
  if (source === undefined) return {};
  if (source.kind === 'registered') return { base: await readNamed(source.name, ecs, signal) };
  // A file need not repeat the name of the family that the service has.
  const family = String(source.body['family'] ?? current.family);
  return { base: { family, body: { ...source.body, family }, tags: source.tags } };
}

/** A revision that a person named. Where ECS does not know it, that is found before anything is written. */
export async function readNamed(
  name: string,
  ecs: Pick<RolloutTools['ecs'], 'describeTaskDefinition'>,
  signal: AbortSignal,
): Promise<TaskDefinition> {
  try {
    return await ecs.describeTaskDefinition(name, signal);
  } catch (thrown) {
    // ECS has no error of its own for it: "Unable to describe task definition" is a ClientException.
    if (!(thrown instanceof CloudFailure) || (thrown.kind !== 'invalid' && thrown.kind !== 'not-found')) throw thrown;
    throw new CloudFailure(thrown.kind, { ...thrown.facts, now: 'Nothing was changed' }, { cause: thrown });
  }
}
