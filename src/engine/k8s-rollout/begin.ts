import { type Duration, after } from '../../domain/duration.ts';
import type { InputProblem } from '../../domain/inputs.ts';
import { type ObjectChange, planText } from '../../domain/kubernetes/diff.ts';
import type { Manifest } from '../../domain/kubernetes/manifest.ts';
import { describeRef } from '../../domain/kubernetes/object.ts';
import { readinessOf } from '../../domain/kubernetes/readiness.ts';
import { type ReleaseRecord, newestFirst, servingOf, unfinishedOf } from '../../domain/kubernetes/release-record.ts';
import { NAMESPACES } from '../../domain/kubernetes/resource.ts';
import { applyOne } from './apply.ts';
import { type HeldLease, holdLease } from './lease.ts';
import { type Preflight, atLine, describeProblems } from './preflight.ts';
import { type Prepared, digestOf } from './prepare.ts';
import { planPruning } from './prune.ts';
import { takeBack } from './take-back.ts';
import { preflightWhenGone } from './terminating.ts';
import type { AppRef, Cause, K8sResult, K8sTools, Policies, Verify, Writer } from './rollout.ts';

export interface DeployWish {
  readonly ref: AppRef;
  readonly writer: Writer;
  readonly policies: Policies;
  /** How long it may take until all is ready and checked; and how long another run is waited for before. */
  readonly timeout: Duration;
  readonly rollbackWithin: Duration;
  readonly onFailure: 'rollback' | 'leave';
  /** What becomes of a release that is cancelled on its way; default: the action's post step takes it back. */
  readonly onCancel?: 'leave' | 'rollback';
  readonly onConflict: 'fail' | 'wait';
  readonly onOutdated: 'fail' | 'continue';
  /** Hash of the plan that was approved; another one is refused. */
  readonly expectDiff?: string;
  /** Of `mode: rollback`: the release that is repeated. */
  readonly backTo?: ReleaseRecord;
  readonly verify?: Verify;
  /** Told what there is to undo. */
  readonly onFollowing?: (following: Following | undefined) => void;
}

/** A release that somebody has to bring to its end when this process does not. */
export interface Following {
  readonly revision: number;
  readonly release: string;
  /** `left`: it failed and stays; all that is missing is the record of it. */
  readonly stands: 'in-flight' | 'going-back' | 'left';
  /** Names of the objects that may not be as they were, once that is known. */
  readonly touched?: readonly string[];
}

/** A deployment that may be written. */
export interface Begun {
  readonly kind: 'begun';
  readonly lease: HeldLease;
  readonly records: readonly ReleaseRecord[];
  readonly prepared: readonly Prepared[];
  readonly plan: readonly ObjectChange[];
  readonly digest: string;
  /** The same release, begun by a run that was killed. */
  readonly resumed: ReleaseRecord | undefined;
  readonly notes: readonly string[];
}

