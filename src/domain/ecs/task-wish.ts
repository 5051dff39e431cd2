import { type Place, complain, entriesOf, fieldsOf, itemsOf, readText, rootOf } from '../checks/place.ts';
import { type Duration, hours, minutes, parseDuration, seconds } from '../duration.ts';
import { type FieldResult, describeProblem } from '../inputs.ts';
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
  /** When an earlier run started it and nobody can tell any more how it ended. */
  readonly onUnknown: 'fail' | 'run' | 'skip';
}

const KEYS = [
  'container',
  'command',
  'environment',
  'timeout',
  'subnets',
  'security-groups',
  'assign-public-ip',
  'on-unknown',
] as const;
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
    onUnknown: fields['on-unknown'] === undefined ? 'fail' : onUnknownAt(fields['on-unknown']),
  };
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
  const { value } = place;
  if (value === true || value === 'true') return 'ENABLED';
  if (value === false || value === 'false') return 'DISABLED';
  return complain(place, 'is neither true nor false', { accepted: 'true, false' });
}

function onUnknownAt(place: Place): TaskWish['onUnknown'] {
  const known = ON_UNKNOWN.find((each) => each === place.value);
  if (known === undefined) complain(place, 'is not one of the accepted values', { accepted: ON_UNKNOWN.join(', ') });
  return known ?? 'fail';
}
