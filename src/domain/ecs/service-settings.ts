import { canonicalJson } from '../canonical-json.ts';
import { type Place, complain, fieldsOf, rootOf } from '../checks/place.ts';
import type { FailureFacts } from '../failure.ts';
import { type FieldResult, describeProblem } from '../inputs.ts';
import { type JsonSchema, closed } from '../json-schema.ts';
import type { EcsService, ServiceSettings, VolumeConfiguration } from './service.ts';
import type { TaskDefinitionBody } from './task-definition.ts';
import { SERVICE_VOLUMES_SHAPE, flagAt, readVolumes } from './volumes.ts';

const KEYS = ['volumes', 'propagate-tags', 'enable-ecs-managed-tags'] as const;
const PROPAGATES = { service: 'SERVICE', 'task-definition': 'TASK_DEFINITION', none: 'NONE' } as const;

/** As `readServiceSettings` reads it. */
export const SETTINGS_SHAPE: JsonSchema = closed<(typeof KEYS)[number]>({
  volumes: SERVICE_VOLUMES_SHAPE,
  'propagate-tags': { enum: Object.keys(PROPAGATES), description: 'Whose tags the tasks of the service get.' },
  'enable-ecs-managed-tags': {
    enum: [true, false, 'true', 'false'],
    description: 'Whether ECS tags the tasks with the names of cluster and service.',
  },
});

/** PURE. Reads the input `service-settings`; every problem at once. */
export function readServiceSettings(value: unknown): FieldResult<ServiceSettings> {
  const root = rootOf(value);
  const fields = fieldsOf(root, { known: KEYS });
  const volumes = fields.volumes && readVolumes(fields.volumes, 'service');
  const propagateTags = fields['propagate-tags'] && propagatesAt(fields['propagate-tags']);
  const managedTags = fields['enable-ecs-managed-tags'] && flagAt(fields['enable-ecs-managed-tags']);
  if (root.problems.length === 0)
    return {
      ok: true,
      value: {
        ...(volumes === undefined ? {} : { volumes }),
        ...(propagateTags === undefined ? {} : { propagateTags }),
        ...(managedTags === undefined ? {} : { managedTags }),
      },
    };
  const problem = root.problems.map((each) => describeProblem(each).replace(/\.$/, '')).join('; ');
  return { ok: false, problem: `cannot be used: ${problem}`, accepted: KEYS.join(', '), given: 'hidden' };
}

function propagatesAt(place: Place): ServiceSettings['propagateTags'] {
  const known = Object.entries(PROPAGATES).find(([word]) => word === place.value);
  const accepted = Object.keys(PROPAGATES).join(', ');
  return known?.[1] ?? complain(place, 'is not one of the accepted values', { accepted });
}

/** PURE. What would change of the service, a line each; what is not given stays and is not compared. */
export function settingsChanges(
  { settings: now = {} }: Pick<EcsService, 'settings'>,
  wish: ServiceSettings = {},
): readonly string[] {
  const { volumes, propagateTags, managedTags } = wish;
  const tags = now.propagateTags ?? 'NONE';
  const managed = now.managedTags ?? false;
  return [
    ...(volumes === undefined || holds(now.volumes ?? [], volumes)
      ? []
      : [`volumes: ${namesOf(now.volumes)} -> ${namesOf(volumes)} (as given)`]),
    ...(propagateTags === undefined || propagateTags === tags ? [] : [`propagate-tags: ${tags} -> ${propagateTags}`]),
    ...(managedTags === undefined || managedTags === managed
      ? []
      : [`enable-ecs-managed-tags: ${managed} -> ${managedTags}`]),
  ];
}

const namesOf = (volumes: readonly VolumeConfiguration[] = []): string =>
  volumes.map(({ name }) => name).join(', ') || 'none';

/** The same volumes, and each member that is given as it is given: ECS shows those that it filled in as well. */
function holds(now: readonly VolumeConfiguration[], wish: readonly VolumeConfiguration[]): boolean {
  const there = new Map(now.map(({ name, managedEBSVolume }) => [name, managedEBSVolume]));
  return (
    now.length === wish.length &&
    wish.every(({ name, managedEBSVolume }) =>
      Object.entries(managedEBSVolume).every(
        ([member, value]) => canonicalJson(there.get(name)?.[member] ?? null) === canonicalJson(value),
      ),
    )
  );
}

/** PURE. What there was of it before, where it changes: what a way back restores. */
export function settingsBefore(
  { settings: now = {} }: Pick<EcsService, 'settings'>,
  wish: ServiceSettings = {},
): ServiceSettings {
  if (settingsChanges({ settings: now }, wish).length === 0) return {};
  return {
    ...(wish.volumes === undefined ? {} : { volumes: now.volumes ?? [] }),
    ...(wish.propagateTags === undefined ? {} : { propagateTags: now.propagateTags ?? 'NONE' }),
    ...(wish.managedTags === undefined ? {} : { managedTags: now.managedTags ?? false }),
  };
}

/** Volumes of the definition that are configured when a task is launched. */
export const launchVolumesOf = (body: TaskDefinitionBody): readonly string[] =>
  ((body['volumes'] ?? []) as readonly Readonly<Record<string, unknown>>[]).flatMap(({ name, configuredAtLaunch }) =>
    configuredAtLaunch === true ? [String(name)] : [],
  );

/** PURE. Volumes that the definition does not wait for: ECS would refuse the update, after the revision was registered. */
export function refuseVolumes(
  { ref }: Pick<EcsService, 'ref'>,
  body: TaskDefinitionBody,
  { volumes = [] }: ServiceSettings = {},
): FailureFacts | undefined {
  const known = launchVolumesOf(body);
  const unknown = volumes.map(({ name }) => name).filter((name) => !known.includes(name));
  if (unknown.length === 0) return undefined;
  return {
    what: `Could not deploy to ECS service ${ref.service} in cluster ${ref.cluster}`,
    why: `service-settings configures the volume ${unknown.join(', ')}, and the task definition has ${known.length === 0 ? 'no volume' : `only ${known.join(', ')}`} with configuredAtLaunch: true`,
    now: 'Nothing was changed',
    next: 'Add the volume to the task definition, or correct its name',
  };
}
