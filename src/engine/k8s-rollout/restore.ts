import { canonicalJson } from '../../domain/canonical-json.ts';
import type { Instant } from '../../domain/duration.ts';
import { type Backup, restorable } from '../../domain/kubernetes/backup.ts';
import { comparable } from '../../domain/kubernetes/diff.ts';
import { KubeFailure } from '../../domain/kubernetes/failure.ts';
import { managerOf } from '../../domain/kubernetes/intent.ts';
import { describeObject, refOf } from '../../domain/kubernetes/object.ts';
import { inPhases } from '../../domain/kubernetes/phases.ts';
import { makesPods } from '../../domain/kubernetes/readiness.ts';
import { resourceFor } from '../../domain/kubernetes/resource.ts';
import { mayPass } from '../../domain/retry-policy.ts';
import type { BackupStore } from '../../ports/backup-store.ts';
import { inParallel } from '../in-parallel.ts';
import { type AppliedObject, type ToApply, applyOne } from './apply.ts';
import { readBackup } from './backup.ts';
import { diagnose } from './diagnose.ts';
import { type HeldLease, holdLease } from './lease.ts';
import { masked } from './prepare.ts';
import { AT_ONCE, type AppRef, type K8sResult, type K8sTools, type Verify } from './rollout.ts';
import { unprovenText } from './unproven.ts';
import { waitReady } from './wait.ts';

export interface RestoreWish {
  readonly ref: AppRef;
  readonly run: string;
  readonly process: string;
  readonly which: string;
  readonly deadline: Instant;
  readonly onConflict: 'fail' | 'wait';
  readonly verify?: Verify;
}

const LONGEST_WHY = 300;

/** Releases take over what it applied. */
const RESTORER = 'restore';

/**
 * Secrets and config first, then the rest in phases, then its health. What came later and is not in it stays. There is no
 * way back from here, so one object that is refused keeps no other from coming back: all of those are named at the end.
 */
