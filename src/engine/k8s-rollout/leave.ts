import { type Duration, after } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import { clauseOf } from '../../domain/kubernetes/failure.ts';
import { type ReleaseRecord, isOf, unfinishedOf } from '../../domain/kubernetes/release-record.ts';
import { type HeldLease, holdLease } from './lease.ts';
import type { AppRef, K8sTools } from './rollout.ts';

/** Why the record of a release that stays as it is does not say so, as a clause; undefined: it does. */
export async function leaveIt(
  { record, lease }: { readonly record: ReleaseRecord; readonly lease: HeldLease },
  { store }: K8sTools,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await lease.guard();
    await store.write({ ...record, phase: 'failed' }, signal);
    return undefined;
  } catch (thrown) {
    lease.signal.throwIfAborted();
    if (!(thrown instanceof Failure)) throw thrown;
    return `what was applied of release ${record.release} stands as it is, and its record does not say so yet (${clauseOf(thrown)}); the post step of this run tries it again`;
  }
}

/** What `post` does about a release that stays, and whose record could not say so. undefined: it does, or is another run's. */
export async function leaveUnfinished(
  {
    ref,
    run,
    process,
    within,
  }: { readonly ref: AppRef; readonly run: string; readonly process: string; readonly within: Duration },
  tools: K8sTools,
  signal: AbortSignal,
): Promise<ReleaseRecord | undefined> {
  const isOurs = (record: ReleaseRecord | undefined): record is ReleaseRecord =>
    record !== undefined && isOf(record, { run, process });
  if (!isOurs(unfinishedOf(await tools.store.list(signal)))) return undefined;
  const deadline = after(tools.clock.now(), within);
  const lease = await holdLease({ ref, run, process, deadline, onConflict: 'fail' }, tools, signal);
  try {
    const left = unfinishedOf(await tools.store.list(lease.signal));
    if (!isOurs(left)) return undefined;
    await lease.guard();
    await tools.store.write({ ...left, phase: 'failed' }, lease.signal);
    return left;
  } finally {
    await lease.release();
  }
}
