import { after, formatInstant } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import type { ObjectChange } from '../../domain/kubernetes/diff.ts';
import { type Manifest, type Origin } from '../../domain/kubernetes/manifest.ts';
import { KubeFailure, clauseOf } from '../../domain/kubernetes/failure.ts';
import { type Ref, describeRef, keyOf, refOf } from '../../domain/kubernetes/object.ts';
import { type ReleaseRecord, newestFirst, repeatedBy, servingOf } from '../../domain/kubernetes/release-record.ts';
import { isTerminating } from '../../domain/kubernetes/terminating.ts';
import { mayPass } from '../../domain/retry-policy.ts';
import { containersOf } from '../../domain/kubernetes/pod-templates.ts';
import { type AppliedObject, applyInPhases } from './apply.ts';
import { type Begun, type DeployWish, type Following, begin } from './begin.ts';
import { diagnose } from './diagnose.ts';
import { finish } from './finish.ts';
import type { HeldLease } from './lease.ts';
import { leaveIt } from './leave.ts';
import { prune } from './prune.ts';
import { type WentBack, takeBack, notKnownText } from './take-back.ts';
import { type Cause, type K8sResult, type K8sTools, type ObjectResult, isWayBack } from './rollout.ts';
import { unprovenText } from './unproven.ts';
import { waitReady } from './wait.ts';

/** How an attempt to bring the new release up went wrong. */
interface Wrong {
  readonly kind: 'failed' | 'timed-out' | 'superseded';
  readonly reason: string;
  readonly causes: readonly Cause[];
  readonly lines: readonly string[];
}

/**
 * Brings the app to a set of manifests: everything is looked at first, the intent is written down, then it is applied in
 * phases and awaited. What does not come up is taken back. A run that was killed at any point is gone on with, or taken back,
 * by the next one.
 */
export async function deploySet(
  manifests: readonly Manifest[],
  wish: DeployWish,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<K8sResult> {
  const begun = await begin(manifests, wish, tools, signal);
  if (begun.kind === 'ended') return keepVerified(begun.result, wish, signal);
  const { lease } = begun;
  let leftToPost = false;
  const onFollowing = (following: Following | undefined): void => {
    leftToPost = following !== undefined && (following.stands !== 'in-flight' || wish.onCancel !== 'leave');
    wish.onFollowing?.(following);
  };
  try {
    const { result, record } = await release(begun, { ...wish, onFollowing }, tools, lease.signal);
    // Of a run that was cancelled, that broke, or whose way back is not told, post takes back what it began.
    if (record === 'closed') onFollowing(undefined);
    return result;
  } catch (thrown) {
    // Another run has the lease: what it does with this release holds.
    if (lease.signal.aborted && !signal.aborted) onFollowing(undefined);
    throw thrown;
  } finally {
    // What post is to take back stays out of the hands of others until then.
    if (!signal.aborted || !leftToPost) await lease.release();
  }
}

/** Where nothing is to be done, users may still not be well. Nothing was done that could be taken back. */
async function keepVerified(result: K8sResult, { verify }: DeployWish, signal: AbortSignal): Promise<K8sResult> {
  if (result.outcome !== 'unchanged') return result;
  const verified = await verify?.(signal);
  if (verified?.kind !== 'bad') return result;
  const reason = `${verified.reason}; nothing was changed, so nothing is taken back`;
  return { ...result, outcome: 'failed', reason, causes: [{ text: reason }], diagnosis: verified.lines };
}

/** `record`: `open` while whoever comes next would find the release unfinished. */
interface Released {
  readonly result: K8sResult;
  readonly record: WentBack['record'];
}

async function release(begun: Begun, wish: DeployWish, tools: K8sTools, signal: AbortSignal): Promise<Released> {
  const { lease, records, plan } = begun;
  const serving = servingOf(records);
  const { resumed } = begun;
  // Of this run from now on: when it ends too, its own post step takes the release back.
  const record =
    resumed === undefined
      ? newRecord(begun, wish, tools)
      : { ...resumed, run: wish.writer.run, process: wish.writer.process };
  await lease.guard();
  await writeIntent(record, resumed, tools, signal);
  tools.onWrite();
  const following = { revision: record.revision, release: record.release };
  wish.onFollowing?.({ ...following, stands: 'in-flight' });
  const applied: AppliedObject[] = [];
  const pruned: ObjectResult[] = [];
  const touched = new Map<string, Ref>();
  const untold: string[] = [];
  const wrong = await bringUp({ begun, wish, applied, pruned, touched, unproven: untold }, tools, signal);
  const base = {
    plan,
    revision: record.revision,
    release: record.release,
    ...(serving === undefined ? {} : { previousRevision: serving.revision }),
    changed: true,
  };
  if (wrong !== undefined)
    return settleWrong({ wrong, record, serving, applied, touched, base, lease }, wish, tools, signal);
  await finish({ record, records }, { lease, tools }, signal).catch((thrown) => {
    // It is ready, and the next run ends it: nobody takes it back for a record that could not be written.
    if (thrown instanceof Failure && !signal.aborted) wish.onFollowing?.(undefined);
    throw thrown;
  });
  const unproven = unprovenText(applied, untold);
  if (unproven !== undefined) tools.log.warning(unproven);
  const changed = applied.filter(({ done }) => done !== 'unchanged').length;
  const result: K8sResult = {
    ...base,
    outcome: 'succeeded',
    reason: `${applied.length === 1 ? '1 object is' : `${applied.length} objects are`} ready, ${changed} of them created or changed${pruned.length === 0 ? '' : `, ${pruned.length} pruned`}${unproven === undefined ? '' : `; ${unproven}`}`,
    objects: [...applied, ...pruned],
    causes: [],
    diagnosis: begun.notes,
  };
  return { result, record: 'closed' };
}

/** Without it nobody could take the release back, so nothing is applied before it stands. */
async function writeIntent(
  record: ReleaseRecord,
  resumed: ReleaseRecord | undefined,
  { store, onWrite }: K8sTools,
  signal: AbortSignal,
): Promise<void> {
  try {
    await store.write(record, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof Failure)) throw thrown;
    // Of an answer that was lost nobody knows whether it said yes.
    if (!(thrown instanceof KubeFailure) || mayPass(thrown.kind)) onWrite();
    const now =
      resumed === undefined
        ? 'Nothing of this release was applied'
        : `What run ${resumed.run} applied of it stands and this run applied nothing more; the next one goes on with it or takes it back`;
    throw new Failure({ ...thrown.facts, now }, { cause: thrown });
  }
}

