import { type ContainerStream, streamsOf } from '../../domain/ecs/container-logs.ts';
import type { StoppedTask } from '../../domain/ecs/service.ts';
import type { TaskDefinitionBody } from '../../domain/ecs/task-definition.ts';
import type { RolloutTools } from './rollout.ts';

export interface Ended {
  readonly task: StoppedTask;
  readonly body: TaskDefinitionBody;
}

/** Lines of one container, and containers of one look: enough to see why, never the whole log. */
const LINES = 10;
const STREAMS = 3;

/** The last lines of the containers that ended badly, each under its name; where there are none it says why. */
export async function tailsOf(
  ended: readonly Ended[],
  { logs }: Pick<RolloutTools, 'logs'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (logs === undefined) return [];
  const streams = ended.flatMap(({ task, body }) => streamsOf(task, body)).slice(0, STREAMS);
  const tails = await Promise.all(
    streams.map(async (stream): Promise<readonly string[]> => {
      const { place } = stream;
      if (place.kind === 'none') return [absent(stream, place.why)];
      const tail = await logs.lastLines(place, LINES, signal);
      if (tail.kind === 'absent') return [absent(stream, tail.why)];
      const of = `container ${stream.container} (task ${stream.task})`;
      return tail.lines.length === 0
        ? [`Log of ${of}: empty`]
        : [`Last lines of ${of}:`, ...tail.lines.map((line) => `  ${line}`)];
    }),
  );
  return tails.flat();
}

const absent = ({ container, task }: ContainerStream, why: string): string =>
  `No log lines of container ${container} (task ${task}): ${why}`;
