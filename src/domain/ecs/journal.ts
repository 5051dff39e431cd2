import { canonicalJson } from '../canonical-json.ts';
import { fingerprint } from '../fingerprint.ts';
import type { EcsService } from './service.ts';

/**
 * What Sluice writes into the tags of a service, so that a run which never saw the first one can go on. Written before the
 * update it explains. `run` is the fence: who finds another one there must not write any more.
 */
export interface ServiceJournal {
  readonly phase: 'deploying' | 'rolling-back' | 'done' | 'rolled-back' | 'failed';
  readonly release: string;
  readonly run: string;
  readonly previousTaskDefinition?: string;
  readonly previousDesired?: number;
  /** ECS's id of the deployment that `failed` speaks of. Absent: none was begun, or it is not known. */
  readonly failedDeployment?: string;
  /** Where the release brought settings alone: the run whose software stays under them. Empty: none is known. */
  readonly softwareRun?: string;
}

const KEYS = {
  schema: 'sluice:schema',
  phase: 'sluice:phase',
  release: 'sluice:release',
  run: 'sluice:run',
  previousTaskDefinition: 'sluice:previous-task-definition',
  previousDesired: 'sluice:previous-desired-count',
  failedDeployment: 'sluice:failed-deployment',
  softwareRun: 'sluice:software-run',
} as const;
const SCHEMA = '1';
const PHASES = [
  'deploying',
  'rolling-back',
  'done',
  'rolled-back',
  'failed',
] as const satisfies readonly ServiceJournal['phase'][];

const TAG_LIMIT = 256;

/** ECS takes letters, digits, spaces and + - = . _ : / @ in a tag's value, at most 256. Of a longer text all of it still counts. */
function tagValue(text: string): string {
  const print = fingerprint(text);
  const kept = text.length <= TAG_LIMIT ? text : `${text.slice(0, TAG_LIMIT - print.length - 1)} ${print}`;
  return kept.replaceAll(/[^\p{L}\p{N} +\-=._:/@]/gu, '-');
}

export function toTags(journal: ServiceJournal): Readonly<Record<string, string>> {
  const { phase, release, run, previousTaskDefinition, previousDesired, softwareRun } = journal;
  return {
    [KEYS.schema]: SCHEMA,
    [KEYS.phase]: phase,
    [KEYS.release]: tagValue(release),
    [KEYS.run]: tagValue(run),
    // Written even when empty: a tag of the deployment before would be taken for ours.
    [KEYS.previousTaskDefinition]: previousTaskDefinition ?? '',
    [KEYS.previousDesired]: previousDesired === undefined ? '' : String(previousDesired),
    [KEYS.softwareRun]: softwareRun ?? '',
  };
}

/** What a release writes before its update. One of settings alone leaves the software of an earlier one in force, and its note. */
export function openTags(
  service: Pick<EcsService, 'tags'>,
  journal: Omit<ServiceJournal, 'softwareRun'>,
): Readonly<Record<string, string>> {
  const found = readJournal(service);
  return toTags(isOfSettings(journal.release) ? { ...journal, softwareRun: softwareRunOf(found) } : journal);
}

/** The name of a release that brings no software; `content` sets two of them apart. */
export const settingsRelease = (content: unknown): string => `settings ${fingerprint(canonicalJson(content))}`;
const isOfSettings = (release: string): boolean => /^settings [0-9a-f]{16}$/.test(release);

function softwareRunOf(journal: ServiceJournal | undefined): string {
  if (journal === undefined) return '';
  if (isOfSettings(journal.release)) return journal.softwareRun ?? journal.run;
  return journal.phase === 'done' ? journal.run : UNKNOWN;
}

/** What failed, or was taken back, stands over a release that its own note has replaced. */
const UNKNOWN = 'unknown';

export const phaseTag = (phase: ServiceJournal['phase']): Readonly<Record<string, string>> => ({ [KEYS.phase]: phase });

