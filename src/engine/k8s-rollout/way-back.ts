import { type Duration, type Instant, after } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import type { Manifest } from '../../domain/kubernetes/manifest.ts';
import {
  type ReleaseRecord,
  adoptedSince,
  beforeServing,
  findRelease,
  isOf,
  leftStanding,
  newestFirst,
  servingOf,
  toTakeBack,
  unfinishedOf,
} from '../../domain/kubernetes/release-record.ts';
import type { DeployWish } from './begin.ts';
import { deploySet } from './deploy.ts';
import { holdLease } from './lease.ts';
import { type GoingBack, type WentBack, takeBack } from './take-back.ts';
import type { AppRef, K8sResult, K8sTools, Policies } from './rollout.ts';
import { type Planned, planSet } from './plan.ts';

/** Where a roll back leads: a named release, one that is left unfinished, the last good one, or the one before it. */
export type WayBack =
  | { readonly kind: 'take-back'; readonly record: ReleaseRecord; readonly previous: ReleaseRecord | undefined }
  | {
      readonly kind: 'repeat';
      readonly record: ReleaseRecord;
      /** What stands and was never good: the last good one is gone back to, not the one before that. */
      readonly leaves?: ReleaseRecord;
    }
  | { readonly kind: 'unchanged'; readonly record: ReleaseRecord };

export interface WayBackWish {
  readonly ref: AppRef;
  readonly to: string | undefined;
  /** `<run id>/<attempt>`. */
  readonly run: string;
}

export function wayBackOf(records: readonly ReleaseRecord[], { ref: { app }, to, run }: WayBackWish): WayBack {
  const unfinished = toTakeBack(records);
  // A way back that was killed is gone on with: taking it back would lead to what it was to leave.
  const wayBack = records.find(({ revision }) => revision === unfinished?.copyOf) ?? unfinished;
  if (to === undefined && unfinished?.copyOf !== undefined && wayBack !== undefined)
    return { kind: 'repeat', record: wayBack };
  if (to === undefined && unfinished !== undefined)
    return {
      kind: 'take-back',
      record: unfinished,
      previous: records.find(({ revision }) => revision === unfinished.previous),
    };
  const serving = servingOf(records);
  const left = leftStanding(records);
  if (to === undefined && left !== undefined) {
    // A way back that failed is tried again; of a release that failed, what it was to follow is brought back.
    const target = left.copyOf === undefined ? serving : records.find(({ revision }) => revision === left.copyOf);
    if (target !== undefined) return { kind: 'repeat', record: target, leaves: left };
  }
  // A re-run of the workflow run that went back already: it is there, and one release further back is not what was asked.
  if (to === undefined && serving?.copyOf !== undefined && serving.run.split('/')[0] === run.split('/')[0])
    return { kind: 'unchanged', record: serving };
  const known = newestFirst(records).map(({ revision, release, phase }) => `${revision} (${release}, ${phase})`);
  const before = to === undefined ? beforeServing(records) : undefined;
  const named = to === undefined ? undefined : findRelease(records, to);
  const target = named?.kind === 'found' ? named.record : before;
  if (target === undefined)
    throw new Failure({
      what: `There is nothing to roll ${app} back to`,
      why:
        named?.kind === 'none'
          ? named.why
          : 'no release before the one that serves is recorded that was another one and good',
      now: known.length === 0 ? 'No release is recorded' : `Recorded are ${known.join(', ')}`,
      next: `${known.length === 0 ? 'Deploy' : 'Name one of them by to, or deploy'} the manifests of the wanted version`,
    });
  return target.digest === serving?.digest && unfinished === undefined && left === undefined
    ? { kind: 'unchanged', record: target }
    : { kind: 'repeat', record: target };
}

/** The manifests that lead back to a record: they are complete, and they stand in no file. Jobs have run. */
export const manifestsOf = (record: ReleaseRecord, records: readonly ReleaseRecord[]): readonly Manifest[] =>
  [...record.objects, ...adoptedSince(records, record)]
    .filter(({ kind }) => kind !== 'Job')
    .map((object) => ({ object, origin: { file: `revision ${record.revision}` } }));

/** What was intended once is intended again as it was, without what came since; others' fields stay theirs. */
const GOING_BACK: Policies = {
  conflicts: 'yield-but-images',
  replace: [],
  prune: 'delete',
  pruneLimit: 'none',
  requireDigest: 'no',
  restartOnConfig: 'no',
};

