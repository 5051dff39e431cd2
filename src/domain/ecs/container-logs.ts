import { lastPart } from './arn.ts';
import type { StoppedTask } from './service.ts';
import type { TaskDefinitionBody } from './task-definition.ts';

/** The stream of one container of one task. */
export interface ContainerStream {
  readonly container: string;
  readonly task: string;
  readonly place:
    | { readonly kind: 'stream'; readonly group: string; readonly stream: string; readonly region?: string }
    /** Why there is nothing that could be read, as a clause. */
    | { readonly kind: 'none'; readonly why: string };
}

interface Defined {
  readonly name?: unknown;
  readonly essential?: unknown;
  readonly logConfiguration?: { readonly logDriver?: unknown; readonly options?: Readonly<Record<string, unknown>> };
}

const containersOf = (body: TaskDefinitionBody): readonly Defined[] =>
  (Array.isArray(body['containerDefinitions']) ? body['containerDefinitions'] : []) as readonly Defined[];

/** Containers without which the task ends. ECS takes one for essential unless it is told otherwise. */
export const essentialContainers = (body: TaskDefinitionBody): ReadonlySet<string> =>
  new Set(containersOf(body).flatMap(({ name, essential }) => (essential === false ? [] : [String(name)])));

/**
 * Where the containers of a stopped task wrote to, those whose end says something: an error, or an essential one that
 * ended by itself. The awslogs driver names the stream `prefix/container/task` (developerguide: awslogs).
 */
export function streamsOf(task: StoppedTask, body: TaskDefinitionBody): readonly ContainerStream[] {
  const essential = essentialContainers(body);
  return task.containers.flatMap(({ name, exitCode }) => {
    if (exitCode === undefined || (exitCode === 0 && !essential.has(name))) return [];
    const defined = containersOf(body).find((each) => each.name === name);
    return [{ container: name, task: lastPart(task.arn), place: placeOf(name, task, defined) }];
  });
}

function placeOf(name: string, { arn }: StoppedTask, defined: Defined | undefined): ContainerStream['place'] {
  const { logDriver, options = {} } = defined?.logConfiguration ?? {};
  if (logDriver === undefined) return { kind: 'none', why: 'it has no log driver' };
  if (logDriver !== 'awslogs') return { kind: 'none', why: `its log driver is ${String(logDriver)}, not awslogs` };
  const { 'awslogs-group': group, 'awslogs-stream-prefix': prefix, 'awslogs-region': region } = options;
  if (typeof group !== 'string' || typeof prefix !== 'string')
    return { kind: 'none', why: 'its log options name no group and stream prefix' };
  const stream = `${prefix}/${name}/${lastPart(arn)}`;
  return { kind: 'stream', group, stream, ...(typeof region === 'string' ? { region } : {}) };
}
