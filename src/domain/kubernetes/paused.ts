import type { ObjectChange } from './diff.ts';
import { type KubeObject, fieldAt, groupOf } from './object.ts';

/**
 * PURE. Whether a Deployment stays paused when `object` is applied. It would take the change and roll nothing out, and what
 * is put back would be as paused. A field that the set gave before and gives no more goes, as the tried change says.
 */
export function staysPaused(
  object: KubeObject,
  live: KubeObject | undefined,
  { changes }: Pick<ObjectChange, 'changes'>,
): boolean {
  if (groupOf(object.apiVersion) !== 'apps' || object.kind !== 'Deployment') return false;
  const asked = fieldAt(object, 'spec', 'paused');
  if (asked !== undefined) return asked === true;
  return fieldAt(live, 'spec', 'paused') === true && !changes.some(({ path }) => path === '.spec.paused');
}
