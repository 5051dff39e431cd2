import { type ObjectChange, planText } from '../../domain/kubernetes/diff.ts';
import type { Manifest } from '../../domain/kubernetes/manifest.ts';
import { describeObject } from '../../domain/kubernetes/object.ts';
import type { ReleaseRecord } from '../../domain/kubernetes/release-record.ts';
import { heldBy } from '../../domain/kubernetes/terminating.ts';
import type { InputProblem } from '../../domain/inputs.ts';
import { preflight } from './preflight.ts';
import { planPruning } from './prune.ts';
import type { AppRef, K8sTools, Policies } from './rollout.ts';
import { terminatingOf } from './terminating.ts';

export interface Planned {
  readonly plan: readonly ObjectChange[];
  readonly hash: string;
  readonly problems: readonly InputProblem[];
  readonly warnings: readonly string[];
}

export interface PlanWish {
  readonly ref: AppRef;
  readonly policies: Policies;
  /** Of `mode: rollback`: the release that is gone back to. */
  readonly backTo?: ReleaseRecord;
}

/** What a deployment would do now. Reads and dry runs only. */
export async function planSet(
  manifests: readonly Manifest[],
  { ref, policies, backTo }: PlanWish,
  tools: K8sTools,
  signal: AbortSignal,
): Promise<Planned> {
  const { prepared, problems, warnings } = await preflight(manifests, { ref, policies }, tools, signal);
  const records = await tools.store.list(signal);
  const pruning = { ref, wanted: prepared, records, policies, ...(backTo === undefined ? {} : { backTo }) };
  // A set that could not be looked at at all leaves nothing out.
  const { goes, problems: barred } =
    prepared.length === 0 ? { goes: [], problems: [] } : await planPruning(pruning, tools, signal);
  const plan: readonly ObjectChange[] = [
    ...prepared.map(({ change }) => change),
    ...goes.map((each) => ({ ref: each, kind: 'delete', changes: [], basis: 'server' }) as const),
  ];
  // What bars the pruning bars the deployment before its first write.
  const hash = tools.sha256(planText(plan));
  const going = terminatingOf(prepared).map(
    ({ object, live }) =>
      `${describeObject(object)} is being deleted, and a release waits until it is gone: ${heldBy(live)}`,
  );
  return { plan, hash, problems: [...problems, ...barred], warnings: [...warnings, ...going] };
}
