import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CloudFailure } from '../../domain/retry-policy.ts';
import type { ContainerLogs, LogPlace } from '../../ports/container-logs.ts';
import { callAws } from './errors.ts';
import type { AwsSession } from './session.ts';

/** Pages that are asked for when the newest has nothing: the API may answer an empty one before the lines. */
const PAGES = 3;

/** CloudWatch Logs, by GetLogEvents alone: the right to one log group is enough. */
export function containerLogsOf(session: Pick<AwsSession, 'clientConfig'>): ContainerLogs {
  const clients = new Map<string, CloudWatchLogsClient>();
  const clientFor = (region: string | undefined): CloudWatchLogsClient => {
    const known = clients.get(region ?? '');
    const config = region === undefined ? session.clientConfig : { ...session.clientConfig, region };
    const client = known ?? new CloudWatchLogsClient(config);
    clients.set(region ?? '', client);
    return client;
  };
  return {
    async lastLines(place, count, signal) {
      try {
        return { kind: 'lines', lines: await newest(clientFor(place.region), { place, count }, signal) };
      } catch (thrown) {
        signal.throwIfAborted();
        if (!(thrown instanceof CloudFailure)) throw thrown;
        return {
          kind: 'absent',
          why: thrown.kind === 'not-found' ? noStream(place) : (thrown.facts.why ?? thrown.message),
        };
      }
    },
  };
}

const noStream = ({ group, stream }: LogPlace): string => `log group ${group} has no stream ${stream}`;

async function newest(
  client: CloudWatchLogsClient,
  { place, count }: { readonly place: LogPlace; readonly count: number },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const facts = { action: 'logs:GetLogEvents', what: `Could not read log stream ${place.stream} of ${place.group}` };
  let nextToken: string | undefined;
  for (let page = 0; page < PAGES; page++) {
    const command = new GetLogEventsCommand({
      logGroupName: place.group,
      logStreamName: place.stream,
      limit: count,
      startFromHead: false,
      ...(nextToken === undefined ? {} : { nextToken }),
    });
    const answer = await callAws(facts, signal, () => client.send(command, { abortSignal: signal }));
    const lines = (answer.events ?? []).flatMap(({ message }) => (message === undefined ? [] : [message.trimEnd()]));
    // The same token again: there is nothing further back.
    if (lines.length > 0 || answer.nextBackwardToken === nextToken) return lines;
    nextToken = answer.nextBackwardToken;
  }
  return [];
}
