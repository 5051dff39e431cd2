import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeApi, KubeObject } from '../kube-api.ts';

/** Calls `seen` with every object of a collection, and with each change of it, until the signal fires. */
export async function watchLoop(
  api: KubeApi,
  path: string,
  { signal, seen, gone }: { signal: AbortSignal; seen: (each: never) => void; gone: (each: never) => void },
): Promise<void> {
  let version: string | undefined;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        const list = await api.get<{ items: KubeObject[]; metadata: { resourceVersion: string } }>(path);
        list.items.forEach((each) => seen(each as never));
        version = list.metadata.resourceVersion;
      }
      for await (const { type, object } of api.watch(`${path}?resourceVersion=${version}`, signal)) {
        if (type === 'ERROR') {
          version = undefined;
          break;
        }
        version = object.metadata.resourceVersion;
        if (type === 'DELETED') gone(object as never);
        else if (type !== 'BOOKMARK') seen(object as never);
      }
    } catch {
      // The server ends, or the signal fired: the loop's condition tells them apart.
      version = undefined;
      if (!signal.aborted) await sleep(200);
    }
  }
}
