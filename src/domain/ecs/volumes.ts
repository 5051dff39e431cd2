import { type Place, complain, entriesOf, fieldsOf, readCount, readFlag, readText, readWord } from '../checks/place.ts';
import { type JsonSchema, closed } from '../json-schema.ts';
import { ROLE_ACCEPTED, roleAt } from './roles.ts';
import type { VolumeConfiguration } from './service.ts';

/*
 * EBS volumes that ECS makes for each task: `volumeConfigurations` of UpdateService and RunTask. The words are those of the
 * API without its capitals; figures are those of its reference.
 */

const KEYS = [
  'role-arn',
  'size-gib',
  'snapshot',
  'type',
  'iops',
  'throughput-mib',
  'encrypted',
  'kms-key',
  'filesystem',
  'initialization-rate-mib',
  'tags',
] as const;
/** The volume of a task that no service keeps alive may outlive it. */
const TASK_KEYS = [...KEYS, 'delete-on-termination'] as const;
type Key = (typeof TASK_KEYS)[number];

const TYPES = ['gp2', 'gp3', 'io1', 'io2', 'st1', 'sc1', 'standard'] as const;
const FILESYSTEMS = ['ext3', 'ext4', 'xfs', 'ntfs'] as const;
const SIZE = { min: 1, max: 16_384 };
const IOPS = { min: 100, max: 256_000 };
const THROUGHPUT = { min: 125, max: 1_000 };
const RATE = { min: 100, max: 300 };

const YES_OR_NO: JsonSchema = { enum: [true, false, 'true', 'false'] };
const within = ({ min, max }: typeof SIZE): JsonSchema => ({ type: 'integer', minimum: min, maximum: max });
const TEXT: JsonSchema = { type: 'string', pattern: '\\S' };

const ofVolume: Readonly<Record<(typeof KEYS)[number], JsonSchema>> = {
  'role-arn': { ...TEXT, description: 'Infrastructure role by which ECS makes it.' },
  'size-gib': { ...within(SIZE), description: 'Needed without a snapshot.' },
  snapshot: { ...TEXT, description: 'What it is made from. Example: `snap-0a1b2c3d`.' },
  type: { enum: TYPES, description: 'Without it ECS takes gp3.' },
  iops: { ...within(IOPS), description: 'Needed by io1 and io2.' },
  'throughput-mib': { ...within(THROUGHPUT), description: 'MiB/s, of gp3 alone.' },
  encrypted: YES_OR_NO,
  'kms-key': { ...TEXT, description: 'Key, alias or ARN it is encrypted by.' },
  filesystem: { enum: FILESYSTEMS, description: 'Without it ECS takes xfs.' },
  'initialization-rate-mib': { ...within(RATE), description: 'MiB/s at which a snapshot is read.' },
  tags: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
};
const shapeOf = (volume: JsonSchema, description: string): JsonSchema => ({
  type: 'object',
  minProperties: 1,
  additionalProperties: { ...volume, required: ['role-arn'] },
  description,
});
const WHICH = 'EBS volumes by the names that the task definition has, with configuredAtLaunch';

/** As `readVolumes` reads those of a service. */
export const SERVICE_VOLUMES_SHAPE = shapeOf(closed<(typeof KEYS)[number]>(ofVolume), `${WHICH}.`);
/** As `readVolumes` reads those of a task. */
export const TASK_VOLUMES_SHAPE = shapeOf(
  closed<Key>({ ...ofVolume, 'delete-on-termination': { ...YES_OR_NO, description: 'true when absent.' } }),
  `${WHICH}; those of the service when absent.`,
);

/** PURE. By name; what is wrong goes to the problems of the place. */
export function readVolumes(place: Place, of: 'service' | 'task'): readonly VolumeConfiguration[] {
  const entries = entriesOf(place);
  // An empty list would take the volumes away that others configured.
  if (entries.length === 0 && place.value !== null && typeof place.value === 'object')
    complain({ ...place, value: undefined }, 'has no volume', { accepted: 'name: { role-arn, size-gib, ... }' });
  return entries.map(([name, child]) => ({ name, managedEBSVolume: volumeAt(child, of) }));
}

