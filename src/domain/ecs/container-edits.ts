import { type Place, complain, entriesOf, fieldsOf, isMapping, rootOf } from '../checks/place.ts';
import { Failure } from '../failure.ts';
import { type FieldResult, describeProblem, nearestOf } from '../inputs.ts';
import { type JsonSchema, closed } from '../json-schema.ts';
import type { TaskDefinitionBody } from './task-definition.ts';

/** Names with values; null takes a name away. */
type Settings = Readonly<Record<string, string | null>>;

/** What changes in one container of a task definition. Everything that is not named stays. */
export interface ContainerEdit {
  /** An entry of `images`, or a whole reference. */
  readonly image?: string;
  readonly environment?: Settings;
  /** ARN of a secret or a parameter by the name of the variable. */
  readonly secrets?: Settings;
  /** null: the command of the image. */
  readonly command?: readonly string[] | null;
  readonly logDriver?: string;
  readonly logOptions?: Settings;
  readonly labels?: Settings;
  /** ARNs of objects in S3; in place of those that are there. */
  readonly environmentFiles?: readonly string[];
}

export type ContainerEdits = Readonly<Record<string, ContainerEdit>>;

const KEYS = [
  'image',
  'environment',
  'environment-files',
  'secrets',
  'command',
  'log-driver',
  'log-options',
  'labels',
] as const;

/** ECS reads no other file, and only from there. */
const FILE = /^arn:[a-z0-9-]+:s3:::[^/]+\/.+\.env$/;
const FILE_ACCEPTED = 'ARNs of .env files in S3: [arn:aws:s3:::config/web.env]';

const TEXT: JsonSchema = { type: ['string', 'number', 'boolean'] };
const settingsSchema = (description: string): JsonSchema => ({
  type: 'object',
  additionalProperties: { type: ['string', 'number', 'boolean', 'null'] },
  description: `${description}; null takes a name away.`,
});

/** As `readContainerEdits` reads it. */
export const CONTAINERS_SHAPE: JsonSchema = {
  type: 'object',
  additionalProperties: closed<(typeof KEYS)[number]>({
    image: { ...TEXT, description: 'An entry of `images`, or a whole reference.' },
    environment: settingsSchema('Variables with their values'),
    secrets: settingsSchema('Variables with the ARN of a secret or a parameter'),
    command: {
      type: ['array', 'null'],
      items: TEXT,
      description: 'Command as a list, so that no word is split; null: the command of the image.',
    },
    'log-driver': { ...TEXT, description: 'Example: `awslogs`.' },
    'log-options': settingsSchema('Options of the log driver'),
    labels: settingsSchema('Docker labels'),
    'environment-files': {
      type: 'array',
      items: { type: 'string', pattern: FILE.source },
      description:
        'ARNs of .env files in S3, in place of those that are there. Example: `[arn:aws:s3:::config/web.env]`.',
    },
  }),
};

/** PURE. Reads the input `containers`; every problem at once, and none repeats a value, which may be a secret. */
export function readContainerEdits(value: unknown): FieldResult<ContainerEdits> {
  const root = rootOf(value);
  // Not by assignment: a container called __proto__ would vanish without a word.
  const edits = Object.fromEntries(entriesOf(root).map(([name, place]) => [name, editAt(place)]));
  if (root.problems.length === 0) return { ok: true, value: edits };
  const problem = root.problems
    .map(({ given: _given, ...each }) => describeProblem(each).replace(/[.?]$/, ''))
    .join('; ');
  return {
    ok: false,
    problem: `cannot be used: ${problem}`,
    accepted: `by container: ${KEYS.join(', ')}`,
    given: 'hidden',
  };
}

function editAt(place: Place): ContainerEdit {
  const { image, environment, secrets, command, ...more } = fieldsOf(place, { known: KEYS });
  const edit = {
    ...one('image', image, textAt),
    ...one('environment', environment, settingsAt),
    ...one('secrets', secrets, settingsAt),
    ...one('command', command, commandAt),
    ...one('logDriver', more['log-driver'], textAt),
    ...one('logOptions', more['log-options'], settingsAt),
    ...one('labels', more.labels, settingsAt),
    ...one('environmentFiles', more['environment-files'], filesAt),
  } as ContainerEdit;
  for (const name of namesSet(edit.environment).filter((each) => namesSet(edit.secrets).includes(each)))
    complain({ ...place, value: undefined, path: [...place.path, 'secrets', name] }, 'is set in environment too');
  return edit;
}

const namesSet = (settings: Settings | undefined): readonly string[] =>
  Object.entries(settings ?? {}).flatMap(([name, value]) => (value === null ? [] : [name]));

const one = <T>(key: string, place: Place | undefined, read: (place: Place) => T): Readonly<Record<string, T>> =>
  place === undefined ? {} : { [key]: read(place) };

function settingsAt(place: Place): Settings {
  if (!isMapping(place.value))
    complain(place, 'is not a mapping', { given: 'hidden', accepted: 'NAME: value, null to remove' });
  const entries = isMapping(place.value) ? entriesOf(place) : [];
  return Object.fromEntries(entries.map(([name, child]) => [name, child.value === null ? null : textAt(child)]));
}

