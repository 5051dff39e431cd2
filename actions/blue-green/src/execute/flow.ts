import { powerWords } from '../../../../src/domain/analysis/power.ts';
import { type Duration, between, milliseconds, minutes } from '../../../../src/domain/duration.ts';
import { flowWords } from '../../../../src/domain/shift/flow.ts';
import { measured, windowBefore } from '../../../../src/engine/shift/measure.ts';
import type { Arm } from '../../../../src/ports/metric-provider.ts';
import type { Acting } from './acting.ts';

/** What users asked of a color, and how it answered, over so long before now. */
const BASELINE = minutes(5);
const STEP_END = minutes(1);

/** At the end of a step: what each color got. A step without a request for the candidate is asked for as a whole, too. */
export async function askRequests(acting: Acting, signal: AbortSignal): Promise<void> {
  const { ports, memory } = acting;
  const { record } = memory;
  if (record === undefined) throw new TypeError('a step that ends has a record');
  const { percent, since } = record;
  const now = ports.clock.now();
  const look = { metric: 'requests', length: STEP_END } as const;
  const candidate = await valueOf({ ...look, arm: 'candidate' }, acting, signal);
  const stable = await valueOf({ ...look, arm: 'stable' }, acting, signal);
  const words = flowWords({ candidate, stable }, { color: record.candidate, percent });
  const says = words?.says ?? '';
  if (words?.level !== 'warning') {
    memory.served = { kind: words === undefined ? 'unknown' : 'some', percent, at: now, says };
    memory.unserved.delete(percent);
  } else {
    // Few users may be silent for a minute.
    const whole = { ...look, arm: 'candidate', length: milliseconds(Math.max(STEP_END, between(since, now))) } as const;
    const none = !((await valueOf(whole, acting, signal)) ?? 0);
    memory.served = { kind: none ? 'none' : 'some', percent, at: now, says };
    if (none && memory.unserved.has(percent)) return;
    if (none) memory.unserved.set(percent, says);
    else memory.unserved.delete(percent);
  }
  if (words === undefined) return;
  ports.log[words.level](says);
  memory.events.push({ at: now, says, percent });
}

/** What the steps of the policy can see with the requests of now, before the first of them. */
export async function notePower(acting: Acting, signal: AbortSignal): Promise<void> {
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
  readonly length: Duration;
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
