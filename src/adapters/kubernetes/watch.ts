import type { Dispatcher } from 'undici';
import { messageOf } from '../../domain/failure.ts';
import { KubeFailure, kindOfStatus, readStatus } from '../../domain/kubernetes/failure.ts';
import { type KubeObject, isFields, numberAt, textAt } from '../../domain/kubernetes/object.ts';
import type { Resource } from '../../domain/kubernetes/resource.ts';
import type { Kubernetes, WatchEnd, WatchEvent } from '../../ports/kubernetes.ts';
import { type KubeHttp, refusal } from './http.ts';
import { selectors } from './selectors.ts';

/** No object is larger than etcd's 1.5 MiB; a line without an end is none. */
const LONGEST_LINE = 8 * 1024 * 1024;

interface Watching {
  readonly resource: Resource;
  readonly scope: Parameters<Kubernetes['watch']>[1];
  readonly path: string;
  tell(event: WatchEvent): void;
}

/** One watch to its end. A line that the connection cut in two is dropped: whoever goes on asks from the last version. */
export async function watchOnce(
  http: KubeHttp,
  { resource, scope, path, tell }: Watching,
  signal: AbortSignal,
): Promise<WatchEnd> {
  const what = `Could not watch ${resource.plural}${scope.namespace === undefined ? '' : ` in ${scope.namespace}`}`;
  const query = {
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: scope.resourceVersion,
    timeoutSeconds: String(Math.ceil(scope.length / 1_000)),
    ...selectors(scope),
  };
  const answer = await http.stream({ what, method: 'GET', path, query }, signal);
  if (answer.statusCode === 410) {
    await answer.body.dump();
    return 'expired';
  }
  if (answer.statusCode >= 300) {
    const text = await answer.body.text();
    throw refusal({ what }, readStatus(answer.statusCode, parsed(text), text));
  }
  try {
    for await (const line of linesOf(answer.body)) {
      const end = read(line, tell, what);
      if (end !== undefined) return end;
    }
    return 'closed';
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof KubeFailure) throw thrown;
    throw new KubeFailure('transient', { what, why: `the connection broke (${messageOf(thrown)})` }, { cause: thrown });
  } finally {
    answer.body.destroy();
  }
}

async function* linesOf(body: Dispatcher.ResponseData['body']): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    rest += decoder.decode(chunk as Uint8Array, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE) throw new Error(`a line is longer than ${LONGEST_LINE} characters`);
    for (const line of lines) if (line.trim() !== '') yield line;
  }
}

function read(line: string, tell: (event: WatchEvent) => void, what: string): WatchEnd | undefined {
  const event = parsed(line);
  const object = isFields(event) ? event['object'] : undefined;
  switch (textAt(event, 'type')) {
    case 'ADDED':
    case 'MODIFIED':
      tell({ kind: 'there', object: object as KubeObject });
      return undefined;
    case 'DELETED':
      tell({ kind: 'gone', object: object as KubeObject });
      return undefined;
    case 'BOOKMARK':
      tell({ kind: 'bookmark', resourceVersion: textAt(object, 'metadata', 'resourceVersion') ?? '' });
      return undefined;
    case 'ERROR': {
      const status = readStatus(numberAt(object, 'code') ?? 500, object, line);
      if (status.code === 410) return 'expired';
      throw refusal({ what }, { ...status, code: kindOfStatus(status) === 'invalid' ? 503 : status.code });
    }
    default:
      throw new Error('a line is no event');
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
