import { type Instant, seconds } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import { scaledBy } from '../../domain/kubernetes/intent.ts';
import { type KubeObject, describeObject, keyOf, numberAt, refOf } from '../../domain/kubernetes/object.ts';
import { AUTOSCALERS, type Resource } from '../../domain/kubernetes/resource.ts';
import { BOUNDS_ANNOTATION, type ScaleMove, type ScaleWish, decideScale } from '../../domain/kubernetes/scaling.ts';
import { until } from '../until.ts';
import { diagnose } from './diagnose.ts';
import type { AppRef, K8sResult, K8sTools } from './rollout.ts';
import { waitReady } from './wait.ts';

export interface ScaleRequest {
  readonly ref: AppRef;
  readonly kind: string;
  readonly name: string;
  readonly wish: ScaleWish;
  readonly deadline: Instant;
}

export interface Scalable {
  readonly resource: Resource;
  readonly workload: KubeObject;
  readonly autoscaler: KubeObject | undefined;
  readonly move: ScaleMove;
}

/** Reads and decides. */
export async function readScalable(
  request: ScaleRequest,
  { cluster }: K8sTools,
  signal: AbortSignal,
): Promise<Scalable> {
  const { kind, name, ref, wish } = request;
  const { namespace } = ref;
  const resource = (await cluster.resources(signal)).find((each) => each.group === 'apps' && each.kind === kind);
  const workload = resource === undefined ? undefined : await cluster.get(resource, { namespace, name }, signal);
  if (resource === undefined || workload === undefined)
    throw new Failure({
      what: `Could not scale ${kind} ${namespace}/${name}`,
      why: 'there is none',
      next: 'Check workload and namespace',
    });
  const { items } = await cluster.list(AUTOSCALERS, { namespace }, signal);
  const autoscaler = items.find((each) => scaledBy(each) === keyOf(refOf(workload)));
  return { resource, workload, autoscaler, move: decideScale(wish, workload, autoscaler) };
}

export const describeMove = ({ workload, autoscaler, move }: Scalable): string => {
  const name = describeObject(workload);
  switch (move.kind) {
    case 'unchanged':
      return `Nothing: ${move.why}`;
    case 'refuse':
      return `Refuse: ${move.why}`;
    case 'set':
      return `Set ${name} from ${numberAt(workload, 'spec', 'replicas') ?? 1} to ${move.count} replicas`;
    case 'bound':
      return move.keep === null
        ? `Let ${autoscaler?.metadata.name ?? 'its autoscaler'} scale ${name} between ${move.bounds.min} and ${move.bounds.max}`
        : `Hold ${autoscaler?.metadata.name ?? 'its autoscaler'} of ${name} at ${move.bounds.min} (its bounds are kept for auto)`;
  }
};

export async function scaleWorkload(request: ScaleRequest, tools: K8sTools, signal: AbortSignal): Promise<K8sResult> {
  const found = await readScalable(request, tools, signal);
  const { workload, autoscaler, move } = found;
  const ref = refOf(workload);
  const base = { causes: [], diagnosis: [], plan: [], changed: true } as const;
  tools.log.info(describeMove(found));
  if (move.kind === 'refuse')
    return { ...base, outcome: 'refused', reason: move.why, changed: false, objects: [], causes: [{ text: move.why }] };
  if (move.kind === 'unchanged')
    return { ...base, outcome: 'unchanged', reason: move.why, changed: false, objects: [{ ref, done: 'unchanged' }] };
  tools.onWrite();
  if (move.kind === 'set') await setCount(found, move.count, tools, signal);
  else await setBounds(autoscaler as KubeObject, move, tools, signal);
  const settled = await awaitCount(found, request, tools, signal);
  if (settled === undefined)
    return {
      ...base,
      outcome: 'timed-out',
      reason: `the autoscaler did not set the count in time`,
      objects: [{ ref, done: 'configured' }],
    };
  const end = await waitReady(
    { targets: [{ resource: found.resource, object: settled }], deadline: request.deadline, way: 'there' },
    tools,
    signal,
  );
  const count = numberAt(settled, 'spec', 'replicas') ?? 1;
  if (end.kind === 'ready') {
    const unproven = end.unproven.map((each) => `; nothing is proven of ${each}`).join('');
    const reason = `${count} replicas run${unproven}`;
    return { ...base, outcome: 'succeeded', reason, objects: [{ ref, done: 'configured' }] };
  }
  const told = await diagnose(end.unready, () => undefined, tools, signal);
  const outcome = end.kind === 'bad' ? 'failed' : end.kind;
  return {
    ...base,
    outcome,
    reason: told.causes[0]?.text ?? 'it did not become ready',
    objects: [{ ref, done: 'configured' }],
    causes: told.causes,
    diagnosis: told.lines,
  };
}

async function setCount(
  { resource, workload }: Scalable,
  count: number,
  { cluster }: K8sTools,
  signal: AbortSignal,
): Promise<void> {
  const place = { ...workload.metadata, manager: 'sluice-scale' };
  await cluster.patch(resource, place, { spec: { replicas: count } }, signal);
}

async function setBounds(
  autoscaler: KubeObject,
  { bounds, keep }: Extract<ScaleMove, { kind: 'bound' }>,
  { cluster }: K8sTools,
  signal: AbortSignal,
): Promise<void> {
  const kept = keep === null ? null : `${keep.min}..${keep.max}`;
  const change = {
    metadata: { annotations: { [BOUNDS_ANNOTATION]: kept } },
    spec: { minReplicas: bounds.min, maxReplicas: bounds.max },
  };
  await cluster.patch(AUTOSCALERS, { ...autoscaler.metadata, manager: 'sluice-scale' }, change, signal);
}

/** An autoscaler brings the count into its bounds within a period of its own (15 s by default). */
async function awaitCount(
  { resource, workload, move }: Scalable,
  { deadline }: ScaleRequest,
  { cluster, clock }: K8sTools,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const inside = (count: number): boolean =>
    move.kind === 'set'
      ? count === move.count
      : move.kind !== 'bound' || (count >= move.bounds.min && count <= move.bounds.max);
  try {
    return await until(clock, { every: seconds(1), deadline, signal }, async () => {
      const live = await cluster.get(resource, workload.metadata, signal);
      return live !== undefined && inside(numberAt(live, 'spec', 'replicas') ?? 1) ? live : undefined;
    });
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'DeadlinePassed') return undefined;
    throw thrown;
  }
}
