import type { Duration } from '../../domain/duration.ts';
import { revisionName } from '../../domain/ecs/arn.ts';
import { rolesOf } from '../../domain/ecs/capacity.ts';
import type { Preflight } from '../../domain/ecs/preflight.ts';
import { type Reference, referencesOf } from '../../domain/ecs/references.ts';
import type { EcsService, TaskDefinition } from '../../domain/ecs/service.ts';
import { tooSlow } from '../../domain/ecs/strategy.ts';
import { type TaskDefinitionBody, imagesOf } from '../../domain/ecs/task-definition.ts';
import { Failure } from '../../domain/failure.ts';
import type { DeployConditions } from '../../ports/deploy-conditions.ts';
import type { Log } from '../../ports/log.ts';
import { lookForRoom } from './look-for-room.ts';

/** What is about to be deployed, and what serves. */
export interface Prepared {
  readonly service: EcsService;
  readonly current: TaskDefinition;
  readonly body: TaskDefinitionBody;
}

/** How long the deployment may take; absent: not asked. */
export interface Wanted {
  readonly timeout?: Duration;
  /** Tasks that are asked for; absent: as many as the service has. */
  readonly desired?: number | undefined;
  /** What was found out of the release without a call. */
  readonly known?: readonly string[];
}

/** Reads only. Looks at what ECS would find out in the middle of the deployment; what the role may not see is said once. */
export async function preflight(
  { service, current, body, timeout, desired, known = [] }: Prepared & Wanted,
  conditions: DeployConditions,
  signal: AbortSignal,
): Promise<Preflight> {
  const [references, roles, room, wayBack, alarms] = await Promise.all([
    lookAtReferences(referencesOf(body), conditions, signal),
    lookAtRoles(body, conditions, signal),
    lookForRoom({ service, body, desired }, conditions, signal),
    lookAtImages(current, conditions, signal),
    lookAtAlarms(service, conditions, signal),
  ]);
  const slow = timeout === undefined ? undefined : tooSlow(service, timeout);
  const looked = [references, roles, room];
  return {
    problems: [...known, ...looked.flatMap(({ problems }) => problems), ...(slow === undefined ? [] : [slow])],
    warnings: [...looked.flatMap(({ warnings }) => warnings), ...wayBack, ...alarms],
  };
}

/** The same as an error where something is missing. */
export function refuseUnprepared({ problems }: Preflight, { service }: Pick<Prepared, 'service'>): void {
  if (problems.length === 0) return;
  throw new Failure({
    what: `Could not deploy to ECS service ${service.ref.service} in cluster ${service.ref.cluster}`,
    why: problems.join('; '),
    now: 'Nothing was changed',
    next: 'Create what is missing or correct what is named, then re-run',
  });
}

/** What is missing ends the release before anything is written; the rest is said. */
export async function inspectPrepared(
  prepared: Prepared & Wanted,
  { conditions, log }: { readonly conditions: DeployConditions; readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  tellSeen(await preflight(prepared, conditions, signal), prepared, log);
}

/** The same of what was looked at already. */
export function tellSeen(seen: Preflight, { service }: Pick<Prepared, 'service'>, log: Log): void {
  for (const warning of seen.warnings) log.warning(warning);
  refuseUnprepared(seen, { service });
}

async function lookAtReferences(
  references: readonly Reference[],
  conditions: DeployConditions,
  signal: AbortSignal,
): Promise<Preflight> {
  const asked = new Map<string, readonly string[]>();
  for (const { valueFrom, place } of references) asked.set(valueFrom, [...(asked.get(valueFrom) ?? []), place]);
  const problems: string[] = [];
  const unknown: string[] = [];
  for (const [valueFrom, places] of asked) {
    const presence = await conditions.reference(valueFrom, signal);
    if (presence.kind === 'missing')
      problems.push(`${valueFrom}, which ${places.join(' and ')} names, ${presence.why}`);
    if (presence.kind === 'unknown') unknown.push(presence.why);
  }
  const why = [...new Set(unknown)].join('; ');
  const warnings =
    unknown.length === 0
      ? []
      : [`Whether ${unknown.length} of ${asked.size} secrets and parameters exist is not known: ${why}`];
  return { problems, warnings };
}

/** ECS registers a revision with any name of a role, and finds out when the first task starts. */
async function lookAtRoles(
  body: TaskDefinitionBody,
  conditions: DeployConditions,
  signal: AbortSignal,
): Promise<Preflight> {
  const roles = rolesOf(body);
  const seen = await Promise.all(
    roles.map(async ({ role, place }) => ({ role, place, presence: await conditions.role(role, signal) })),
  );
  const missing = seen.flatMap(({ role, place, presence }) =>
    presence.kind === 'missing' ? [`role ${role}, which ${place} names, ${presence.why}`] : [],
  );
  const unknown = [...new Set(seen.flatMap(({ presence }) => (presence.kind === 'unknown' ? [presence.why] : [])))];
  const names = roles.map(({ place }) => place).join(' and ');
  return {
    problems: missing,
    warnings:
      unknown.length === 0 ? [] : [`Whether the roles of ${names} exist could not be checked: ${unknown.join('; ')}`],
  };
}

/** The revision that serves is where a roll back leads: without its image it would lead nowhere. */
async function lookAtImages(
  current: TaskDefinition,
  conditions: DeployConditions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [container, image] of Object.entries(imagesOf(current.body))) {
    const presence = await conditions.image(image, signal);
    const name = `the image of ${container} in ${revisionName(current.arn)}, which a roll back would need`;
    if (presence?.kind === 'missing') found.push(`${name}, cannot be pulled any more: ${presence.why}`);
    if (presence?.kind === 'unknown') found.push(`Whether ${name}, can still be pulled is not known: ${presence.why}`);
  }
  return found;
}

/** ECS ignores an alarm that is in ALARM when the deployment begins: then nobody watches. */
async function lookAtAlarms(
  { alarms, ref }: EcsService,
  conditions: DeployConditions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (alarms === undefined || alarms.names.length === 0) return [];
  const states = await conditions.alarms(alarms.names, signal);
  if ('kind' in states)
    return [`Whether the deployment alarms of ${ref.service} are in ALARM is not known: ${states.why}`];
  const ringing = states.filter(({ state }) => state === 'ALARM').map(({ name }) => name);
  const gone = alarms.names.filter((name) => states.every((each) => each.name !== name));
  return [
    ...(ringing.length === 0
      ? []
      : [`In ALARM already: ${ringing.join(', ')}. ECS does not look at such an alarm in this deployment`]),
    ...(gone.length === 0 ? [] : [`Deployment alarms that do not exist: ${gone.join(', ')}`]),
  ];
}
