import {
  type Place,
  complain,
  entriesOf,
  fieldsOf,
  itemsOf,
  readCount,
  readFlag,
  readNamed,
  readText,
  readWord,
  rootOf,
} from '../checks/place.ts';
import { type Duration, hours, minutes, parseDuration, seconds } from '../duration.ts';
import { type FieldResult, describeProblem } from '../inputs.ts';
import type { VolumeConfiguration } from './service.ts';
import { TASK_VOLUMES_SHAPE, readVolumes, tagsAt } from './volumes.ts';
import { DURATION_SHAPE, type JsonSchema, closed } from '../json-schema.ts';

/** A task that is run once for a release, beside the service: a migration. */
export interface TaskWish {
  /** Absent: the container that gets the image, or the only one. */
  readonly container?: string;
  /** Absent: the command of the container. */
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeout: Duration;
  /** What is given stands in place of the service's. */
  readonly subnets?: readonly string[];
  readonly securityGroups?: readonly string[];
  readonly assignPublicIp?: 'ENABLED' | 'DISABLED';
  /** Where it runs; each excludes the other, and either stands in place of both of the service. */
  readonly launchType?: (typeof LAUNCH_TYPES)[number];
  readonly capacityProviders?: readonly CapacityProvider[];
  /** Of Fargate. */
  readonly platformVersion?: string;
  /** In place of those that the service has. */
  readonly volumes?: readonly VolumeConfiguration[];
  /** A task by itself has no service whose tags it could get. */
  readonly propagateTags?: 'TASK_DEFINITION' | 'NONE';
  readonly managedTags?: boolean;
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
  /** When an earlier run started it and nobody can tell any more how it ended. */
  readonly onUnknown: 'fail' | 'run' | 'skip';
}

export interface CapacityProvider {
  readonly capacityProvider: string;
  readonly weight?: number;
  readonly base?: number;
}

const KEYS = [
  'container',
  'command',
  'environment',
  'timeout',
  'subnets',
  'security-groups',
  'assign-public-ip',
  'launch-type',
  'capacity-providers',
  'platform-version',
  'volumes',
  'propagate-tags',
  'enable-ecs-managed-tags',
  'tags',
  'on-unknown',
] as const;
const LAUNCH_TYPES = ['FARGATE', 'EC2', 'EXTERNAL'] as const;
const PROPAGATES = { 'task-definition': 'TASK_DEFINITION', none: 'NONE' } as const;
const WEIGHT = { min: 0, max: 1_000 };
const BASE = { min: 0, max: 100_000 };
const PLATFORM = /^(?:LATEST|\d{1,3}\.\d{1,3}\.\d{1,3})$/;
const ON_UNKNOWN = ['fail', 'run', 'skip'] as const;
const USUAL_TIMEOUT: Duration = minutes(15);

const TEXT: JsonSchema = { type: 'string', minLength: 1 };
/** YAML writes 3 and true for the words `3` and `true`. */
const WORD = ['string', 'number', 'boolean'] as const;
const listOf = (description: string): JsonSchema => ({
  type: 'array',
  items: { type: WORD },
  minItems: 1,
  description,
});

/** As `readTaskWish` reads it. */
export const TASK_SHAPE: JsonSchema = closed<(typeof KEYS)[number]>({
  container: { ...TEXT, description: 'Container whose command is run. Default: the one that gets the image.' },
  command: listOf('Command as a list, so that no word is split.'),
  environment: {
    type: 'object',
    additionalProperties: { type: WORD },
    description: 'Variables for this task alone.',
  },
  timeout: { ...DURATION_SHAPE, description: 'How long it may take; 15m when absent.' },
  subnets: listOf('In place of those of the service.'),
  'security-groups': listOf('In place of those of the service.'),
  'assign-public-ip': { enum: [true, false, 'true', 'false'], description: 'In place of what the service has.' },
  'launch-type': { enum: LAUNCH_TYPES, description: 'In place of what the service has. Excludes capacity-providers.' },
  'capacity-providers': {
    type: 'array',
    minItems: 1,
    description: 'In place of what the service has. Example: `[{ provider: FARGATE_SPOT, weight: 1 }]`.',
    items: {
      ...closed<'provider' | 'weight' | 'base'>({
        provider: { type: 'string', pattern: '\\S' },
        weight: { type: 'integer', minimum: WEIGHT.min, maximum: WEIGHT.max },
        base: { type: 'integer', minimum: BASE.min, maximum: BASE.max },
      }),
      required: ['provider'],
    },
  },
  'platform-version': { type: 'string', pattern: PLATFORM.source, description: 'Of Fargate. Example: `1.4.0`.' },
  volumes: TASK_VOLUMES_SHAPE,
  'propagate-tags': { enum: Object.keys(PROPAGATES), description: 'Whether it gets the tags of its task definition.' },
  'enable-ecs-managed-tags': {
    enum: [true, false, 'true', 'false'],
    description: 'Whether ECS tags it with the name of the cluster.',
  },
  tags: {
    type: 'object',
    additionalProperties: { type: ['string', 'number', 'boolean'] },
    description: 'Tags of the task.',
  },
  'on-unknown': {
    enum: ON_UNKNOWN,
    description: 'What happens when an earlier run started it and ECS has forgotten how it ended; fail when absent.',
  },
});