export async function restoreBackup(
  wish: RestoreWish,
  store: BackupStore,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<K8sResult & { readonly name: string }> {
  const { name, backup } = await readBackup(wish, store, signal);
  tools.log.info(`Restoring ${backup.objects.length} objects of ${name}, taken ${backup.takenAt}`);
  const lease = await holdLease(wish, tools, signal);
  try {
    const { objects, left } = await toApply(backup, tools, lease.signal);
    const { applied, refused } = await applyAll(objects, { ref: wish.ref, lease }, tools, lease.signal);
    const base = { name, changed: true, objects: applied, plan: [] };
    const lines = [...refused, ...left];
    const well = await provenWell(applied, wish, tools, lease.signal);
    if (refused.length > 0) {
      const others = well.kind === 'well' ? 'the others are back' : `of the others: ${well.reason}`;
      const reason = `${refused.length} of ${objects.length} objects of ${name} are not back: ${refused.join('; ')}; ${others}`;
      const causes = refused.map((text) => ({ text }));
      return { ...base, outcome: 'failed', reason, causes, diagnosis: [...lines, ...well.lines] };
    }
    if (well.kind !== 'well') {
      const { kind: outcome, reason, causes } = well;
      return { ...base, outcome, reason, causes, diagnosis: [...lines, ...well.lines] };
    }
    const workloads = applied.filter(({ object }) => makesPods(object)).length;
    const said = [
      `${applied.length} objects of ${name} are back, ${workloads} workloads healthy`,
      ...(left.length === 0 ? [] : [`${left.length} left out`]),
      ...(well.unproven === undefined ? [] : [well.unproven]),
    ];
    return { ...base, outcome: 'succeeded', reason: said.join('; '), causes: [], diagnosis: lines };
  } finally {
    await lease.release();
  }
}

type Health =
  | { readonly kind: 'well'; readonly lines: readonly string[]; readonly unproven: string | undefined }
  | (Pick<K8sResult, 'reason' | 'causes'> & {
      readonly kind: 'failed' | 'timed-out' | 'superseded';
      readonly lines: readonly string[];
    });

/** A Job runs for as long as it takes: it is started, and not awaited. */
async function provenWell(
  applied: readonly AppliedObject[],
  { deadline, verify }: Pick<RestoreWish, 'deadline' | 'verify'>,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<Health> {
  const targets = applied.filter(({ object }) => object.kind !== 'Job');
  const end = await waitReady({ targets, deadline, way: 'there' }, tools, signal);
  if (end.kind !== 'ready') {
    const { causes, lines } = await diagnose(end.unready, () => undefined, tools, signal);
    const reason = causes[0]?.text ?? 'it did not become ready';
    return { kind: end.kind === 'bad' ? 'failed' : end.kind, reason, causes, lines };
  }
  const unproven = unprovenText(targets, end.unproven);
  if (unproven !== undefined) tools.log.warning(unproven);
  const verified = await verify?.(signal);
  if (verified?.kind === 'bad') return { kind: 'failed', reason: verified.reason, causes: [], lines: verified.lines };
  return { kind: 'well', lines: [], unproven };
}

interface AllApplied {
  readonly applied: readonly AppliedObject[];
  /** Each with what the server said. */
  readonly refused: readonly string[];
}

async function applyAll(
  objects: readonly ToApply[],
  { ref: { namespace }, lease }: { readonly ref: AppRef; readonly lease: HeldLease },
  tools: K8sTools,
  signal: AbortSignal,
): Promise<AllApplied> {
  const { log } = tools;
  const applied: AppliedObject[] = [];
  const refused: string[] = [];
  const applying = { ref: { app: RESTORER, namespace }, conflicts: 'force', lease } as const;
  for (const { members } of inPhases(objects, ({ object }) => object)) {
    await lease.guard();
    await inParallel(members, AT_ONCE, async (each) => {
      try {
        const done = await applyOne(each, applying, tools, signal);
        applied.push(done);
        log.info(`${describeObject(done.object)} ${done.done}${done.note === undefined ? '' : ` (${done.note})`}`);
      } catch (thrown) {
        signal.throwIfAborted();
        const why = refusalOf(thrown, each);
        if (why === undefined) throw thrown;
        log.warning(why);
        refused.push(why);
      }
    });
  }
  return { applied, refused };
}

/** What the server says of this object alone; undefined: the next one would fare no better. */
function refusalOf(thrown: unknown, { object }: ToApply): string | undefined {
  if (!(thrown instanceof KubeFailure) || thrown.status === undefined || thrown.kind === 'expired-token')
    return undefined;
  const { message } = thrown.status;
  // A webhook may be served by what is restored.
  if (mayPass(thrown.kind) && !message.includes('failed calling webhook')) return undefined;
  const why = masked(message, object).trim() || `the server answered ${thrown.status.code}`;
  return `${describeObject(object)} is refused: ${why.length > LONGEST_WHY ? `${why.slice(0, LONGEST_WHY)}…` : why}`;
}

export interface RestorePlan {
  readonly name: string;
  readonly lines: readonly string[];
  /** What the server would not take, each with why. */
  readonly refused: readonly string[];
}

/** Lets the server try each object. */
export async function planRestore(
  wish: Pick<RestoreWish, 'ref' | 'which'>,
  store: BackupStore,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<RestorePlan> {
  const { name, backup } = await readBackup(wish, store, signal);
  const { objects, left } = await toApply(backup, tools, signal);
  const refused: string[] = [];
  const tried = await inParallel(objects, AT_ONCE, async (each): Promise<readonly string[]> => {
    try {
      return [`${await triedOf(each, tools, signal)} ${describeObject(each.object)}`];
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof KubeFailure && /does not support dry run/i.test(thrown.status?.message ?? ''))
        return [`try ${describeObject(each.object)} (a webhook lets nobody try it before)`];
      const why = refusalOf(thrown, each);
      if (why === undefined) throw thrown;
      refused.push(why);
      return [];
    }
  });
  return { name, lines: [...refused.map((line) => `! ${line}`), ...left, ...tried.flat()], refused };
}

async function triedOf(
  { resource, object, live }: ToApply,
  { cluster }: Pick<K8sTools, 'cluster'>,
  signal: AbortSignal,
): Promise<'create' | 'change' | 'leave'> {
  const options = { manager: managerOf(RESTORER), conflicts: 'take', dryRun: 'yes' } as const;
  const { object: now } = await cluster.apply(resource, object, options, signal);
  if (live === undefined) return 'create';
  return canonicalJson(comparable(live)) === canonicalJson(comparable(now)) ? 'leave' : 'change';
}

interface FromBackup {
  readonly objects: readonly ToApply[];
  /** What is left out, each with why. */
  readonly left: readonly string[];
}

async function toApply(
  { objects }: Backup,
  { cluster }: Pick<K8sTools, 'cluster'>,
  signal: AbortSignal,
): Promise<FromBackup> {
  const served = await cluster.resources(signal);
  const left: string[] = [];
  const found = await inParallel(objects, AT_ONCE, async (kept): Promise<readonly ToApply[]> => {
    const leave = (why: string): readonly ToApply[] => {
      left.push(`${describeObject(kept)} is left out: ${why}`);
      return [];
    };
    const resource = resourceFor(kept, served);
    if (resource === undefined) return leave(`${kept.apiVersion} ${kept.kind} is not served any more`);
    const live = await cluster.get(resource, refOf(kept), signal);
    // A Job that is there has run; what it is made of cannot change.
    if (kept.kind === 'Job' && live !== undefined) return [];
    const made = restorable(kept);
    return made.kind === 'left' ? leave(made.why) : [{ resource, object: made.object, live, way: 'apply' }];
  });
  return { objects: found.flat(), left };
}