function newRecord({ records, prepared, digest }: Begun, wish: DeployWish, { clock, random }: K8sTools): ReleaseRecord {
  const serving = servingOf(records);
  const ours = new Set((serving?.objects ?? []).map((object) => keyOf(refOf(object))));
  return {
    schema: 1,
    app: wish.ref.app,
    revision: (newestFirst(records)[0]?.revision ?? 0) + 1,
    ...wish.writer,
    phase: 'applying',
    startedAt: formatInstant(clock.now()),
    digest,
    objects: prepared.map(({ object }) => object),
    before: prepared
      .filter(({ object }) => !ours.has(keyOf(refOf(object))))
      .map(({ object, live }) => ({
        ref: refOf(object),
        ...(live === undefined || isTerminating(live) ? {} : { object: live }),
      })),
    images: [...new Set(prepared.flatMap(({ object }) => containersOf(object).flatMap(({ image }) => image ?? [])))],
    // Of any release: the first that comes to be gives it on.
    hideKey: newestFirst(records).find(({ hideKey }) => hideKey !== undefined)?.hideKey ?? random.token(),
    ...(serving === undefined ? {} : { previous: serving.revision }),
    ...(wish.backTo === undefined ? {} : { copyOf: repeatedBy(wish.backTo) }),
  };
}

interface BringingUp {
  readonly begun: Begun;
  readonly wish: DeployWish;
  /** Filled as it goes, also of an attempt that fails. */
  readonly applied: AppliedObject[];
  readonly pruned: ObjectResult[];
  readonly touched: Map<string, Ref>;
  readonly unproven: string[];
}

