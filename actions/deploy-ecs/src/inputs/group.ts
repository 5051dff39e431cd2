import { type Place, complain, fieldsOf, itemsOf, readText, rootOf } from '../../../../src/domain/checks/place.ts';
import {
  CONTAINERS_SHAPE,
  type ContainerEdits,
  readContainerEdits,
} from '../../../../src/domain/ecs/container-edits.ts';
import { roleAt } from '../../../../src/domain/ecs/roles.ts';
import type { ServiceSettings } from '../../../../src/domain/ecs/service.ts';
import { SETTINGS_SHAPE, readServiceSettings } from '../../../../src/domain/ecs/service-settings.ts';
import { TASK_SHAPE, type TaskWish, readTaskWish } from '../../../../src/domain/ecs/task-wish.ts';
import { type FieldResult, describeProblem, nearestOf } from '../../../../src/domain/inputs.ts';
import { type JsonSchema, closed } from '../../../../src/domain/json-schema.ts';
import { ringOf } from '../decide/group.ts';

/** One entry of `service-group`. */
export interface GroupEntry {
  readonly service: string;
  readonly image?: string;
  readonly container?: string;
  readonly definition?: string;
  readonly containers?: ContainerEdits;
  readonly taskRole?: string;
  readonly executionRole?: string;
  readonly settings?: ServiceSettings;
  readonly before?: TaskWish;
  readonly after?: TaskWish;
  readonly dependsOn: readonly string[];
}

const KEYS = [
  'service',
  'image',
  'container',
  'task-definition',
  'containers',
  'task-role-arn',
  'execution-role-arn',
  'service-settings',
  'pre-deploy-task',
  'post-deploy-task',
  'depends-on',
] as const;
type Key = (typeof KEYS)[number];

/** Of a file, a family, `family:number` or an ARN. */
export const DEFINITION =
  /(?!.*\.\.)(?:[^\s:]+\.(?:json|ya?ml)|(?:arn:aws[a-z-]*:ecs:[a-z0-9-]+:\d{12}:task-definition\/)?[\w-]{1,255}(?::\d{1,9})?)/;
export const DEFINITION_ACCEPTED = 'a path that ends in .json, .yml or .yaml, a family, family:number, or an ARN';
const MOST = 50;

const TEXT: JsonSchema = { type: 'string', pattern: '\\S' };
export const GROUP_SHAPE: JsonSchema = {
  type: 'array',
  minItems: 1,
  items: {
    ...closed<Key>({
      service: { ...TEXT, description: 'Name of the ECS service.' },
      image: { ...TEXT, description: 'An entry of `images`, or a whole reference.' },
      container: { ...TEXT, description: 'Container that gets the image.' },
      'task-definition': { ...TEXT, description: 'What its new revision is made from, as the input of that name.' },
      containers: CONTAINERS_SHAPE,
      'task-role-arn': { ...TEXT, description: 'Role of its tasks.' },
      'execution-role-arn': { ...TEXT, description: 'Role by which ECS starts them.' },
      'service-settings': SETTINGS_SHAPE,
      'pre-deploy-task': TASK_SHAPE,
      'post-deploy-task': TASK_SHAPE,
      'depends-on': {
        type: 'array',
        items: TEXT,
        description: 'Services of the group that serve their new revision before this one is touched.',
      },
    }),
    required: ['service'],
  },
};

/** PURE. Reads the input `service-group`: every problem of it at once, rings and unknown names too. */
export function readGroup(value: unknown): FieldResult<readonly GroupEntry[]> {
  const root = rootOf(value);
  const places = itemsOf(root);
  if (places.length > MOST) complain({ ...root, value: undefined }, `has ${places.length} services, more than ${MOST}`);
  const entries = places.flatMap((place) => entryAt(place) ?? []);
  complainOfOrder(root, entries);
  if (root.problems.length === 0) return { ok: true, value: entries };
  const problem = root.problems
    .map((each) => describeProblem({ ...each, input: each.input === 'the document' ? 'the list' : each.input }))
    .map((each) => each.replace(/\.$/, ''))
    .join('; ');
  return {
    ok: false,
    problem: `cannot be used: ${problem}`,
    accepted: `a list of services, each with ${KEYS.join(', ')}`,
    given: 'hidden',
  };
}

function entryAt(place: Place): GroupEntry | undefined {
  const fields = fieldsOf(place, { known: KEYS });
  const service = fields.service === undefined ? undefined : readText(fields.service)?.trim();
  if (fields.service === undefined) complain({ ...place, value: undefined }, 'has no service');
  const image = textOf(fields.image);
  const container = textOf(fields.container);
  const definition = textOf(fields['task-definition']);
  if (fields['task-definition'] !== undefined && definition !== undefined && !whole(DEFINITION).test(definition))
    complain(fields['task-definition'], 'is not a task definition', { accepted: DEFINITION_ACCEPTED });
  const containers = nested(fields.containers, readContainerEdits);
  const taskRole = fields['task-role-arn'] && roleAt(fields['task-role-arn']);
  const executionRole = fields['execution-role-arn'] && roleAt(fields['execution-role-arn']);
  const settings = nested(fields['service-settings'], readServiceSettings);
  const before = nested(fields['pre-deploy-task'], readTaskWish);
  const after = nested(fields['post-deploy-task'], readTaskWish);
  const others = fields['depends-on'];
  const dependsOn =
    others === undefined || isEmpty(others) ? [] : itemsOf(others).flatMap((item) => textOf(item) ?? []);
  if (service === undefined) return undefined;
  return {
    service,
    dependsOn,
    ...(image === undefined ? {} : { image }),
    ...(container === undefined ? {} : { container }),
    ...(definition === undefined ? {} : { definition }),
    ...(containers === undefined ? {} : { containers }),
    ...(taskRole === undefined ? {} : { taskRole }),
    ...(executionRole === undefined ? {} : { executionRole }),
    ...(settings === undefined ? {} : { settings }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}

const whole = ({ source }: RegExp): RegExp => new RegExp(`^(?:${source})$`);
const isEmpty = ({ value }: Place): boolean => Array.isArray(value) && value.length === 0;
const textOf = (place: Place | undefined): string | undefined =>
  place === undefined ? undefined : readText(place)?.trim();

function nested<T>(place: Place | undefined, read: (value: unknown) => FieldResult<T>): T | undefined {
  if (place === undefined) return undefined;
  const result = read(place.value);
  if (result.ok) return result.value;
  return complain({ ...place, value: undefined }, result.problem, { accepted: result.accepted });
}

function complainOfOrder(root: Place, entries: readonly GroupEntry[]): void {
  const names = entries.map(({ service }) => service);
  const at = (index: number, ...more: readonly (string | number)[]): Place => ({
    ...root,
    value: undefined,
    path: [index, ...more],
  });
  entries.forEach(({ service, dependsOn }, index) => {
    if (names.indexOf(service) < index) complain(at(index, 'service'), `names ${service} a second time`);
    dependsOn.forEach((name, place) => {
      if (!names.includes(name))
        complain(at(index, 'depends-on', place), `names ${name}, which is no service of the group`, {
          accepted: names.join(', '),
          nearest: nearestOf(name, names),
        });
    });
  });
  const firsts = entries.filter(({ service }, index) => names.indexOf(service) === index);
  const ring = ringOf(
    firsts.map(({ service, dependsOn }) => ({
      name: service,
      dependsOn: dependsOn.filter((name) => names.includes(name)),
    })),
  );
  if (ring !== undefined) complain({ ...root, value: undefined }, `depends on itself in a ring: ${ring}`);
}
