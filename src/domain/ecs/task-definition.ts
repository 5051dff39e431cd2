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
const ANSWER_ONLY = new Set([
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
    next: 'Set the input container to one of them',
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
 * Whether two definitions would run the same: same JSON after the answer-only fields are gone, whatever the order of keys.
 * Used to take an existing revision instead of registering its twin after a run was killed between the two calls.
 */
export function sameDefinition(one: TaskDefinitionBody, other: TaskDefinitionBody): boolean {
  return canonical(toRegistrable(one, {}).body) === canonical(toRegistrable(other, {}).body);
}

/** JSON with sorted keys; absent, null and empty lists or objects are one, because the API answers `[]` for what was never set. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    const kept = Object.entries(inner).filter(([, entry]) => !isBlank(entry));
    return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function isBlank(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** What a dry-run prints: one line a change. */
export function describeChanges(changes: readonly ImageChange[]): readonly string[] {
  return changes.flatMap(({ container, from, to }) => [`- ${container}.image: ${from}`, `+ ${container}.image: ${to}`]);
}
