import { powerWords } from '../../../../src/domain/analysis/power.ts';
import { minutes } from '../../../../src/domain/duration.ts';
import { flowWords } from '../../../../src/domain/shift/flow.ts';
import type { ShiftRecord } from '../../../../src/domain/shift/record.ts';
import { measured, windowBefore } from '../../../../src/engine/shift/measure.ts';
import type { Arm } from '../../../../src/ports/metric-provider.ts';
import type { Acting } from './acting.ts';

/** What users asked of a color, and how it answered, over so long before now. */
const BASELINE = minutes(5);
const STEP_END = minutes(1);

/** Said where a shift gets its first traffic and where a step ends. Nothing is decided by it, and nothing waits for it. */
export async function noteFlow(record: ShiftRecord, acting: Acting, signal: AbortSignal): Promise<void> {
  const { phase, from } = record;
  if (phase === 'shifting' && from === 0) return notePower(acting, signal);
  const stepEnds = (phase === 'shifting' && from > 0) || phase === 'rechecking';
  if (!stepEnds) return;
  const { ports, memory } = acting;
  const look = { metric: 'requests', length: STEP_END } as const;
  const candidate = await valueOf({ ...look, arm: 'candidate' }, acting, signal);
  const stable = await valueOf({ ...look, arm: 'stable' }, acting, signal);
  const percent = phase === 'shifting' ? from : record.percent;
  const words = flowWords({ candidate, stable }, { color: record.candidate, percent });
  if (words === undefined) return;
  ports.log[words.level](words.says);
  memory.events.push({ at: ports.clock.now(), says: words.says, percent });
}

/** What the steps of the policy can see with the requests of now, before the first of them. */
async function notePower(acting: Acting, signal: AbortSignal): Promise<void> {
  const { ports, release, memory } = acting;
  const { policy } = release.goal;
  const look = { arm: 'stable', length: BASELINE } as const;
  const requestsPerSecond = await valueOf({ ...look, metric: 'requests' }, acting, signal);
  const errorRate = await valueOf({ ...look, metric: 'error-rate' }, acting, signal);
  if (requestsPerSecond === undefined || !(requestsPerSecond > 0)) {
    if (policy.rules.some(({ kind }) => kind === 'comparison'))
      memory.power = [
        'What the comparisons can see is not known: no source tells the requests per second of stable (metric requests)',
      ];
  } else memory.power = powerWords(policy, { requestsPerSecond, errorRate: errorRate ?? 0 });
  if (memory.power.length > 0) ports.log.verbatim('What this policy can see', memory.power.join('\n'));
}

interface Asked {
  readonly metric: string;
  readonly arm: Arm;
  readonly length: typeof BASELINE;
}

async function valueOf(
  { metric, arm, length }: Asked,
  { ports }: Acting,
  signal: AbortSignal,
): Promise<number | undefined> {
  const provider = ports.metrics.providers[metric];
  if (provider === undefined) return undefined;
  const window = windowBefore(provider, { now: ports.clock.now(), length });
  const answer = await measured(provider, { query: { metric, arm }, window }, signal);
  return answer.kind === 'value' ? answer.value : undefined;
}
