import { canonicalJson } from '../canonical-json.ts';
import { type KubeObject, fieldAt, isFields, numberAt, withField } from './object.ts';
import { isWithin } from './field-sets.ts';
import { takeOver } from './ownership.ts';
import { containersOf, podSpecPath } from './pod-templates.ts';
import { sameQuantity } from './quantity.ts';

/**
 * How a live object stands to an intent of `manager`. `as-intended`: a write would change nothing. `unowned`: it has the
 * intent's values, and the manager did not set (all of) them or has not taken them over. `different`: a value is another one,
 * or the manager has set fields that the intent does not have.
 */
export type Standing = 'as-intended' | 'unowned' | 'different';

export function standingOf(live: KubeObject, intent: KubeObject, manager: string): Standing {
  const { metadata, ...rest } = intent;
  const { namespace: _namespace, ...own } = metadata;
  if (!holds({ ...rest, metadata: own }, live)) return 'different';
  const owned = (live.metadata.managedFields ?? []).find(
    (entry) => entry.manager === manager && entry.operation === 'Apply' && !entry.subresource,
  )?.['fieldsV1'];
  if (owned !== undefined && !isWithin(owned, intent)) return 'different';
  return owned !== undefined && takeOver(live, manager) === undefined ? 'as-intended' : 'unowned';
}

/**
 * Whether somebody else's pods are rolled out in place of ours: a value of our intent is another one now. What others add
 * beside it (Reloader's hash of a config, an agent's sidecar) is rolled out with ours, and is no other release.
 */
export function hasOtherPods(
  live: KubeObject,
  { written, intent }: { readonly written: KubeObject; readonly intent?: KubeObject | undefined },
): boolean {
  const path = podSpecPath(written);
  if (path === undefined || written.metadata.generation === live.metadata.generation) return false;
  const [ours, theirs, wanted] = [written, live, intent].map((each) => fieldAt(each, ...path) ?? null);
  // A value that the server wrote in its own way tells nothing: then all of it is compared.
  if (wanted !== null && holds(wanted, ours)) return !holds(wanted, theirs);
  return canonicalJson(ours) !== canonicalJson(theirs);
}

/**
 * How a live object differs from what was released, for people; undefined: it does not. Counts are left out: autoscalers and
 * `scale` set them between releases.
 */
export function differenceFrom(released: KubeObject, live: KubeObject, manager: string): string | undefined {
  const intent = withLiveCounts(released, live);
  if (standingOf(live, intent, manager) !== 'different') return undefined;
  const running = new Map(containersOf(live).map(({ name, image }) => [name, image]));
  const images = containersOf(intent).flatMap(({ name, image }) =>
    image === undefined || running.get(name) === image
      ? []
      : [`image of ${name} is ${running.get(name) ?? 'gone'}, not ${image}`],
  );
  if (images.length > 0) return images.join(', ');
  const fields = Object.keys(intent).filter((key) => key !== 'metadata' && !holds(intent[key], live[key], key));
  if (fields.length > 0) return `${fields.map((key) => `.${key}`).join(' and ')} was changed`;
  return 'labels, annotations or further fields of it were changed';
}

function withLiveCounts(intent: KubeObject, live: KubeObject): KubeObject {
  return ['replicas', 'minReplicas', 'maxReplicas'].reduce<KubeObject>((left, key) => {
    const count = numberAt(live, 'spec', key);
    return count === undefined || fieldAt(left, 'spec', key) === undefined
      ? left
      : withField(left, ['spec', key], count);
  }, intent);
}

/** Keys under which the server writes a quantity in its own way: `0.5` as `500m`, `1024Mi` as `1Gi`. */
const QUANTITIES = /^(?:limits|requests|hard|capacity|min|max|default|defaultRequest|overhead)$/;
const QUANTITY = /^(?:sizeLimit|averageValue|storage|cpu|memory)$/;

/** Whether `live` has every value of `wanted`; what others added beside them does not matter. */
function holds(wanted: unknown, live: unknown, key = '', parent = ''): boolean {
  if (isNothing(wanted) && isNothing(live)) return true;
  if (isFields(wanted))
    return isFields(live) && Object.entries(wanted).every(([name, value]) => holds(value, live[name], name, key));
  if (Array.isArray(wanted)) return Array.isArray(live) && holdsList(wanted, live, key);
  if (wanted === live) return true;
  const isQuantity = QUANTITIES.test(parent) || QUANTITY.test(key);
  return isQuantity && sameQuantity(wanted, live);
}

/** The server leaves these out, or fills them in. */
const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === false ||
  value === 0 ||
  (Array.isArray(value) && value.length === 0) ||
  (isFields(value) && Object.keys(value).length === 0);

function holdsList(wanted: readonly unknown[], live: readonly unknown[], key: string): boolean {
  if (wanted.length === live.length && wanted.every((each, index) => holds(each, live[index], key))) return true;
  // Entries of others stand between ours (a sidecar that a webhook put in); a list of values is of one writer.
  return wanted.every((each) => isFields(each) && live.some((other) => holds(each, other, key)));
}
