import { type Instant, seconds } from '../../domain/duration.ts';
import { DeadlinePassed } from '../../domain/failure.ts';
import { describeObject } from '../../domain/kubernetes/object.ts';
import { readinessOf } from '../../domain/kubernetes/readiness.ts';
import { inParallel } from '../in-parallel.ts';
import { until } from '../until.ts';
import { AT_ONCE, type K8sTools } from './rollout.ts';
import type { Target, Unready, WaitEnd } from './wait.ts';

const READ_EVERY = seconds(2);

/** The same question as `waitReady`, by reading each object: for whoever may neither list nor watch. Pods are not looked at. */
export async function readUntilReady(
  { targets, deadline }: { readonly targets: readonly Target[]; readonly deadline: Instant },
  tools: Pick<K8sTools, 'cluster' | 'clock'>,
  signal: AbortSignal,
): Promise<WaitEnd> {
  let unready: readonly Unready[] = [];
  const waitsSince = tools.clock.now();
  try {
    return await until(tools.clock, { every: READ_EVERY, deadline, signal }, async (): Promise<WaitEnd | undefined> => {
      const reads = await inParallel(targets, AT_ONCE, (target) => read({ target, waitsSince }, tools, signal));
      unready = reads.flatMap((each) => ('state' in each ? [each] : []));
      if (unready.length === 0)
        return {
          kind: 'ready',
          notes: [],
          unproven: reads.flatMap((each) => ('unproven' in each ? each.unproven : [])),
        };
      const bad = unready.filter(({ state }) => state.kind === 'bad');
      return bad.length > 0 ? { kind: 'bad', unready: bad } : undefined;
    });
  } catch (thrown) {
    if (!(thrown instanceof DeadlinePassed)) throw thrown;
    return { kind: 'timed-out', unready };
  }
}

async function read(
  { target, waitsSince }: { readonly target: Target; readonly waitsSince: Instant },
  { cluster, clock }: Pick<K8sTools, 'cluster' | 'clock'>,
  signal: AbortSignal,
): Promise<Unready | { readonly unproven: readonly string[] }> {
  const live = await cluster.get(target.resource, target.object.metadata, signal);
  const state =
    live === undefined
      ? ({ kind: 'bad', why: 'somebody deleted it' } as const)
      : readinessOf(live, {
          generation: target.object.metadata.generation,
          now: clock.now(),
          waitsSince,
          written: target.object,
        });
  if (state.kind !== 'ready') return { target, live, state, troubles: [], pods: [] };
  return { unproven: state.unproven === undefined ? [] : [`${describeObject(target.object)} (${state.note ?? ''})`] };
}
