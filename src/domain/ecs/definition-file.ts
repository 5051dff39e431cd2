import {
  type DocumentProblem,
  type Place,
  complain,
  entriesOf,
  formatPath,
  isMapping,
  rootOf,
} from '../checks/place.ts';
import { nearestOf } from '../inputs.ts';
import { DEFINITION_SHAPES, REGISTER_SHAPE } from './definition-shapes.ts';
import { ANSWER_ONLY, type Tags, type TaskDefinitionBody, ownTags } from './task-definition.ts';

/** A task definition that somebody wrote, as it can be registered. */
export interface WrittenDefinition {
  readonly body: TaskDefinitionBody;
  readonly tags: Tags;
  /** What was read otherwise than it is written, a clause each. */
  readonly said: readonly string[];
}

export type ReadDefinition =
  | { readonly ok: true; readonly value: WrittenDefinition }
  | { readonly ok: false; readonly problems: readonly DocumentProblem[] };

interface Reading {
  readonly said: string[];
}

/**
 * What `aws ecs register-task-definition --generate-cli-skeleton` leaves empty and RegisterTaskDefinition refuses. Nothing
 * else that is empty is touched: an empty list or text may be meant.
 */
const SKELETON_EMPTIES: Readonly<Record<string, unknown>> = {
  taskRoleArn: '',
  executionRoleArn: '',
  networkMode: '',
  cpu: '',
  memory: '',
  pidMode: '',
  ipcMode: '',
  tags: [],
  inferenceAccelerators: [],
};

/**
 * PURE. Compares every key with the SDK's own types: the SDK drops a misspelt one without a word, and passes a wrong type
 * on to an error that names no field. What is safe to read otherwise (`cpu: 256`, `containerPort: "80"`) is, and is said.
 */
export function readDefinition(value: unknown): ReadDefinition {
  const root = rootOf(unwrapped(value));
  const reading: Reading = { said: [] };
  if (!isMapping(root.value))
    complain(root, 'is no task definition', { accepted: 'a mapping with containerDefinitions' });
  const whole = root.problems.length === 0 ? shapeAt(root, REGISTER_SHAPE, reading) : {};
  if (root.problems.length === 0 && !Array.isArray(whole['containerDefinitions']))
    complain({ ...root, value: undefined, path: ['containerDefinitions'] }, 'is missing', {
      accepted: 'a list of containers',
    });
  else refuseDoubles(root);
  if (root.problems.length > 0) return { ok: false, problems: root.problems };
  const { tags, ...body } = whole;
  return { ok: true, value: { body, tags: tagsOf(tags), said: reading.said } };
}

/** ECS says of two containers of one name only that they are there, not where. */
function refuseDoubles(root: Place): void {
  const list = isMapping(root.value) ? root.value['containerDefinitions'] : undefined;
  const names = (Array.isArray(list) ? list : []).map((one: unknown) => (isMapping(one) ? one['name'] : undefined));
  for (const [index, name] of names.entries()) {
    if (typeof name !== 'string' || names.indexOf(name) === index) continue;
    const path = ['containerDefinitions', index, 'name'];
    complain({ ...root, value: name, path }, 'is the name of another container too', {
      accepted: 'a name of its own for each container',
    });
  }
}

/** `describe-task-definition` prints the definition inside of `taskDefinition`, and its tags beside it. */
function unwrapped(value: unknown): unknown {
  if (!isMapping(value) || !isMapping(value['taskDefinition'])) return value;
  const { taskDefinition, tags } = value;
  return tags === undefined ? taskDefinition : { ...taskDefinition, tags };
}

const tagsOf = (tags: unknown): Tags => {
  const list = Array.isArray(tags) ? (tags as readonly { readonly key?: string; readonly value?: string }[]) : [];
  return ownTags(Object.fromEntries(list.flatMap(({ key, value }) => (key === undefined ? [] : [[key, value ?? '']]))));
};

function shapeAt(place: Place, name: string, reading: Reading): Record<string, unknown> {
  const shape = DEFINITION_SHAPES[name] ?? {};
  const read: Record<string, unknown> = {};
  for (const [key, child] of entriesOf(place)) {
    const kind = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (child.value === null || isLeftOut(name, key, child, reading)) continue;
    if (kind === undefined) refuseKey(child, key, Object.keys(shape));
    else read[key] = valueAt(child, kind, reading);
  }
  return read;
}

/** Of the request itself: what only answers have, and what a skeleton leaves empty. */
function isLeftOut(shape: string, key: string, { value }: Place, reading: Reading): boolean {
  if (shape !== REGISTER_SHAPE) return false;
  if (ANSWER_ONLY.has(key)) return true;
  const empty = Object.hasOwn(SKELETON_EMPTIES, key) && JSON.stringify(SKELETON_EMPTIES[key]) === JSON.stringify(value);
  if (empty) reading.said.push(`${key} is empty and left out`);
  return empty;
}

function refuseKey(place: Place, key: string, known: readonly string[]): void {
  const nearest = nearestOf(key, known);
  complain({ ...place, value: undefined }, 'is not a member that ECS knows here', {
    ...(nearest === undefined ? { accepted: known.join(', ') } : { nearest }),
  });
}

function valueAt(place: Place, kind: string, reading: Reading): unknown {
  if (kind.endsWith('[]')) return listAt(place, kind.slice(0, -2), reading);
  switch (kind) {
    case 'text':
      return textAt(place, reading);
    case 'number':
      return numberAt(place, reading);
    case 'flag':
      return flagAt(place, reading);
    case 'map':
      return Object.fromEntries(entriesOf(place).map(([key, child]) => [key, textAt(child, reading)]));
    default:
      return shapeAt(place, kind, reading);
  }
}

function listAt(place: Place, kind: string, reading: Reading): unknown {
  if (!Array.isArray(place.value)) return complain(place, 'is not a list', { given: 'hidden' });
  return place.value.map((value: unknown, index) =>
    valueAt({ ...place, value, path: [...place.path, index] }, kind, reading),
  );
}

/** The values of a definition may be secret, so neither a problem nor a remark repeats one. */
const remark = ({ path }: Place, reading: Reading, as: string): void =>
  void reading.said.push(`${formatPath(path)} is taken as ${as}`);

function textAt(place: Place, reading: Reading): unknown {
  const { value } = place;
  if (typeof value === 'string') return value;
  if (typeof value !== 'number' && typeof value !== 'boolean')
    return complain(place, 'is not text', { given: 'hidden', accepted: 'text' });
  remark(place, reading, 'text');
  return String(value);
}

function numberAt(place: Place, reading: Reading): unknown {
  const { value } = place;
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !/^-?\d+$/.test(value.trim()))
    return complain(place, 'is not a number', { given: 'hidden', accepted: 'a whole number' });
  remark(place, reading, 'a number');
  return Number(value);
}

function flagAt(place: Place, reading: Reading): unknown {
  const { value } = place;
  if (typeof value === 'boolean') return value;
  if (value !== 'true' && value !== 'false')
    return complain(place, 'is neither true nor false', { given: 'hidden', accepted: 'true, false' });
  remark(place, reading, 'true or false');
  return value === 'true';
}
