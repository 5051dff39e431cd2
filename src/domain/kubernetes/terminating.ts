import { type KubeObject, listAt } from './object.ts';

/** Deleted, and not gone yet: nothing brings it back, and what is written to it goes with it. */
export const isTerminating = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;

/** What an object that is deleted still waits for, as a clause. */
export function heldBy(live: KubeObject): string {
  const finalizers = [...listAt(live, 'metadata', 'finalizers'), ...listAt(live, 'spec', 'finalizers')].map(String);
  return finalizers.length === 0 ? 'its time to end is not over' : `its finalizers hold it: ${finalizers.join(', ')}`;
}