function volumeAt(place: Place, of: 'service' | 'task'): VolumeConfiguration['managedEBSVolume'] {
  const known: readonly Key[] = of === 'task' ? TASK_KEYS : KEYS;
  const fields = fieldsOf(place, { known });
  const before = place.problems.length;
  const type = fields.type && readWord(fields.type, TYPES);
  const filesystem = fields.filesystem && readWord(fields.filesystem, FILESYSTEMS);
  const deletes = fields['delete-on-termination'] && readFlag(fields['delete-on-termination']);
  const tags = fields.tags && tagsAt(fields.tags);
  const read = {
    roleArn: fields['role-arn'] && roleAt(fields['role-arn']),
    sizeInGiB: fields['size-gib'] && readCount(fields['size-gib'], SIZE),
    snapshotId: fields.snapshot && readText(fields.snapshot),
    volumeType: type,
    iops: fields.iops && readCount(fields.iops, IOPS),
    throughput: fields['throughput-mib'] && readCount(fields['throughput-mib'], THROUGHPUT),
    encrypted: fields.encrypted && readFlag(fields.encrypted),
    kmsKeyId: fields['kms-key'] && readText(fields['kms-key']),
    filesystemType: filesystem,
    volumeInitializationRate: fields['initialization-rate-mib'] && readCount(fields['initialization-rate-mib'], RATE),
    tagSpecifications: tags && [{ resourceType: 'volume', tags }],
    terminationPolicy: deletes === undefined ? undefined : { deleteOnTermination: deletes },
  };
  if (place.problems.length === before) complainTogether(place, fields, type);
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined));
}

/** What is wrong with members that are right by themselves. */
function complainTogether(place: Place, fields: Partial<Record<Key, Place>>, type: string | undefined): void {
  const say = (problem: string, accepted?: string): undefined =>
    complain({ ...place, value: undefined }, problem, accepted === undefined ? {} : { accepted });
  if (fields['role-arn'] === undefined) say('has no role-arn', ROLE_ACCEPTED);
  if (fields['size-gib'] === undefined && fields.snapshot === undefined) say('has neither size-gib nor snapshot');
  if (fields['throughput-mib'] !== undefined && type !== undefined && type !== 'gp3')
    say(`has throughput-mib, which ${type} does not take`, 'type: gp3');
  if ((type === 'io1' || type === 'io2') && fields.iops === undefined) say(`has no iops, which ${type} needs`);
  if (fields['initialization-rate-mib'] !== undefined && fields.snapshot === undefined)
    say('has initialization-rate-mib, which only a snapshot has');
}

const MOST_TAGS = 50;

/** Tags as the API takes them: sorted, so that the same ones are the same value. */
export function tagsAt(place: Place): readonly { readonly key: string; readonly value: string }[] {
  const entries = entriesOf(place);
  if (entries.length > MOST_TAGS)
    complain({ ...place, value: undefined }, `has ${entries.length} tags, more than ${MOST_TAGS}`);
  return entries
    .map(([key, child]) => ({ key, value: tagAt(key, child) }))
    .toSorted((one, other) => (one.key < other.key ? -1 : 1));
}

function tagAt(key: string, place: Place): string {
  const { value } = place;
  if (/^aws:/i.test(key)) complain({ ...place, value: undefined }, 'has a key that AWS keeps for itself (aws:)');
  if (key.length > 128) complain({ ...place, value: undefined }, 'has a key of more than 128 characters');
  const text =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
  if (typeof value === 'object') complain(place, 'is not text', { given: 'hidden', accepted: 'text' });
  if (text.length > 256) complain({ ...place, value: undefined }, 'has more than 256 characters');
  return text;
}
