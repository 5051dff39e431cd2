import type { Instant } from '../../domain/duration.ts';
import { Failure, messageOf } from '../../domain/failure.ts';
import { KubeFailure } from '../../domain/kubernetes/failure.ts';
import { describeRef } from '../../domain/kubernetes/object.ts';
import { type ReleasePhase, goneWith } from '../../domain/kubernetes/release-record.ts';
import { diagnose } from './diagnose.ts';
import { type PutBack, type PuttingBack, type Stuck, putBack } from './put-back.ts';
import type { K8sTools, ObjectResult } from './rollout.ts';
import { readUntilReady } from './read-until-ready.ts';
import { unblock } from './unblock.ts';
import { waitReady } from './wait.ts';

export interface GoingBack extends PuttingBack {
  readonly within: Instant;
}

export interface WentBack {
  readonly kind: 'rolled-back' | 'rollback-failed';
  /** A clause. */
  readonly reason: string;
  readonly objects: readonly ObjectResult[];
  readonly lines: readonly string[];
  /** `open`: the record could not be told, so whoever comes next finds the release unfinished and does this again. */
  readonly record: 'closed' | 'open';
}

/**
 * Puts the intent of the release before back, config and routes included, and waits for its health. Not `rollout undo`,
 * which copies a pod template alone and confuses the next apply (kubernetes/kubernetes#94698). What this release made goes;
 * what stood there before any release of this app gets the values back that this one set. May be called again at any point.
 *
 * `rollback-failed` means that an object is not what it was, or that what served is not well: those are named.
 */
export async function takeBack(going: GoingBack, tools: K8sTools, signal: AbortSignal): Promise<WentBack> {
  const { record, previous, lease } = going;
  tools.log.info(
    previous === undefined
      ? `Taking back release ${record.release}`
      : `Going back to release ${previous.release} (revision ${previous.revision})`,
  );
  await lease.guard();
  tools.onWrite();
  const lines: string[] = [];
  const write = (phase: ReleasePhase): Promise<WentBack['record']> =>
    writePhase({ record, phase, lease, lines }, tools, signal);
  await write('rolling-back');
  let back: PutBack = { standing: [], results: [], stuck: [], lines: [] };
  const failures: string[] = [];
  try {
    back = await putBack(going, tools, signal);
    lines.push(...back.lines);
    failures.push(...stuckText(back.stuck));
    if (back.ended !== undefined) failures.push(endedText(back.ended));
    const ill =
      back.ended === undefined
        ? await illness(back, { deadline: going.within, lines, lease }, tools, signal)
        : undefined;
    if (ill !== undefined) failures.push(ill);
  } catch (thrown) {
    lease.signal.throwIfAborted();
    failures.push(thrown instanceof Failure ? thrown.message.replace(/\.$/, '') : messageOf(thrown));
  }
  const objects = back.results;
  if (failures.length > 0) {
    return { kind: 'rollback-failed', reason: failures.join('; '), objects, lines, record: await write('failed') };
  }
  await tellGone({ record, lease, lines }, tools, signal);
  const written = await write('rolled-back');
  return {
    kind: 'rolled-back',
    reason: `${whatIsBack(going)}${imagesText(back)}${goingText(objects)}`,
    objects,
    lines,
    record: written,
  };
}

/** PURE. What is true after a way back that went well, as a clause. */
export function whatIsBack({
  record,
  previous,
  ref: { app, namespace },
}: Pick<GoingBack, 'record' | 'previous' | 'ref'>): string {
  if (previous !== undefined)
    return `release ${previous.release} (revision ${previous.revision}) is back in ${namespace}`;
  return record.before.some(({ object }) => object !== undefined)
    ? `what was there before is back in ${namespace}`
    : `${app} is gone from ${namespace} again, where nothing of it was before`;
}

/**
 * Releases that were left before it and went with it. Told before its own record, so that whoever is killed here finds the
 * release unfinished, and the next one tells them.
 */
