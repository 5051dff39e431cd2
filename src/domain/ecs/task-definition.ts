import { Failure } from '../failure.ts';
import { nearestOf } from '../inputs.ts';
import type { ContainerImages } from './result.ts';

/** The JSON of a task definition as the API speaks it. Passed through: what this file does not name is kept as it is. */
export type TaskDefinitionBody = Readonly<Record<string, unknown>>;
export type Tags = Readonly<Record<string, string>>;

/**
 * What DescribeTaskDefinition answers and RegisterTaskDefinition does not take (API reference of 2026-11; peers forget
 * deleteRequestedAt). Everything else is sent back, so that a field which is newer than this file survives.
 */
export const ANSWER_ONLY: ReadonlySet<string> = new Set([
  'taskDefinitionArn',
  'revision',
  'status',
  'requiresAttributes',
  'compatibilities',
  'registeredAt',
  'deregisteredAt',
  'deleteRequestedAt',
  'registeredBy',
]);

/** Elastic Inference ended on 2023-04-15: a definition that still names it can no longer be registered. */
const RETIRED = 'inferenceAccelerators';

export interface Registrable {
  readonly body: TaskDefinitionBody;
  readonly tags: Tags;
  /** What had to be left out, a sentence each. */
  readonly warnings: readonly string[];
}

/** Turns an answer of DescribeTaskDefinition into what RegisterTaskDefinition takes. */
export function toRegistrable(described: TaskDefinitionBody, tags: Tags): Registrable {
  const accelerators = described[RETIRED];
  const retired = Array.isArray(accelerators) && accelerators.length > 0;
  const entries = Object.entries(described).filter(([key]) => !ANSWER_ONLY.has(key) && key !== RETIRED);
  return {
    body: Object.fromEntries(entries),
    tags: ownTags(tags),
    warnings: retired ? [`${RETIRED} is left out of the new revision: AWS ended Elastic Inference in 2023`] : [],
  };
}

/** Tags that may be written: `aws:` in any case is reserved for AWS and refused. */
export const ownTags = (tags: Tags): Tags =>
  Object.fromEntries(Object.entries(tags).filter(([key]) => !key.toLowerCase().startsWith('aws:')));

export interface ImageChange {
  readonly container: string;
  readonly from: string;
  readonly to: string;
}

export interface Imaged {
  readonly body: TaskDefinitionBody;
  /** Empty: every container already has its image, and no new revision is needed. */
  readonly changes: readonly ImageChange[];
}

interface Container extends TaskDefinitionBody {
  readonly name: string;
}

/** Sets the image of each named container. A container that is not there is a Failure with the nearest name and the list. */
export function withImages(body: TaskDefinitionBody, images: ContainerImages, family: string): Imaged {
  const containers = containersOf(body);
  const wanted = typeof images === 'string' ? forOnlyContainer(containers, images, family) : images;
  const names = containers.map((container) => container.name);
  for (const name of Object.keys(wanted)) if (!names.includes(name)) throw noSuchContainer(name, names, family);
  const changes: ImageChange[] = [];
  const definitions = containers.map((container) => {
    const to = wanted[container.name];
    if (to === undefined || container['image'] === to) return container;
    changes.push({ container: container.name, from: String(container['image'] ?? ''), to });
    return { ...container, image: to };
  });
  return { body: changes.length === 0 ? body : { ...body, containerDefinitions: definitions }, changes };
}

/** Images that the request sets, as the definition has them now: by container name. */
export function imagesOf(body: TaskDefinitionBody): Readonly<Record<string, string>> {
  return Object.fromEntries(containersOf(body).map((container) => [container.name, String(container['image'] ?? '')]));
}

function containersOf(body: TaskDefinitionBody): readonly Container[] {
  const definitions = body['containerDefinitions'];
  if (!Array.isArray(definitions)) return [];
  return (definitions as readonly TaskDefinitionBody[]).map((definition) => ({
    ...definition,
    name: String(definition['name'] ?? ''),
  }));
}