async function bringUp(
  { begun, wish, applied, pruned, touched, unproven }: BringingUp,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<Wrong | undefined> {
  const { prepared, lease, records } = begun;
  // From here on: a wait for another run, and the way back of one that was killed, are not of this release.
  const deadline = after(tools.clock.now(), wish.timeout);
  const origins = new Map<string, Origin>(
    prepared.map(({ object, manifest }) => [keyOf(refOf(object)), manifest.origin]),
  );
  const ended = new Set<AppliedObject>();
  const originOf = (key: string): Origin | undefined => origins.get(key);
  const waitFor = async (targets: readonly AppliedObject[]): Promise<void> => {
    const end = await waitReady({ targets, deadline, way: 'there' }, tools, signal);
    if (end.kind === 'ready') {
      for (const note of end.notes) tools.log.info(note);
      unproven.push(...end.unproven);
      return;
    }
    const { causes, lines } = await diagnose(end.unready, originOf, tools, signal);
    throw new WentWrong({
      kind: end.kind === 'bad' ? 'failed' : end.kind,
      reason: causes[0]?.text ?? 'it did not become ready',
      causes,
      lines,
    });
  };
  try {
    const all = prepared.map(({ change, ...each }) => {
      return { ...each, way: change.kind === 'replace' ? ('replace' as const) : ('apply' as const) };
    });
    await applyInPhases(
      all,
      {
        ref: wish.ref,
        conflicts: wish.policies.conflicts,
        ...(isWayBack(wish.policies) ? { images: 'may-be-left' } : {}),
        lease,
        touched,
        async afterPhase(phase, done) {
          applied.push(...done);
          // Later phases need what these make.
          if (phase !== 'definitions' && phase !== 'before') return;
          await waitFor(done);
          // A Job that has ended may be gone (its ttl) long before all else is ready.
          for (const each of done.filter(({ object }) => object.kind === 'Job')) ended.add(each);
        },
      },
      tools,
      signal,
    );
    await waitFor(applied.filter((each) => !ended.has(each)));
    const verified = await wish.verify?.(signal);
    if (verified?.kind === 'bad')
      return { kind: 'failed', reason: verified.reason, causes: [{ text: verified.reason }], lines: verified.lines };
    // Last, so that the way back has least to make again.
    const { ref, policies, backTo } = wish;
    const pruning = { ref, wanted: prepared, records, policies, lease, ...(backTo === undefined ? {} : { backTo }) };
    pruned.push(...(await prune(pruning, tools, signal)));
    return undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof WentWrong) return thrown.wrong;
    if (!(thrown instanceof Failure)) throw thrown;
    const reason = clauseOf(thrown);
    return { kind: 'failed', reason, causes: [{ text: reason }], lines: [] };
  }
}

/** Carries what went wrong out of the phases. */
class WentWrong extends Error {
  override readonly name = 'WentWrong';
  readonly wrong: Wrong;
  constructor(wrong: Wrong) {
    super(wrong.reason);
    this.wrong = wrong;
  }
}

interface Settling {
  readonly wrong: Wrong;
  readonly record: ReleaseRecord;
  readonly serving: ReleaseRecord | undefined;
  readonly applied: readonly ObjectResult[];
  readonly touched: ReadonlyMap<string, Ref>;
  readonly base: {
    readonly plan: readonly ObjectChange[];
    readonly changed: boolean;
    readonly revision: number;
    readonly release: string;
  };
  readonly lease: HeldLease;
}

async function settleWrong(
  { wrong, record, serving, applied, touched, base, lease }: Settling,
  wish: DeployWish,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<Released> {
  const told = { ...base, causes: wrong.causes };
  const names = [...touched.values()].map(describeRef);
  const following = { revision: record.revision, release: record.release, touched: names };
  // Somebody else's rollout is under way: ours is over, theirs is not ours to take back.
  if (wrong.kind === 'superseded' || wish.onFailure === 'leave') {
    wish.onFollowing?.({ ...following, stands: 'left' });
    const untold = await leaveIt({ record, lease }, tools, signal);
    const { kind: outcome, lines: diagnosis } = wrong;
    const reason = untold === undefined ? wrong.reason : `${wrong.reason}; ${untold}`;
    const result = { ...told, outcome, reason, objects: applied, diagnosis };
    return { result, record: untold === undefined ? 'closed' : 'open' };
  }
  for (const { text } of wrong.causes) tools.log.warning(text);
  wish.onFollowing?.({ ...following, stands: 'going-back' });
  const within = after(tools.clock.now(), wish.rollbackWithin);
  const going = { ref: wish.ref, record, previous: serving, touched, lease, within };
  const back = await takeBack(going, tools, signal).catch((thrown: unknown): WentBack => {
    lease.signal.throwIfAborted();
    if (!(thrown instanceof Failure)) throw thrown;
    // Its first call failed already: what was applied stands, and the record says that it is unfinished.
    const reason = [clauseOf(thrown), ...(names.length === 0 ? [] : [notKnownText(names)])].join('; ');
    return { kind: 'rollback-failed', reason, objects: applied, lines: [], record: 'open' };
  });
  const { kind: outcome, objects, record: state } = back;
  const diagnosis = [...wrong.lines, ...back.lines];
  const next = state === 'open' ? '; the post step of this run tries it again, and after it the next run' : '';
  const said =
    outcome === 'rolled-back' ? back.reason : `and the way back failed: ${back.reason.replace(/\.$/, '')}${next}`;
  return { result: { ...told, outcome, reason: `${wrong.reason}; ${said}`, objects, diagnosis }, record: state };
}