async function tellGone(
  { record, lease, lines }: Pick<GoingBack, 'record' | 'lease'> & { readonly lines: string[] },
  tools: K8sTools,
  signal: AbortSignal,
): Promise<void> {
  if (record.previous !== undefined) return;
  const records = await tools.store.list(signal).catch((thrown: unknown) => {
    lease.signal.throwIfAborted();
    if (!(thrown instanceof Failure)) throw thrown;
    lines.push(`Releases that were left before ${record.release} are not told: ${thrown.facts.why ?? thrown.message}`);
    return [];
  });
  for (const gone of goneWith(records, record))
    await writePhase({ record: gone, phase: 'rolled-back', lease, lines }, tools, signal);
}

/** A record that cannot be written keeps nothing from going back: the next run finds it unfinished and does this again. */
async function writePhase(
  {
    record,
    phase,
    lease,
    lines,
  }: Pick<GoingBack, 'record' | 'lease'> & {
    readonly phase: ReleasePhase;
    readonly lines: string[];
  },
  { store, log }: K8sTools,
  signal: AbortSignal,
): Promise<WentBack['record']> {
  try {
    await lease.guard();
    await store.write({ ...record, phase }, signal);
    return 'closed';
  } catch (thrown) {
    lease.signal.throwIfAborted();
    if (!(thrown instanceof Failure)) throw thrown;
    const line = `The record of release ${record.release} does not say ${phase}: ${thrown.facts.why ?? thrown.message}`;
    log.warning(line);
    lines.push(line);
    return 'open';
  }
}

/** Of an object whose image somebody else set, the release before does not run. */
function imagesText({ standing }: PutBack): string {
  const said = standing.flatMap(({ ref, leftImages = [] }) =>
    leftImages.map(({ field, manager }) => `${describeRef(ref)} (${field} is left to ${manager})`),
  );
  return said.length === 0 ? '' : `, but for images that others set since: ${said.join(', ')}`;
}

/** What was deleted and is not gone, because something holds it. */
function goingText(objects: readonly ObjectResult[]): string {
  const held = objects.filter(({ done, note }) => done === 'deleted' && note !== undefined);
  const said = held.map(({ ref, note = '' }) => `${describeRef(ref)} (${note})`);
  return said.length === 0 ? '' : `, but for what is still being deleted: ${said.join(', ')}`;
}

const stuckText = (stuck: readonly Stuck[]): readonly string[] =>
  stuck.map(({ ref, why }) => `${describeRef(ref)} could not go back (${why})`);

function endedText({ why, left }: NonNullable<PutBack['ended']>): string {
  const names = left.map(describeRef);
  return `the way back ended early (${why})${names.length === 0 ? '' : `; ${notKnownText(names)}`}`;
}

/** PURE. Names what a way back that did not come to its end leaves in doubt, as a clause. */
export const notKnownText = (names: readonly string[]): string => `what may not be as it was: ${names.join(', ')}`;

/** Whether what served before is well again; undefined: it is. */
async function illness(
  { standing }: PutBack,
  {
    deadline,
    lines,
    lease,
  }: { readonly deadline: Instant; readonly lines: string[]; readonly lease: GoingBack['lease'] },
  tools: K8sTools,
  signal: AbortSignal,
): Promise<string | undefined> {
  const targets = standing.filter(({ object }) => object.kind !== 'Job');
  await unblock(targets, { deadline, lines, lease }, tools, signal);
  const end = await waitReady({ targets, deadline, way: 'back' }, tools, signal).catch((thrown: unknown) => {
    if (!(thrown instanceof KubeFailure) || thrown.kind !== 'access-denied') throw thrown;
    // What keeps a release from being watched, and so from staying, must not keep the one before from being proven.
    lines.push(`The way back is read, not watched: ${thrown.facts.why ?? thrown.message}`);
    return readUntilReady({ targets, deadline }, tools, signal);
  });
  if (end.kind === 'ready') {
    lines.push(...end.unproven.map((each) => `Nothing is proven of ${each}`));
    return undefined;
  }
  const told = await diagnose(end.unready, () => undefined, tools, signal);
  lines.push(...told.lines);
  return `what served before is not healthy: ${told.causes[0]?.text ?? 'it did not become ready'}`;
}
