import type { Account, Moto } from './moto.ts';
import { errorOfMoto } from './moto.ts';
import { Refused } from './refused.ts';
import { type Answer, errorAnswer, jsonAnswer } from './wire/answer.ts';
import type { ApiCall } from './wire/call.ts';
import { checkTaskDefinition, withSizesInUnits } from './check-task-definition.ts';

type Json = Readonly<Record<string, unknown>>;

/** Task definitions of one account and region: kept by moto, with what it forgets or answers otherwise put right. */
export interface TaskDefinitions {
  /** undefined: not an operation on task definitions. */
  handle(call: ApiCall, caller: string): Promise<Answer> | undefined;
  /** `ref` is an ARN, `family:revision` or `family` (then its newest ACTIVE revision). */
  find(ref: string): Promise<Json | undefined>;
}

/** What moto does not keep of a revision. */
interface Remembered {
  readonly registeredAt: number;
  readonly registeredBy: string;
  readonly enableFaultInjection?: unknown;
  deregisteredAt?: number;
}

const TARGET = 'AmazonEC2ContainerServiceV20141113';
const OPERATIONS = new Set([
  'RegisterTaskDefinition',
  'DescribeTaskDefinition',
  'ListTaskDefinitions',
  'ListTaskDefinitionFamilies',
  'DeregisterTaskDefinition',
  'DeleteTaskDefinitions',
]);
const TAGGING = new Set(['TagResource', 'UntagResource', 'ListTagsForResource']);

export function taskDefinitions(moto: Moto, account: Account, now: () => number): TaskDefinitions {
  const remembered = new Map<string, Remembered>();

  async function ask(operation: string, input: Json): Promise<Json> {
    const answered = await moto.json(account, `${TARGET}.${operation}`, input);
    if (answered.ok) return answered.output;
    const { code, message } = errorOfMoto(answered);
    throw new Refused(code, message);
  }

  function completed(definition: Json): Json {
    const { deregisteredAt, registeredAt, ...known } = remembered.get(String(definition['taskDefinitionArn'])) ?? {};
    return {
      ...definition,
      ...known,
      ...(registeredAt === undefined ? {} : { registeredAt: registeredAt / 1_000 }),
      ...(deregisteredAt === undefined ? {} : { deregisteredAt: deregisteredAt / 1_000 }),
    };
  }

  async function register(input: Json, caller: string): Promise<Json> {
    checkTaskDefinition(input);
    const definition = (await ask('RegisterTaskDefinition', withSizesInUnits(input)))['taskDefinition'] as Json;
    remembered.set(String(definition['taskDefinitionArn']), {
      registeredAt: now(),
      registeredBy: caller,
      ...('enableFaultInjection' in input ? { enableFaultInjection: input['enableFaultInjection'] } : {}),
    });
    return { taskDefinition: completed(definition), ...(input['tags'] === undefined ? {} : { tags: input['tags'] }) };
  }

  /** moto takes the newest revision whatever its status; the service the newest ACTIVE one. */
  async function newestActive(ref: string): Promise<string> {
    if (ref.includes(':')) return ref;
    const listed = await ask('ListTaskDefinitions', { familyPrefix: ref, status: 'ACTIVE' });
    return (listed['taskDefinitionArns'] as readonly string[]).toSorted(byRevision).at(-1) ?? ref;
  }

  async function describe(input: Json): Promise<Json> {
    const ref = await newestActive(String(input['taskDefinition'] ?? ''));
    const { failures: _none, ...answer } = await ask('DescribeTaskDefinition', { ...input, taskDefinition: ref });
    return { ...answer, taskDefinition: completed(answer['taskDefinition'] as Json) };
  }

  async function deregister(input: Json): Promise<Json> {
    const answer = await ask('DeregisterTaskDefinition', input);
    const definition = answer['taskDefinition'] as Json;
    const known = remembered.get(String(definition['taskDefinitionArn']));
    if (known !== undefined) known.deregisteredAt ??= now();
    return { ...answer, taskDefinition: completed(definition) };
  }

  async function list(input: Json): Promise<Json> {
    const { maxResults: _most, nextToken: _from, sort, ...rest } = input;
    const answer = await ask('ListTaskDefinitions', rest);
    const arns = (answer['taskDefinitionArns'] as readonly string[]).toSorted(byRevision);
    return paged(input, 'taskDefinitionArns', sort === 'DESC' ? arns.toReversed() : arns);
  }

  async function families(input: Json): Promise<Json> {
    const { maxResults: _most, nextToken: _from, ...rest } = input;
    const answer = await ask('ListTaskDefinitionFamilies', rest);
    return paged(input, 'families', (answer['families'] as readonly string[]).toSorted());
  }

  async function answered(call: ApiCall, input: Json, caller: string): Promise<Json> {
    switch (call.operation) {
      case 'RegisterTaskDefinition':
        return register(input, caller);
      case 'DescribeTaskDefinition':
        return describe(input);
      case 'ListTaskDefinitions':
        return list(input);
      case 'ListTaskDefinitionFamilies':
        return families(input);
      case 'DeregisterTaskDefinition':
        return deregister(input);
      default:
        return ask(call.operation, input);
    }
  }

  return {
    handle(call, caller) {
      const input = JSON.parse(call.body.toString('utf8') || '{}') as Json;
      const tags = TAGGING.has(call.operation) && String(input['resourceArn']).includes(':task-definition/');
      if (!tags && !OPERATIONS.has(call.operation)) return undefined;
      return answered(call, input, caller).then(jsonAnswer, (error: unknown) => {
        if (error instanceof Refused) return errorAnswer(call, error.error);
        throw error;
      });
    },
    async find(ref) {
      const found = await moto.json(account, `${TARGET}.DescribeTaskDefinition`, {
        taskDefinition: await newestActive(ref),
      });
      return found.ok ? completed(found.output['taskDefinition'] as Json) : undefined;
    },
  };
}

/** `arn:...:task-definition/family:7`: families in the order of their names, revisions in the order of their numbers. */
function byRevision(a: string, b: string): number {
  const [familyA = '', revisionA] = nameOf(a);
  const [familyB = '', revisionB] = nameOf(b);
  return familyA === familyB ? Number(revisionA) - Number(revisionB) : familyA < familyB ? -1 : 1;
}

const nameOf = (arn: string): readonly string[] => (arn.split('/').at(-1) ?? '').split(':');

function paged(input: Json, name: string, all: readonly string[]): Json {
  const size = Number(input['maxResults'] ?? 100);
  if (!(size >= 1 && size <= 100)) {
    throw new Refused('InvalidParameterException', 'maxResults should be between 1 and 100');
  }
  const start =
    input['nextToken'] === undefined ? 0 : Number(Buffer.from(String(input['nextToken']), 'base64url').toString());
  if (!Number.isInteger(start)) throw new Refused('InvalidParameterException', 'Invalid token');
  const more = start + size < all.length ? { nextToken: Buffer.from(String(start + size)).toString('base64url') } : {};
  return { [name]: all.slice(start, start + size), ...more };
}
