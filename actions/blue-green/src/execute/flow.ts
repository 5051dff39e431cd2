import { powerWords } from '../../../../src/domain/analysis/power.ts';
import { type Duration, between, milliseconds, minutes } from '../../../../src/domain/duration.ts';
import { flowWords } from '../../../../src/domain/shift/flow.ts';
import { measured, windowBefore } from '../../../../src/engine/shift/measure.ts';
import type { Arm } from '../../../../src/ports/metric-provider.ts';
import type { Served } from '../decide/moves.ts';
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
  const at = ports.clock.now();
  const look = { metric: 'requests', length: STEP_END } as const;
  const candidate = await answerOf({ ...look, arm: 'candidate' }, acting, signal);
  const stable = await answerOf({ ...look, arm: 'stable' }, acting, signal);
  if (candidate === 'unreachable' || stable === 'unreachable') return noteSilence(acting, { percent, at });
  const flow = { candidate: numberOf(candidate), stable: numberOf(stable) };
  const words = flowWords(flow, { color: record.candidate, percent });
  const says = words?.says ?? '';
  if (words?.level !== 'warning') {
    memory.served = { kind: words === undefined ? 'unknown' : 'some', percent, at, says };
    memory.unserved.delete(percent);
  } else {
    // Few users may be silent for a minute.
    const whole = { ...look, arm: 'candidate', length: milliseconds(Math.max(STEP_END, between(since, at))) } as const;
    const got = await answerOf(whole, acting, signal);
    if (got === 'unreachable') return noteSilence(acting, { percent, at });
    const none = !(numberOf(got) ?? 0);
    memory.served = { kind: none ? 'none' : 'some', percent, at, says };
    if (none && memory.unserved.has(percent)) return;
    if (none) memory.unserved.set(percent, says);
    else memory.unserved.delete(percent);
  }
  if (words === undefined) return;
  ports.log[words.level](says);
  memory.events.push({ at, says, percent });
}

/** A source that does not answer says neither that there are requests nor that there are none. What it said before stands. */
function noteSilence({ memory, ports }: Acting, { percent, at }: Pick<Served, 'percent' | 'at'>): void {
  const { served } = memory;
  const asks = served?.kind === 'unanswered' && served.percent === percent ? served.asks + 1 : 1;
  ports.log.debug(`The source of requests does not answer (${asks} in a row)`);
  memory.served = { kind: 'unanswered', percent, at, says: memory.unserved.get(percent) ?? '', asks };
}

/** What the steps of the policy can see with the requests of now, before the first of them. */
export async function notePower(acting: Acting, signal: AbortSignal): Promise<void> {
  const { ports, release, memory } = acting;
  const { policy } = release.goal;
  const look = { arm: 'stable', length: BASELINE } as const;
  const requestsPerSecond = numberOf(await answerOf({ ...look, metric: 'requests' }, acting, signal));
  const errorRate = numberOf(await answerOf({ ...look, metric: 'error-rate' }, acting, signal));
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

type Answer = number | 'no-data' | 'unreachable';

const numberOf = (answer: Answer): number | undefined => (typeof answer === 'number' ? answer : undefined);

async function answerOf({ metric, arm, length }: Asked, { ports }: Acting, signal: AbortSignal): Promise<Answer> {
  const provider = ports.metrics.providers[metric];
  if (provider === undefined) return 'no-data';
  const window = windowBefore(provider, { now: ports.clock.now(), length });
  const answer = await measured(provider, { query: { metric, arm }, window }, signal);
  return answer.kind === 'value' ? answer.value : answer.kind;
}
