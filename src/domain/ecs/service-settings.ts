import { canonicalJson } from '../canonical-json.ts';
import { fieldsOf, readFlag, readNamed, rootOf } from '../checks/place.ts';
import type { FailureFacts } from '../failure.ts';
import { type FieldResult, describeProblem } from '../inputs.ts';
import { type JsonSchema, closed } from '../json-schema.ts';
import type { EcsService, ServiceSettings, VolumeConfiguration } from './service.ts';
import type { TaskDefinitionBody } from './task-definition.ts';
import { SERVICE_VOLUMES_SHAPE, readVolumes } from './volumes.ts';

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
  const propagateTags = fields['propagate-tags'] && readNamed(fields['propagate-tags'], PROPAGATES);
  const managedTags = fields['enable-ecs-managed-tags'] && readFlag(fields['enable-ecs-managed-tags']);
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

/** PURE. What would change of the service, a line each; what is not given stays and is not compared. */
export function settingsChanges(
  { settings: now = {} }: Pick<EcsService, 'settings'>,
  wish: ServiceSettings = {},
): readonly string[] {
  const { volumes, propagateTags, managedTags } = wish;
  const tags = now.propagateTags ?? 'NONE';
  const managed = now.managedTags ?? false;
  return [
    ...(volumes === undefined ? [] : volumeChanges(now.volumes ?? [], volumes)),
    ...(propagateTags === undefined || propagateTags === tags ? [] : [`propagate-tags: ${tags} -> ${propagateTags}`]),
    ...(managedTags === undefined || managedTags === managed
      ? []
      : [`enable-ecs-managed-tags: ${managed} -> ${managedTags}`]),
  ];
}

/** Volumes that come and go, and each member that is given and differs: ECS shows those that it filled in as well. */
function volumeChanges(now: readonly VolumeConfiguration[], wish: readonly VolumeConfiguration[]): readonly string[] {
  const there = new Map(now.map(({ name, managedEBSVolume }) => [name, managedEBSVolume]));
  const wanted = new Set(wish.map(({ name }) => name));
  const gone = now.filter(({ name }) => !wanted.has(name)).map(({ name }) => `volumes.${name}: is taken away`);
  const changed = wish.flatMap(({ name, managedEBSVolume }) => {
    const old = there.get(name);
    if (old === undefined) return [`volumes.${name}: is new`];
    return Object.entries(managedEBSVolume)
      .filter(([member, value]) => comparable(old[member]) !== comparable(value))
      .map(([member, value]) => `volumes.${name}.${member}: ${shown(old[member])} -> ${shown(value)}`);
  });
  return [...gone, ...changed];
}

const shown = (member: unknown): string =>
  member === undefined ? 'none' : typeof member === 'object' ? canonicalJson(member) : String(member);

interface TagSpecification {
  readonly resourceType?: string;
  readonly propagateTags?: string;
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
}

/** Of tags their order says nothing, and ECS shows whose tags a volume gets beside where nobody asked for any. */
function comparable(member: unknown): string {
  if (!Array.isArray(member)) return canonicalJson(member ?? null);
  const specifications = (member as readonly TagSpecification[]).map(({ propagateTags, tags = [], ...rest }) => ({
    ...rest,
    ...(propagateTags === undefined || propagateTags === 'NONE' ? {} : { propagateTags }),
    tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
  }));
  return canonicalJson(specifications);
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

export interface VolumeSources {
  /** What is wished for of the service. */
  readonly wish?: ServiceSettings | undefined;
  /** Volumes of an earlier deployment, for what neither the wish nor the service has. */
  readonly recorded?: readonly VolumeConfiguration[] | undefined;
}

/**
 * PURE. What an update to this definition has to say of the service. ECS keeps the volumes that an update does not name, and
 * refuses a definition that does not wait for them: then they are named, and an empty list takes them away.
 */
export function settingsFor(
  { settings: now = {} }: Pick<EcsService, 'settings'>,
  body: TaskDefinitionBody,
  { wish = {}, recorded = [] }: VolumeSources = {},
): ServiceSettings {
  const kept = now.volumes ?? [];
  const known = [...(wish.volumes ?? kept), ...recorded];
  const volumes = launchVolumesOf(body).flatMap((name) => known.find((volume) => volume.name === name) ?? []);
  const stay = volumes.length === kept.length && volumes.every((volume) => kept.includes(volume));
  return wish.volumes === undefined && stay ? wish : { ...wish, volumes };
}

/** PURE. Volumes that the definition waits for and nobody configures. */
export const unconfigured = (
  body: TaskDefinitionBody,
  volumes: readonly VolumeConfiguration[] = [],
): readonly string[] => launchVolumesOf(body).filter((name) => volumes.every((volume) => volume.name !== name));

/** PURE. Volumes that are configured and not waited for. */
export function unawaited(body: TaskDefinitionBody, volumes: readonly VolumeConfiguration[] = []): readonly string[] {
  const known = launchVolumesOf(body);
  return volumes.map(({ name }) => name).filter((name) => !known.includes(name));
}

/** PURE. What the definition has of them, as the end of a sentence. */
export function launchVolumesTold(body: TaskDefinitionBody): string {
  const known = launchVolumesOf(body);
  return `the task definition has ${known.length === 0 ? 'no volume' : `only ${known.join(', ')}`} with configuredAtLaunch: true`;
}

/**
 * PURE. Volumes on which settings and definition differ: ECS would refuse the update, after the revision was registered.
 * `current` runs already: what it does without is no hindrance.
 */
export function refuseVolumes(
  { ref, settings }: Pick<EcsService, 'ref' | 'settings'>,
  { body, current }: { readonly body: TaskDefinitionBody; readonly current: TaskDefinitionBody },
  wish: ServiceSettings = {},
): FailureFacts | undefined {
  const what = `Could not deploy to ECS service ${ref.service} in cluster ${ref.cluster}`;
  const now = 'Nothing was changed';
  const unknown = unawaited(body, wish.volumes);
  if (unknown.length > 0)
    return {
      what,
      why: `service-settings configures the volume ${unknown.join(', ')}, and ${launchVolumesTold(body)}`,
      now,
      next: 'Add the volume to the task definition, or correct its name',
    };
  const without = unconfigured(current, settings?.volumes);
  const missing = unconfigured(body, wish.volumes ?? settings?.volumes).filter((name) => !without.includes(name));
  if (missing.length === 0) return undefined;
  return {
    what,
    why: `the task definition has the volume ${missing.join(', ')} with configuredAtLaunch: true, and neither service-settings nor the service configures it`,
    now,
    next: 'Configure it under volumes in service-settings, or take it out of the task definition',
  };
}