/** How the deployment ended. A failed one is named: it may go on in ECS, and only of this one is it true. */
export const endTags = (phase: ServiceJournal['phase'], deploymentId?: string): Readonly<Record<string, string>> => ({
  ...phaseTag(phase),
  ...(phase === 'failed' && deploymentId !== undefined ? { [KEYS.failedDeployment]: deploymentId } : {}),
});

/** undefined: Sluice never wrote here, or in a form of another version, which says nothing to this one. */
export function readJournal({ tags }: Pick<EcsService, 'tags'>): ServiceJournal | undefined {
  const phase = PHASES.find((known) => known === tags[KEYS.phase]);
  const run = tags[KEYS.run];
  if (phase === undefined || run === undefined || tags[KEYS.schema] !== SCHEMA) return undefined;
  const previous = tags[KEYS.previousTaskDefinition];
  const desired = tags[KEYS.previousDesired] ?? '';
  const failed = tags[KEYS.failedDeployment];
  const release = tags[KEYS.release] ?? '';
  const software = isOfSettings(release) ? tags[KEYS.softwareRun] : undefined;
  return {
    phase,
    run,
    release,
    ...(previous ? { previousTaskDefinition: previous } : {}),
    ...(/^\d+$/.test(desired) ? { previousDesired: Number(desired) } : {}),
    ...(failed ? { failedDeployment: failed } : {}),
    ...(software === undefined ? {} : { softwareRun: software }),
  };
}

/**
 * Whether `run` may still write: nobody wrote here, or it was this very run and attempt. `earlier` is whom the tags named
 * before this run wrote its own: a read that still shows it is an old one, not somebody who took over.
 */
export function mayWrite(service: Pick<EcsService, 'tags'>, run: string, earlier?: string): boolean {
  const owner = service.tags[KEYS.run];
  return owner === undefined || owner === tagValue(run) || owner === earlier;
}

/** Whom the tags name now, as `mayWrite` takes it. */
export const writerOf = ({ tags }: Pick<EcsService, 'tags'>): string | undefined => tags[KEYS.run];

/** The same workflow run, whatever its attempt: `<run id>/<attempt>`. */
export const sameWorkflowRun = (one: string, other: string): boolean => one.split('/')[0] === other.split('/')[0];

/** What a run would put over what serves. */
export interface Arrival {
  readonly release: string;
  readonly run: string;
  /** `software`: images in the revision that runs, so that settings which came meanwhile stay. */
  readonly brings: 'software' | 'more';
}

/**
 * The release that began after `run` and that it would put an older one over: its commit is older, or as old. Ids of workflow
 * runs rise within a repository; a run that is none of GitHub's is before nobody.
 */
export function outdatedBy(journal: ServiceJournal | undefined, { release, run, brings }: Arrival): string | undefined {
  if (journal === undefined || sameRelease(journal, release)) return undefined;
  const settings = isOfSettings(journal.release);
  const below = settings ? softwareRunOf(journal) : '';
  // Settings that came later, and went badly or not, have the same software under them.
  if (isBefore(run, below)) return below === journal.run ? told(journal) : `the software of the later run ${below}`;
  // What failed is nobody's newer release.
  if (journal.phase !== 'done' || (settings && brings === 'software' && below !== UNKNOWN)) return undefined;
  return isBefore(run, journal.run) ? told(journal) : undefined;
}

const told = ({ release, run }: ServiceJournal): string => `release ${release} of the later run ${run}`;

function isBefore(ours: string, theirs: string): boolean {
  const [mine = '', other = ''] = [ours, theirs].map((each) => each.split('/')[0]);
  return /^\d+$/.test(mine) && /^\d+$/.test(other) && BigInt(mine) < BigInt(other);
}

/** Written by a run that did not come to its end. */
export const isOpen = (journal: ServiceJournal | undefined): journal is ServiceJournal =>
  journal?.phase === 'deploying' || journal?.phase === 'rolling-back';

export const sameRelease = (journal: ServiceJournal | undefined, release: string): boolean =>
  journal?.release === tagValue(release);
