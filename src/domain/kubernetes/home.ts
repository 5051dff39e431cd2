import { APP_LABEL, HOME_ANNOTATION, managerOf } from './intent.ts';
import type { KubeObject } from './object.ts';
import { isManagedBy } from './ownership.ts';

/** An app, and the namespace of its records: its home. */
interface Owner {
  readonly app: string;
  readonly namespace: string;
}

const homeOf = ({ metadata }: KubeObject): string | undefined => metadata.annotations?.[HOME_ANNOTATION];

const hasMarks = (live: KubeObject, app: string): boolean =>
  live.metadata.labels?.[APP_LABEL] === app && isManagedBy(live, managerOf(app));

/** The namespace whose releases of an app of the same name have this object; undefined: there are none but ours. */
export function otherHomeOf(live: KubeObject, { app, namespace }: Owner): string | undefined {
  const home = homeOf(live);
  return home === namespace || !hasMarks(live, app) ? undefined : home;
}

/**
 * Whether an object is of the releases of this namespace, and so theirs to delete: apps of one name in several namespaces of a
 * cluster (staging and production) have the same label and the same manager. What lies elsewhere and names no home was
 * released before homes were written down: it is ours where a record has it.
 */
export function isOwnedBy(
  live: KubeObject,
  { app, namespace }: Owner,
  isRecorded: (live: KubeObject) => boolean,
): boolean {
  if (!hasMarks(live, app)) return false;
  const home = homeOf(live);
  return home === undefined ? live.metadata.namespace === namespace || isRecorded(live) : home === namespace;
}