/** Everything up to the first write of the release: looks, refusals, and what an earlier run left. */
export async function begin(
  manifests: readonly Manifest[],
  wish: DeployWish,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<Begun | { readonly kind: 'ended'; readonly result: K8sResult }> {
  const before = tools.store.list(signal).then(standOf, () => 'unknown');
  const deadline = after(tools.clock.now(), wish.timeout);
  let looked = await preflightWhenGone(manifests, { ...wish, deadline }, tools, signal);
  for (const warning of looked.warnings) tools.log.warning(warning);
  if (looked.problems.length > 0) return { kind: 'ended', result: refusedBy(looked.problems, looked.prepared) };
  const home = missingHome(looked, wish);
  if (home !== undefined) {
    // The namespace is the very first write, and one that is never taken back: what can be refused is refused before.
    const refusal = await notAsApproved({ looked, records: [] }, wish, tools, signal);
    if (refusal !== undefined) return ended(refusal);
    await makeNamespace(home, wish, tools, signal);
  }
  const free = after(tools.clock.now(), wish.timeout);
  const lease = await holdLease({ ...wish, ...wish.writer, deadline: free }, tools, signal);
  try {
    // Another run released meanwhile: what was looked at, and the plan of it, are of a cluster that is no more.
    if (lease.waited === 'yes' || (await before) !== standOf(await tools.store.list(lease.signal))) {
      looked = await preflightWhenGone(manifests, { ...wish, deadline: free }, tools, lease.signal);
      if (looked.problems.length > 0) {
        await lease.release();
        return { kind: 'ended', result: refusedBy(looked.problems, looked.prepared) };
      }
    }
    const begun = await beginHolding(manifests, { wish, looked, lease }, tools, lease.signal);
    if (begun.kind === 'ended') await lease.release();
    return begun;
  } catch (thrown) {
    await lease.release();
    throw thrown;
  }
}

/** What releases there are, and how far each came. */
const standOf = (records: readonly ReleaseRecord[]): string =>
  JSON.stringify(newestFirst(records).map(({ revision, run, phase }) => [revision, run, phase]));

/** The namespace of the records and the lease, when the set makes it and it is not there. */
const missingHome = ({ prepared }: Preflight, { ref }: DeployWish): Prepared | undefined =>
  prepared.find(
    ({ object, live }) => object.kind === 'Namespace' && object.metadata.name === ref.namespace && live === undefined,
  );

async function makeNamespace(
  own: Prepared,
  { ref, policies }: DeployWish,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<void> {
  const lease = { signal, guard: () => Promise.resolve(), release: () => Promise.resolve() };
  await applyOne(
    { resource: NAMESPACES, object: own.object, live: undefined, way: 'apply' },
    { ref, conflicts: policies.conflicts, lease },
    tools,
    signal,
  );
}

interface Held {
  readonly wish: DeployWish;
  readonly looked: Preflight;
  readonly lease: HeldLease;
}

async function beginHolding(
  manifests: readonly Manifest[],
  { wish, looked, lease }: Held,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<Begun | { readonly kind: 'ended'; readonly result: K8sResult }> {
  const { store, log } = tools;
  let { prepared } = looked;
  let records = await store.list(signal);
  const later = wish.onOutdated === 'fail' ? laterRelease(records, wish.writer.run) : undefined;
  if (later !== undefined) return ended(refused(outdatedText(later, wish), prepared));
  const digestNow = (): string =>
    digestOf(
      prepared.map(({ object }) => object),
      tools,
    );
  let digest = digestNow();
  const unfinished = unfinishedOf(records);
  const resumed = unfinished?.phase === 'applying' && unfinished.digest === digest ? unfinished : undefined;
  if (unfinished !== undefined && resumed === undefined) {
    log.info(
      `Release ${unfinished.release} (revision ${unfinished.revision}) was left unfinished by run ${unfinished.run}: it is taken back first`,
    );
    const previous = records.find(({ revision }) => revision === unfinished.previous);
    const within = after(tools.clock.now(), wish.rollbackWithin);
    const back = await takeBack({ ref: wish.ref, record: unfinished, previous, lease, within }, tools, signal);
    // With its record open the next run would take it back over what this one releases.
    const failed = back.kind === 'rollback-failed' ? `could not be taken back: ${back.reason}` : undefined;
    const untold = back.record === 'open' ? 'is taken back, and its record could not be told; re-run' : undefined;
    const barred = failed ?? untold;
    if (barred !== undefined)
      return ended({
        ...refused(`the release before ${barred}`, prepared),
        outcome: 'rollback-failed',
        changed: true,
        objects: back.objects,
        diagnosis: back.lines,
      });
    records = await store.list(signal);
    // What it made may still go.
    const deadline = after(tools.clock.now(), wish.timeout);
    const again = await preflightWhenGone(manifests, { ...wish, deadline }, tools, signal);
    ({ prepared } = again);
    if (again.problems.length > 0) return ended({ ...refusedBy(again.problems, prepared), changed: true });
    digest = digestNow();
  }
  if (resumed !== undefined) log.info(`Going on with release ${resumed.release}, which run ${resumed.run} began`);
  const planned = await planOf({ prepared, records }, wish, tools, signal);
  if ('problems' in planned) return ended(refusedBy(planned.problems, prepared));
  const { plan } = planned;
  const unlike = resumed === undefined ? unapprovedBy(plan, prepared, wish, tools) : undefined;
  if (unlike !== undefined) return ended(unlike);
  for (const { ref, said } of prepared.map((each) => ({ ref: each.change.ref, said: each.said })))
    for (const line of said) log.info(`${describeRef(ref)}: ${line}`);
  const begun: Begun = { kind: 'begun', lease, records, prepared, plan, digest, resumed, notes: [] };
  return nothingToDo(begun, tools) ? ended(unchanged(begun)) : begun;
}

interface Looked {
  readonly prepared: readonly Prepared[];
  readonly records: readonly ReleaseRecord[];
}

async function planOf(
  { prepared, records }: Looked,
  { ref, policies, backTo }: DeployWish,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<{ readonly plan: readonly ObjectChange[] } | { readonly problems: readonly InputProblem[] }> {
  const pruning = { ref, wanted: prepared, records, policies, ...(backTo === undefined ? {} : { backTo }) };
  const { goes, problems } = await planPruning(pruning, tools, signal);
  if (problems.length > 0) return { problems };
  const gone = goes.map((each) => ({ ref: each, kind: 'delete', changes: [], basis: 'server' }) as const);
  return { plan: [...prepared.map(({ change }) => change), ...gone] };
}

/** `expect-diff` names the plan that somebody approved. */
function unapprovedBy(
  plan: readonly ObjectChange[],
  prepared: readonly Prepared[],
  { expectDiff }: DeployWish,
  { sha256 }: K8sTools,
): K8sResult | undefined {
  const hash = sha256(planText(plan));
  if (expectDiff === undefined || expectDiff === hash) return undefined;
  const unlike = `expected ${expectDiff.slice(0, 12)}…, it is ${hash.slice(0, 12)}…`;
  const next = 'the cluster or the manifests changed since; look at mode: diff and approve again';
  return { ...refused(`the plan is not the one that was approved (${unlike}): ${next}`, prepared), plan };
}

async function notAsApproved(
  { looked: { prepared }, records }: { readonly looked: Preflight; readonly records: readonly ReleaseRecord[] },
  wish: DeployWish,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<K8sResult | undefined> {
  const planned = await planOf({ prepared, records }, wish, tools, signal);
  return 'problems' in planned
    ? refusedBy(planned.problems, prepared)
    : unapprovedBy(planned.plan, prepared, wish, tools);
}

const ended = (result: K8sResult) => ({ kind: 'ended', result }) as const;

/** The same intent serves, the cluster is as it says, and all of it is well. */
function nothingToDo({ records, plan, digest, prepared, resumed }: Begun, { clock }: K8sTools): boolean {
  const serving = servingOf(records);
  const same = resumed === undefined && serving?.digest === digest && plan.every(({ kind }) => kind === 'unchanged');
  return (
    same &&
    prepared.every(
      ({ live }) =>
        live !== undefined &&
        readinessOf(live, { generation: live.metadata.generation, now: clock.now() }).kind === 'ready',
    )
  );
}

function unchanged({ records, prepared, plan }: Begun): K8sResult {
  const serving = servingOf(records);
  return {
    outcome: 'unchanged',
    reason: `all ${prepared.length} objects are as they shall be, and ready`,
    changed: false,
    objects: prepared.map(({ change: { ref } }) => ({ ref, done: 'unchanged' })),
    ...(serving === undefined ? {} : { revision: serving.revision, release: serving.release }),
    causes: [],
    diagnosis: [],
    plan,
  };
}

/** A release of a later workflow run: ids of runs grow. */
function laterRelease(records: readonly ReleaseRecord[], run: string): ReleaseRecord | undefined {
  const number = (text: string): number => Number(text.split('/')[0]);
  const newest = newestFirst(records).find(({ phase }) => phase === 'deployed' || phase === 'applying');
  return newest !== undefined && number(newest.run) > number(run) ? newest : undefined;
}

const outdatedText = ({ release, run }: ReleaseRecord, { writer }: DeployWish): string =>
  `release ${release} of the later run ${run} serves there, and run ${writer.run} would put an older one over it; let it be, or set on-outdated: continue`;

const refused = (reason: string, prepared: readonly Prepared[]): K8sResult => ({
  outcome: 'refused',
  reason,
  changed: false,
  objects: [],
  causes: [{ text: reason }],
  diagnosis: [],
  plan: prepared.map(({ change }) => change),
});

export function refusedBy(problems: readonly InputProblem[], prepared: readonly Prepared[]): K8sResult {
  const lines = describeProblems(problems);
  const causes = problems.map((problem, index): Cause => {
    const origin = atLine(problem);
    return { text: lines[index] ?? problem.problem, ...(origin === undefined ? {} : { origin }) };
  });
  const [first = ''] = lines;
  const more = lines.length === 1 ? '' : `, and ${lines.length - 1} more`;
  return {
    ...refused(
      `${lines.length} ${lines.length === 1 ? 'problem' : 'problems'} before the first write: ${first}${more}`,
      prepared,
    ),
    causes,
    diagnosis: lines,
  };
}