/** What going back to a release would do now. Reads and dry runs only. */
export async function planBack(
  backTo: ReleaseRecord,
  ref: AppRef,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<Planned> {
  const manifests = manifestsOf(backTo, await tools.store.list(signal));
  return planSet(manifests, { ref, policies: GOING_BACK, backTo }, tools, signal);
}

/** Takes the app back. A repeated revision is a deployment like any other, so that it is looked at first and awaited. */
export async function rollBackSet(
  { to, ...wish }: Omit<DeployWish, 'policies' | 'onOutdated'> & { readonly to: string | undefined },
  tools: K8sTools,
  signal: AbortSignal,
): Promise<K8sResult> {
  const records = await tools.store.list(signal);
  const way = wayBackOf(records, { ref: wish.ref, to, run: wish.writer.run });
  const { record } = way;
  if (way.kind === 'take-back') {
    const deadline = after(tools.clock.now(), wish.timeout);
    const finished = await takeBackUnfinished(
      { record, previous: way.previous },
      { ...wish, deadline, images: 'taken' },
      tools,
      signal,
    );
    // Its run came to its end while it was waited for: the way back is looked for again.
    return finished ?? rollBackSet({ to, ...wish }, tools, signal);
  }
  const writer = { ...wish.writer, release: record.release };
  const result = await deploySet(
    manifestsOf(record, records),
    { ...wish, policies: GOING_BACK, writer, backTo: record, onOutdated: 'continue' },
    tools,
    signal,
  );
  if (result.outcome === 'succeeded') return { ...result, outcome: 'rolled-back' };
  // The way back that went wrong was itself taken back: what served is there again, and nothing proved what was asked for.
  return result.outcome === 'rolled-back' ? { ...result, outcome: 'rollback-failed' } : result;
}

/** Takes back what a killed run left. Also what `post` does. undefined: nothing is left any more. */
export async function takeBackUnfinished(
  { record, previous }: { readonly record: ReleaseRecord; readonly previous: ReleaseRecord | undefined },
  wish: Pick<DeployWish, 'ref' | 'writer' | 'onConflict' | 'rollbackWithin'> &
    Pick<GoingBack, 'images'> & { readonly deadline: Instant },
  tools: K8sTools,
  signal: AbortSignal,
): Promise<K8sResult | undefined> {
  const lease = await holdLease({ ...wish, ...wish.writer }, tools, signal);
  try {
    const records = await tools.store.list(lease.signal);
    const left = toTakeBack(records);
    if (left?.revision !== record.revision) return undefined;
    const within = after(tools.clock.now(), wish.rollbackWithin);
    const images = wish.images === undefined ? {} : { images: wish.images };
    const back = await takeBack({ ...images, ref: wish.ref, record, previous, lease, within }, tools, lease.signal);
    return resultOf(back, record, previous);
  } finally {
    await lease.release();
  }
}

const resultOf = (back: WentBack, record: ReleaseRecord, previous: ReleaseRecord | undefined): K8sResult => ({
  outcome: back.kind,
  reason: `release ${record.release} (revision ${record.revision}) ${record.phase === 'failed' ? 'failed and stood' : `was left unfinished by run ${record.run}`}; ${back.reason}`,
  changed: true,
  objects: back.objects,
  causes: back.kind === 'rolled-back' ? [] : [{ text: back.reason }],
  diagnosis: back.lines,
  plan: [],
  ...(previous === undefined ? {} : { revision: previous.revision, release: previous.release }),
});

/** What `post` does about a deployment that its main left behind; undefined: nothing is left. */
export async function undoUnfinished(
  wish: { readonly ref: AppRef; readonly run: string; readonly process: string; readonly within: Duration },
  tools: K8sTools,
  signal: AbortSignal,
): Promise<K8sResult | undefined> {
  const records = await tools.store.list(signal);
  const record = unfinishedOf(records);
  if (record === undefined || !isOf(record, wish)) return undefined;
  const previous = records.find(({ revision }) => revision === record.previous);
  const deadline = after(tools.clock.now(), wish.within);
  const asked = {
    ref: wish.ref,
    writer: { release: record.release, run: wish.run, process: wish.process },
    deadline,
    onConflict: 'fail',
    rollbackWithin: wish.within,
  } as const;
  return takeBackUnfinished({ record, previous }, asked, tools, signal);
}