function textAt(place: Place): string {
  const { value } = place;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  complain(place, 'is not text', { given: 'hidden', accepted: 'text' });
  return '';
}

function commandAt(place: Place): readonly string[] | null {
  if (place.value === null) return null;
  if (!Array.isArray(place.value)) {
    complain(place, 'is not a list', {
      given: 'hidden',
      accepted: 'a YAML list, so that no word is split: [node, server.js]',
    });
    return [];
  }
  return place.value.map((value: unknown, index) => textAt({ ...place, value, path: [...place.path, index] }));
}

function filesAt(place: Place): readonly string[] {
  if (!Array.isArray(place.value)) {
    complain(place, 'is not a list', { given: 'hidden', accepted: FILE_ACCEPTED });
    return [];
  }
  return place.value.map((value: unknown, index) => fileAt({ ...place, value, path: [...place.path, index] }));
}

function fileAt(place: Place): string {
  const arn = textAt(place);
  if (!FILE.test(arn))
    complain(place, 'is no .env file of S3, the only ones that ECS reads', {
      given: 'hidden',
      accepted: FILE_ACCEPTED,
    });
  return arn;
}

type Container = TaskDefinitionBody;
interface Named {
  readonly name: string;
}

/** PURE. A container that is not there is a Failure with the nearest name. */
export function withEdits(body: TaskDefinitionBody, edits: ContainerEdits, family: string): TaskDefinitionBody {
  const containers = (body['containerDefinitions'] ?? []) as readonly Container[];
  const names = containers.map((container) => String(container['name']));
  for (const name of Object.keys(edits)) if (!names.includes(name)) throw noSuchContainer(name, names, family);
  const editOf = (name: string): ContainerEdit | undefined => (Object.hasOwn(edits, name) ? edits[name] : undefined);
  const edited = containers.map((container) => editContainer(container, editOf(String(container['name']))));
  return Object.keys(edits).length === 0 ? body : { ...body, containerDefinitions: edited };
}

function noSuchContainer(name: string, names: readonly string[], family: string): Failure {
  const nearest = nearestOf(name, names);
  return new Failure({
    what: `Task definition ${family} has no container ${name}, which the input containers names`,
    why: `its containers are ${names.join(', ') || 'none'}`,
    now: 'Nothing was changed',
    ...(nearest === undefined ? {} : { next: `Did you mean ${nearest}?` }),
  });
}

function editContainer(container: Container, edit: ContainerEdit | undefined): Container {
  if (edit === undefined) return container;
  const { environment = {}, secrets = {}, command } = edit;
  // One name is a variable or a secret, never both: ECS refuses that. What is set here wins over the other list.
  const noVariables = Object.fromEntries(namesSet(secrets).map((name) => [name, null]));
  const noSecrets = Object.fromEntries(namesSet(environment).map((name) => [name, null]));
  const { command: _, ...rest } = container;
  return {
    ...(command === undefined ? container : rest),
    ...(edit.image === undefined ? {} : { image: edit.image }),
    ...listed(container, 'environment', { ...noVariables, ...environment }, 'value'),
    ...listed(container, 'secrets', { ...noSecrets, ...secrets }, 'valueFrom'),
    ...(command === undefined || command === null ? {} : { command }),
    ...logging(container, edit),
    ...(edit.labels === undefined ? {} : { dockerLabels: merged(container['dockerLabels'], edit.labels) }),
    ...(edit.environmentFiles === undefined
      ? {}
      : { environmentFiles: edit.environmentFiles.map((value) => ({ value, type: 's3' })) }),
  };
}

/** A list of `{ name, value }`: what is there keeps its place, what is new comes last. */
function listed(
  container: Container,
  key: 'environment' | 'secrets',
  settings: Settings,
  member: 'value' | 'valueFrom',
): TaskDefinitionBody {
  if (Object.keys(settings).length === 0) return {};
  const before = (container[key] ?? []) as readonly Named[];
  const kept = before.flatMap((entry) => {
    const value = settings[entry.name];
    return value === undefined ? [entry] : value === null ? [] : [{ name: entry.name, [member]: value }];
  });
  const known = new Set(before.map(({ name }) => name));
  const added = Object.entries(settings).flatMap(([name, value]) =>
    known.has(name) || value === null ? [] : [{ name, [member]: value }],
  );
  return before.length + added.length === 0 ? {} : { [key]: [...kept, ...added] };
}

function logging(container: Container, { logDriver, logOptions }: ContainerEdit): TaskDefinitionBody {
  if (logDriver === undefined && logOptions === undefined) return {};
  const before = (container['logConfiguration'] ?? {}) as TaskDefinitionBody;
  const driver = logDriver ?? before['logDriver'];
  if (driver === undefined)
    throw new Failure({
      what: `Could not set log-options of container ${String(container['name'])}`,
      why: 'it has no log driver',
      now: 'Nothing was changed',
      next: 'Set log-driver too: awslogs',
    });
  const options = logOptions === undefined ? {} : { options: merged(before['options'], logOptions) };
  return { logConfiguration: { ...before, logDriver: driver, ...options } };
}

function merged(before: unknown, settings: Settings): Readonly<Record<string, unknown>> {
  const all = { ...(before as Readonly<Record<string, unknown>> | undefined), ...settings };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}
