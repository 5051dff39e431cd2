import type { Services } from './dispatch.ts';
import { type Answer, awsError, errorAnswer, jsonAnswer } from './wire/answer.ts';
import type { ApiCall } from './wire/call.ts';

/** GetLogEvents of a task's stream, `prefix/container/task`: what the task printed, for the container that is its process. */
export function logEvents(call: ApiCall, { region, taskLogs, now }: Services): Answer {
  const input = JSON.parse(call.body.toString('utf8') || '{}') as Readonly<Record<string, unknown>>;
  const stream = String(input['logStreamName']).split('/');
  const id = stream.at(-1) ?? '';
  const task = region.state().tasks[id];
  const container = task?.template.containers.find(({ name }) => name === stream.at(-2));
  const { group, prefix } = container?.logs ?? {};
  const known = group === input['logGroupName'] && prefix === stream.slice(0, -2).join('/');
  if (task === undefined || !known || (task.startedAt === undefined && taskLogs(id).length === 0))
    return errorAnswer(call, awsError('ResourceNotFoundException', 'The specified log stream does not exist.'));
  const lines = container?.name === task.mainContainer ? taskLogs(id) : [];
  const shown = lines.slice(-Number(input['limit'] ?? 10_000));
  const at = task.executionStoppedAt ?? now();
  return jsonAnswer({
    events: shown.map((message) => ({ timestamp: at, message, ingestionTime: at })),
    nextBackwardToken: 'b/0',
    nextForwardToken: 'f/0',
  });
}
