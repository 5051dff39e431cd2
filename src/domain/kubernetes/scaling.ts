import { type Checked, bad, good } from '../inputs.ts';
import { type KubeObject, fieldAt, numberAt } from './object.ts';

/** What `mode: scale` shall do: a count, so many more or fewer, or back to the autoscaler. */
export type ScaleWish =
  | { readonly kind: 'to'; readonly count: number }
  | { readonly kind: 'by'; readonly count: number }
  | { readonly kind: 'auto'; readonly min: number | undefined; readonly max: number | undefined };

/** `6`, `+2`, `-1`, `auto`, `auto 6..20`. */
export function readScale(text: string): Checked<ScaleWish> {
  const [, sign, digits] = /^([+-]?)(\d{1,4})$/.exec(text) ?? [];
  if (digits !== undefined) {
    const count = Number(digits);
    return good(sign === '' ? { kind: 'to', count } : { kind: 'by', count: sign === '-' ? -count : count });
  }
  const [, auto, min, max] = /^(auto)(?:\s+(\d{1,4})\.\.(\d{1,4}))?$/.exec(text) ?? [];
  if (auto !== undefined && Number(min ?? 1) >= 1 && Number(min ?? 1) <= Number(max ?? 9_999))
    return good({
      kind: 'auto',
      min: min === undefined ? undefined : Number(min),
      max: max === undefined ? undefined : Number(max),
    });
  return bad({ input: 'replicas', given: text, problem: 'is no scale', accepted: '6, +2, -1, auto, or auto 6..20' });
}

/** Where the bounds are kept that a count by hand has put out of force. */
export const BOUNDS_ANNOTATION = 'sluice.dev/autoscaler-bounds';

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

export const boundsOf = (autoscaler: KubeObject): Bounds => ({
  min: numberAt(autoscaler, 'spec', 'minReplicas') ?? 1,
  max: numberAt(autoscaler, 'spec', 'maxReplicas') ?? 1,
});

export function keptBounds(autoscaler: KubeObject): Bounds | undefined {
  const [, min, max] = /^(\d+)\.\.(\d+)$/.exec(autoscaler.metadata.annotations?.[BOUNDS_ANNOTATION] ?? '') ?? [];
  return min === undefined || max === undefined ? undefined : { min: Number(min), max: Number(max) };
}

export type ScaleMove =
  | { readonly kind: 'unchanged'; readonly why: string }
  | { readonly kind: 'refuse'; readonly why: string }
  /** Without an autoscaler: the count itself. */
  | { readonly kind: 'set'; readonly count: number }
  /** With one: it is held at the count, and its own bounds are kept in an annotation (null: they are in force again). */
  | { readonly kind: 'bound'; readonly bounds: Bounds; readonly keep: Bounds | null };

/** PURE. */
export function decideScale(wish: ScaleWish, workload: KubeObject, autoscaler: KubeObject | undefined): ScaleMove {
  const move = moveOf(wish, workload, autoscaler);
  const keeper = autoscaler === undefined || move.kind !== 'bound' ? undefined : keeperOf(autoscaler);
  return keeper === undefined ? move : { kind: 'refuse', why: keeper };
}

/** Bounds of an autoscaler that somebody else keeps (KEDA) are written back within seconds; undefined: nobody does. */
function keeperOf({ metadata: { name, ownerReferences = [] } }: KubeObject): string | undefined {
  const owner = ownerReferences.find((each) => fieldAt(each, 'controller') === true);
  if (owner === undefined) return undefined;
  const way =
    owner.kind === 'ScaledObject'
      ? 'change its minReplicaCount and maxReplicaCount, or hold it by its annotation autoscaling.keda.sh/paused-replicas'
      : 'change the bounds there';
  return `${owner.kind} ${owner.name} keeps the autoscaler ${name} and would write its bounds back; ${way}`;
}

function moveOf(wish: ScaleWish, workload: KubeObject, autoscaler: KubeObject | undefined): ScaleMove {
  const now = numberAt(workload, 'spec', 'replicas') ?? 1;
  if (wish.kind === 'auto') return decideAuto(wish, autoscaler);
  const count = wish.kind === 'to' ? wish.count : now + wish.count;
  // A slip in a difference must not end an app: nothing at all is asked for by its number.
  if (wish.kind === 'by' && count < 1)
    return { kind: 'refuse', why: `${now} replicas and ${wish.count} leave none; write 0 if none is meant` };
  if (autoscaler === undefined)
    return count === now ? { kind: 'unchanged', why: `${count} replicas are wanted already` } : { kind: 'set', count };
  if (count === 0) return { kind: 'refuse', why: 'an autoscaler cannot be held at 0; delete it, or scale to 1' };
  const bounds = boundsOf(autoscaler);
  if (bounds.min === count && bounds.max === count)
    return { kind: 'unchanged', why: `its autoscaler is held at ${count} already` };
  return { kind: 'bound', bounds: { min: count, max: count }, keep: keptBounds(autoscaler) ?? bounds };
}

function decideAuto(
  { min, max }: { readonly min: number | undefined; readonly max: number | undefined },
  autoscaler: KubeObject | undefined,
): ScaleMove {
  if (autoscaler === undefined)
    return { kind: 'refuse', why: 'it has no autoscaler; put a HorizontalPodAutoscaler into the set' };
  const live = boundsOf(autoscaler);
  const kept = keptBounds(autoscaler);
  const bounds = { min: min ?? (kept ?? live).min, max: max ?? (kept ?? live).max };
  if (kept === undefined && bounds.min === live.min && bounds.max === live.max)
    return { kind: 'unchanged', why: `its autoscaler scales it between ${live.min} and ${live.max}` };
  return { kind: 'bound', bounds, keep: null };
}