function forOnlyContainer(
  containers: readonly Container[],
  image: string,
  family: string,
): Readonly<Record<string, string>> {
  const [only, ...others] = containers;
  if (only !== undefined && others.length === 0) return { [only.name]: image };
  throw new Failure({
    what: `Could not tell which container of task definition ${family} gets the image`,
    why:
      containers.length === 0
        ? 'it has no containers'
        : `it has ${containers.length}: ${containers.map(({ name }) => name).join(', ')}`,
    now: 'Nothing was changed',
    next:
      containers.length === 0
        ? 'Give the definition a container'
        : 'Set the input container to one of them, or name the image of each by containers',
  });
}

function noSuchContainer(name: string, names: readonly string[], family: string): Failure {
  const nearest = nearestOf(name, names);
  return new Failure({
    what: `Task definition ${family} has no container ${name}`,
    why: `its containers are ${names.join(', ') || 'none'}`,
    now: 'Nothing was changed',
    next:
      nearest === undefined
        ? 'Set the input container to one of them'
        : `Did you mean ${nearest}? Set the input container`,
  });
}

/**
 * Whether two definitions would run the same: the same once what ECS fills in is filled in. Used to reuse a revision instead
 * of registering its twin, for one after a run that was killed between the two calls.
 */
export const sameDefinition = (one: TaskDefinitionBody, other: TaskDefinitionBody): boolean =>
  JSON.stringify(normalised(one)) === JSON.stringify(normalised(other));

/**
 * A definition in the form in which two can be compared: without the answer-only members, with the keys sorted, lists of
 * named things in the order of their names (containers keep theirs: it is the order in which they start), and without
 * what ECS answers for something that was never set (seen with DescribeTaskDefinition; API reference of 2026-11).
 */
export function normalised(body: TaskDefinitionBody): unknown {
  const registrable = toRegistrable(body, {}).body;
  const containers = (registrable['containerDefinitions'] ?? []) as readonly TaskDefinitionBody[];
  const bridged = registrable['networkMode'] === 'bridge' || registrable['networkMode'] === undefined;
  return sorted({
    ...registrable,
    cpu: inCpuUnits(registrable['cpu']),
    memory: units(registrable['memory'], 'gb'),
    ...(containers.length === 0
      ? {}
      : { containerDefinitions: containers.map((container) => containerOf(container, bridged ? 'dynamic' : 'same')) }),
  });
}

/** `0.5 vCPU` and `1 GB` come back as `512` and `1024`. */
function units(size: unknown, word: 'vcpu' | 'gb'): unknown {
  const [, number, unit] = /^\s*(\d*\.?\d+)\s*([a-z]+)\s*$/i.exec(String(size ?? '')) ?? [];
  return unit?.toLowerCase() === word ? String(Number(number) * 1_024) : size;
}

/** `0.5 vCPU` as `512`; what is in units already stays as it is. */
export const inCpuUnits = (size: unknown): unknown => units(size, 'vcpu');

function containerOf(container: TaskDefinitionBody, hostPort: 'same' | 'dynamic'): TaskDefinitionBody {
  const { cpu, essential, portMappings, environment, secrets, healthCheck, ...rest } = container;
  return {
    ...rest,
    ...(cpu === 0 ? {} : { cpu }),
    ...(essential === true ? {} : { essential }),
    environment: byName(environment),
    secrets: byName(secrets),
    portMappings: (Array.isArray(portMappings) ? portMappings : []).map((mapping: TaskDefinitionBody) => ({
      protocol: 'tcp',
      hostPort: hostPort === 'same' ? mapping['containerPort'] : 0,
      ...mapping,
    })),
    ...(healthCheck === undefined
      ? {}
      : { healthCheck: { interval: 30, timeout: 5, retries: 3, ...(healthCheck as TaskDefinitionBody) } }),
  };
}

const byName = (list: unknown): unknown =>
  Array.isArray(list)
    ? (list as readonly TaskDefinitionBody[]).toSorted((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1))
    : list;

/** Keys sorted; absent, null and empty lists or objects are one, because the API answers `[]` for what was never set. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, entry]) => !isBlank(entry));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => [key, sorted(entry)]));
}

function isBlank(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);
}