/** PURE. Reads `pre-deploy-task` and `post-deploy-task`; every problem at once, and none repeats a value. */
export function readTaskWish(value: unknown): FieldResult<TaskWish> {
  const root = rootOf(value);
  const fields = fieldsOf(root, { known: KEYS });
  // The image's own command is the service once more: it would never end.
  if (root.problems.length === 0 && fields.command === undefined && fields.container === undefined)
    complain(root, 'has no command', {
      given: 'hidden',
      accepted: 'command, or the container whose own command ends by itself',
    });
  const wish: TaskWish = {
    ...one('container', fields.container, readText),
    ...one('command', fields.command, textsAt),
    environment: fields.environment === undefined ? {} : environmentAt(fields.environment),
    timeout: fields.timeout === undefined ? USUAL_TIMEOUT : timeoutAt(fields.timeout),
    ...one('subnets', fields.subnets, textsAt),
    ...one('securityGroups', fields['security-groups'], textsAt),
    ...one('assignPublicIp', fields['assign-public-ip'], publicIpAt),
    ...one('launchType', fields['launch-type'], (place) => readWord(place, LAUNCH_TYPES)),
    ...one('capacityProviders', fields['capacity-providers'], (place) => itemsOf(place).map(providerAt)),
    ...one('platformVersion', fields['platform-version'], platformAt),
    ...one('volumes', fields.volumes, (place) => readVolumes(place, 'task')),
    ...one('propagateTags', fields['propagate-tags'], (place) => readNamed(place, PROPAGATES)),
    ...one('managedTags', fields['enable-ecs-managed-tags'], readFlag),
    ...one('tags', fields.tags, tagsAt),
    onUnknown: (fields['on-unknown'] && readWord(fields['on-unknown'], ON_UNKNOWN)) ?? 'fail',
  };
  complainOfPlace(fields);
  if (root.problems.length === 0) return { ok: true, value: wish };
  const problem = root.problems
    .map(({ given: _given, ...each }) => describeProblem(each).replace(/\.$/, ''))
    .join('; ');
  return { ok: false, problem: `cannot be used: ${problem}`, accepted: KEYS.join(', '), given: 'hidden' };
}

const one = <T>(
  key: string,
  place: Place | undefined,
  read: (place: Place) => T | undefined,
): Readonly<Record<string, T>> => {
  const value = place === undefined ? undefined : read(place);
  return value === undefined ? {} : { [key]: value };
};

const textsAt = (place: Place): readonly string[] => itemsOf(place).map((item) => scalarAt(item));

function scalarAt(place: Place): string {
  const { value } = place;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  complain(place, 'is not text', { given: 'hidden', accepted: 'text' });
  return '';
}

const environmentAt = (place: Place): Readonly<Record<string, string>> =>
  Object.fromEntries(entriesOf(place).map(([name, child]) => [name, scalarAt(child)]));

function timeoutAt(place: Place): Duration {
  const read = parseDuration(String(place.value));
  if (read !== undefined && read >= seconds(10) && read <= hours(12)) return read;
  complain(place, 'is not a duration of 10s to 12h', { accepted: 'a number with a unit: 90s, 5m, 1h30m' });
  return USUAL_TIMEOUT;
}

function publicIpAt(place: Place): 'ENABLED' | 'DISABLED' | undefined {
  const flag = readFlag(place);
  return flag === undefined ? undefined : flag ? 'ENABLED' : 'DISABLED';
}

function providerAt(place: Place): CapacityProvider {
  const { provider, weight, base } = fieldsOf(place, { known: ['provider', 'weight', 'base'] });
  if (provider === undefined) complain({ ...place, value: undefined }, 'has no provider', { accepted: 'FARGATE_SPOT' });
  const read = {
    weight: weight && readCount(weight, WEIGHT),
    base: base && readCount(base, BASE),
  };
  return {
    capacityProvider: (provider && readText(provider)) ?? '',
    ...(read.weight === undefined ? {} : { weight: read.weight }),
    ...(read.base === undefined ? {} : { base: read.base }),
  };
}

function platformAt(place: Place): string | undefined {
  const text = readText(place);
  if (text === undefined || PLATFORM.test(text)) return text;
  return complain(place, 'is not a platform version', { accepted: 'LATEST, or a number: 1.4.0' });
}

/** ECS takes either, and a version of Fargate for nothing else. */
function complainOfPlace(fields: Partial<Record<(typeof KEYS)[number], Place>>): void {
  const { 'launch-type': type, 'capacity-providers': providers, 'platform-version': version } = fields;
  if (type !== undefined && providers !== undefined)
    complain({ ...providers, value: undefined }, 'excludes launch-type');
  if (version !== undefined && type !== undefined && type.value !== 'FARGATE')
    complain({ ...version, value: undefined }, 'is of Fargate alone, and launch-type is not');
}
