import { type Instant, between, formatInstant, hours, instant } from '../duration.ts';
import { essentialContainers } from './container-logs.ts';
import type { EcsService, EcsTask, Placement, ServiceSettings, VolumeConfiguration } from './service.ts';
import { launchVolumesOf, launchVolumesTold, unawaited, unconfigured } from './service-settings.ts';
import type { TaskDefinitionBody } from './task-definition.ts';
import type { TaskWish } from './task-wish.ts';

/** When it runs: before the service changes, or after it is steady. */
export type Moment = 'pre-deploy' | 'post-deploy';

/**
 * One task of one release, in the tags of the service. A succeeded one is never run again; a failed one may be, as the
 * next `attempt`. Written before the task is started, so that whoever comes after a killed run looks for it.
 */
export interface TaskRecord {
  /** Names image and command: 12 hex digits of their hash. */
  readonly key: string;
  readonly attempt: number;
  readonly state:
    | { readonly kind: 'started'; readonly at: Instant }
    /** -1: it ended without one (it never started). */
    | { readonly kind: 'ended'; readonly exitCode: number };
}

const TAGS: Readonly<Record<Moment, string>> = {
  'pre-deploy': 'sluice:pre-deploy-tasks',
  'post-deploy': 'sluice:post-deploy-tasks',
};
const TAG_LIMIT = 256;
const ENTRY = /^([0-9a-f]{12})\.(\d{1,4})\.(?:s(\d{1,12})|e(-?\d{1,4}))$/;

/** Newest first. What cannot be read was not written by this action. */
export function readRecords({ tags }: Pick<EcsService, 'tags'>, moment: Moment): readonly TaskRecord[] {
  return (tags[TAGS[moment]] ?? '').split(' ').flatMap((entry) => {
    const [, key, attempt, started, ended] = ENTRY.exec(entry) ?? [];
    if (key === undefined || attempt === undefined) return [];
    const state =
      started === undefined
        ? ({ kind: 'ended', exitCode: Number(ended) } as const)
        : ({ kind: 'started', at: instant(Number(started) * 1_000) } as const);
    return [{ key, attempt: Number(attempt), state }];
  });
}

/** The tag with `record` first; the oldest that do not fit are forgotten (a tag takes 256 characters, some 14 of them). */
export function withRecord(
  records: readonly TaskRecord[],
  record: TaskRecord,
  moment: Moment,
): Readonly<Record<string, string>> {
  const entries = [record, ...records.filter(({ key }) => key !== record.key)].map(entryOf);
  let text = '';
  for (const entry of entries) {
    if (text.length + entry.length + 1 > TAG_LIMIT) break;
    text = text === '' ? entry : `${text} ${entry}`;
  }
  return { [TAGS[moment]]: text };
}

const entryOf = ({ key, attempt, state }: TaskRecord): string =>
  `${key}.${attempt}.${state.kind === 'started' ? `s${Math.floor(state.at / 1_000)}` : `e${state.exitCode}`}`;

/** How a task is found again by whoever knows the record; ECS takes letters, digits, `-`, `_` and `/`. */
export const startedBy = (moment: Moment, { key, attempt }: Pick<TaskRecord, 'key' | 'attempt'>): string =>
  `sluice-${moment}-${key}-${attempt}`;

export type TaskDecision =
  | { readonly kind: 'remembered' }
  | { readonly kind: 'follow'; readonly task: EcsTask; readonly attempt: number }
  /** `begun`: the record of it stands already, so the same token is sent. */
  | { readonly kind: 'run'; readonly attempt: number; readonly begun: 'yes' | 'no' }
  | { readonly kind: 'unknown'; readonly why: string; readonly attempt: number };

/** ECS keeps a client token for 24 h; an hour less leaves room for clocks that differ. */
const TOKEN_LIVES = hours(23);

/**
 * PURE. `found`: what ECS shows of the attempt that the record names. Two runs side by side come to the same attempt and so
 * to the same token, for which ECS starts one task.
 */
export function decideTask(record: TaskRecord | undefined, found: readonly EcsTask[], now: Instant): TaskDecision {
  if (record === undefined) return { kind: 'run', attempt: 1, begun: 'no' };
  const { attempt, state } = record;
  if (state.kind === 'ended')
    return state.exitCode === 0 ? { kind: 'remembered' } : { kind: 'run', attempt: attempt + 1, begun: 'no' };
  const [task] = found;
  if (task !== undefined) return { kind: 'follow', task, attempt };
  // The run that wrote the record may have died before it asked for the task: the same token cannot start a second one.
  if (between(state.at, now) < TOKEN_LIVES) return { kind: 'run', attempt, begun: 'yes' };
  const why = `an earlier run started it at ${formatInstant(state.at)} and did not write down how it ended, and ECS has forgotten it`;
  return { kind: 'unknown', why, attempt };
}

