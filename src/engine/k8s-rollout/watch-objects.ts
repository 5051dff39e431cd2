import { after, between, milliseconds, seconds } from '../../domain/duration.ts';
import { KubeFailure } from '../../domain/kubernetes/failure.ts';
import { type KubeObject, keyOf, refOf } from '../../domain/kubernetes/object.ts';
import type { Resource } from '../../domain/kubernetes/resource.ts';
import { mayPass } from '../../domain/retry-policy.ts';
import type { Scope, WatchEvent } from '../../ports/kubernetes.ts';
import type { K8sTools } from './rollout.ts';

/** The server ends a watch after this long; the next one goes on from its last version. */
const WATCH_FOR = seconds(290);
/** A safety net under the watch: everything is read again this often. */
const LIST_EVERY = seconds(60);
const PAUSE_FIRST = 250;
const PAUSE_MOST = 10_000;

/** Objects of one kind in one namespace, kept as the server has them. */
export interface WatchedObjects {
  all(): readonly KubeObject[];
  get(key: string): KubeObject | undefined;
  /** One that is gone, as it was seen last. */
  last(key: string): KubeObject | undefined;
}

export interface Watching {
  readonly resource: Resource;
  readonly scope: Scope;
}

type WatchTools = Pick<K8sTools, 'cluster' | 'clock' | 'log'>;

/**
 * LIST, then WATCH from its version, for as long as `signal` lets it. A version that expired (410), a broken connection and a
 * server that is away lead to another LIST; `changed` is called after every change. Resolves when the first LIST is there;
 * a right that is missing is thrown then.
 */
export async function watchObjects(
  watching: Watching,
  tools: WatchTools,
  { changed, failed, signal }: { changed(): void; failed(cause: unknown): void; readonly signal: AbortSignal },
): Promise<WatchedObjects> {
  const { cluster } = tools;
  let objects = new Map<string, KubeObject>();
  let version = '';
  const last = new Map<string, KubeObject>();
  const list = async (): Promise<void> => {
    const { items, resourceVersion } = await cluster.list(watching.resource, watching.scope, signal);
    for (const [key, object] of objects) last.set(key, object);
    objects = new Map(items.map((item) => [keyOf(refOf(item)), item]));
    version = resourceVersion;
    changed();
  };
  const tell = (event: WatchEvent): void => {
    if (event.kind === 'bookmark') {
      version = event.resourceVersion;
      return;
    }
    const { object } = event;
    const key = keyOf(refOf(object));
    version = object.metadata.resourceVersion ?? version;
    if (event.kind === 'gone') {
      objects.delete(key);
      last.set(key, object);
    } else objects.set(key, object);
    changed();
  };
  await list();
  void follow({ watching, list, tell, versionOf: () => version }, tools, signal).catch((thrown: unknown) => {
    if (!signal.aborted) failed(thrown);
  });
  return { all: () => [...objects.values()], get: (key) => objects.get(key), last: (key) => last.get(key) };
}

interface Following {
  readonly watching: Watching;
  list(): Promise<void>;
  tell(event: WatchEvent): void;
  versionOf(): string;
}

async function follow(
  { watching, list, tell, versionOf }: Following,
  tools: WatchTools,
  signal: AbortSignal,
): Promise<void> {
  const { cluster, clock, log } = tools;
  const { resource, scope } = watching;
  let listed = clock.now();
  let failures = 0;
  const again = async (): Promise<void> => {
    await list();
    listed = clock.now();
  };
  let stale = false;
  for (;;) {
    signal.throwIfAborted();
    const due = new AbortController();
    try {
      if (stale) await again();
      stale = false;
      const left = Math.max(1, between(clock.now(), after(listed, LIST_EVERY)));
      const both = AbortSignal.any([signal, due.signal]);
      void clock.sleep(milliseconds(left), both).then(
        () => due.abort(),
        () => undefined,
      );
      const wish = { ...scope, resourceVersion: versionOf(), length: WATCH_FOR };
      const end = await cluster.watch(resource, wish, tell, both);
      failures = 0;
      if (end === 'expired') stale = true;
      // A server that ends every watch at once must not be asked in a circle.
      else await clock.sleep(milliseconds(PAUSE_FIRST), signal);
    } catch (thrown) {
      signal.throwIfAborted();
      const isDue = due.signal.aborted && !stale;
      stale = true;
      if (isDue) continue;
      if (!(thrown instanceof KubeFailure) || !mayPass(thrown.kind)) throw thrown;
      failures += 1;
      log.debug(`${thrown.message} Everything is read again`);
      await clock.sleep(milliseconds(Math.min(PAUSE_MOST, PAUSE_FIRST * 2 ** (failures - 1))), signal);
    } finally {
      due.abort();
    }
  }
}