/** PURE. The exit code that counts: of the essential containers the first that is not 0; -1 when one never ran. */
export function exitCodeOf(task: EcsTask, body: TaskDefinitionBody): number {
  const essential = essentialContainers(body);
  const judged = task.containers.filter(({ name }) => essential.has(name));
  const codes = (judged.length > 0 ? judged : task.containers).map(({ exitCode }) => exitCode ?? -1);
  return codes.length === 0 ? -1 : (codes.find((code) => code !== 0) ?? 0);
}

/** PURE. How the task is placed: as the service's own, but for what is given. */
export function placementFor(
  { placement: own = {} }: Pick<EcsService, 'placement'>,
  { subnets, securityGroups, assignPublicIp, ...wish }: TaskWish,
): Placement {
  const placement = platformOf(own, wish);
  const given = {
    ...(subnets === undefined ? {} : { subnets }),
    ...(securityGroups === undefined ? {} : { securityGroups }),
    ...(assignPublicIp === undefined ? {} : { assignPublicIp }),
  };
  if (Object.keys(given).length === 0) return placement;
  const known = placement.networkConfiguration as { readonly awsvpcConfiguration?: object } | undefined;
  return { ...placement, networkConfiguration: { awsvpcConfiguration: { ...known?.awsvpcConfiguration, ...given } } };
}

const FARGATE_PROVIDERS: ReadonlySet<string> = new Set(['FARGATE', 'FARGATE_SPOT']);

/** Launch type and providers exclude each other, and only Fargate has versions. */
function platformOf(
  own: Placement,
  {
    launchType,
    capacityProviders,
    platformVersion,
  }: Pick<TaskWish, 'launchType' | 'capacityProviders' | 'platformVersion'>,
): Placement {
  const { launchType: _type, capacityProviderStrategy: _strategy, platformVersion: version, ...network } = own;
  const known = platformVersion ?? version;
  const versioned = known === undefined ? {} : { platformVersion: known };
  if (capacityProviders !== undefined) {
    const onFargate = capacityProviders.every(({ capacityProvider }) => FARGATE_PROVIDERS.has(capacityProvider));
    return { ...network, ...(onFargate ? versioned : {}), capacityProviderStrategy: capacityProviders };
  }
  if (launchType !== undefined) return { ...network, ...(launchType === 'FARGATE' ? versioned : {}), launchType };
  return platformVersion === undefined ? own : { ...own, platformVersion };
}

/** PURE. Volumes that the task is launched with: what is given, else those that the service has or gets, where the definition waits for one. */
export function volumesFor(
  { settings }: Pick<EcsService, 'settings'>,
  wish: Pick<TaskWish, 'volumes'>,
  release: { readonly body: TaskDefinitionBody; readonly settings?: ServiceSettings | undefined },
): readonly VolumeConfiguration[] {
  const waiting = launchVolumesOf(release.body);
  const ofService = release.settings?.volumes ?? settings?.volumes ?? [];
  return wish.volumes ?? ofService.filter(({ name }) => waiting.includes(name)).map(asOfTask);
}

/** RunTask takes no tags of a service for its volumes (API reference, EBSTagSpecification). */
function asOfTask(volume: VolumeConfiguration): VolumeConfiguration {
  const { tagSpecifications, ...managed } = volume.managedEBSVolume;
  if (!Array.isArray(tagSpecifications)) return volume;
  const kept = tagSpecifications.map((each: Readonly<Record<string, unknown>>) => {
    const { propagateTags, ...others } = each;
    return propagateTags === 'SERVICE' ? others : each;
  });
  return { ...volume, managedEBSVolume: { ...managed, tagSpecifications: kept } };
}

/** PURE. Volumes for which ECS would refuse the task, after the revision was registered. */
export function volumeProblems(
  moment: Moment,
  wish: Pick<TaskWish, 'volumes'>,
  release: {
    readonly service: Pick<EcsService, 'settings'>;
    readonly body: TaskDefinitionBody;
    readonly settings?: ServiceSettings | undefined;
  },
): readonly string[] {
  const { body } = release;
  const volumes = volumesFor(release.service, wish, release);
  const unknown = unawaited(body, volumes);
  const missing = unconfigured(body, volumes);
  return [
    ...(unknown.length === 0
      ? []
      : [`${moment}-task configures the volume ${unknown.join(', ')}, and ${launchVolumesTold(body)}`]),
    ...(missing.length === 0
      ? []
      : [
          `the task definition has the volume ${missing.join(', ')} with configuredAtLaunch: true, and ${moment}-task is launched without it: nobody configures it`,
        ]),
  ];
}
