import { powerWords } from '../../../../src/domain/analysis/power.ts';
import { type Duration, between, formatDuration, milliseconds, minutes } from '../../../../src/domain/duration.ts';
import { FEWEST_EXPECTED, expectedOf, flowWords } from '../../../../src/domain/shift/flow.ts';
import type { ShiftRecord } from '../../../../src/domain/shift/record.ts';
import { measured, windowBefore } from '../../../../src/engine/shift/measure.ts';
import type { Arm } from '../../../../src/ports/metric-provider.ts';
import type { Served } from '../decide/seen.ts';
import type { Acting } from './acting.ts';

/** What users asked of a color, and how it answered, over so long before now. */
const BASELINE = minutes(5);
const STEP_END = minutes(1);

/** At the end of a step: what each color got. A step without a request for the candidate is asked for as a whole, too. */
export async function askRequests(acting: Acting, signal: AbortSignal): Promise<void> {
  const { ports, memory } = acting;
  const { record } = memory;
  if (record === undefined) throw new TypeError('a step that ends has a record');
  const { percent } = record;
  const at = ports.clock.now();
  const look = { metric: 'requests', length: STEP_END } as const;
  const candidate = await answerOf({ ...look, arm: 'candidate' }, acting, signal);
  const stable = await answerOf({ ...look, arm: 'stable' }, acting, signal);
  if (candidate === 'unreachable' || stable === 'unreachable') return noteSilence(acting, { percent, at });
  const flow = { candidate: numberOf(candidate), stable: numberOf(stable) };
  const words = flowWords(flow, { color: record.candidate, percent });
  const lack = words?.level === 'warning' ? await lackOf(record, acting, signal) : undefined;
  if (lack === 'unreachable') return noteSilence(acting, { percent, at });
  const says = `${words?.says ?? ''}${lack?.adds ?? ''}`;
  memory.served = { kind: lack?.kind ?? (words === undefined ? 'unknown' : 'some'), percent, at, says };
  if (lack?.kind === 'none' || lack?.kind === 'unclear') {
    if (memory.unserved.has(percent)) return;
    memory.unserved.set(percent, says);
  } else memory.unserved.delete(percent);
  if (words === undefined) return;
  ports.log[lack?.kind === 'unknown' ? 'info' : words.level](says);
  memory.events.push({ at, says, percent });
}

interface Lack {
  readonly kind: 'some' | 'none' | 'unclear' | 'unknown';
  readonly adds: string;
}

/** What it means that the candidate got nothing in the last minute: few users may be silent so long, or be on stable for other reasons. */
async function lackOf(
  { percent, since }: ShiftRecord,
  acting: Acting,
  signal: AbortSignal,
): Promise<Lack | 'unreachable'> {
  const { metrics, clock, router } = acting.ports;
  const now = clock.now();
  const whole = { metric: 'requests', length: milliseconds(Math.max(STEP_END, between(since, now))) } as const;
  const got = await answerOf({ ...whole, arm: 'candidate' }, acting, signal);
  if (got === 'unreachable') return got;
  if ((numberOf(got) ?? 0) > 0) return { kind: 'some', adds: '' };
  const all = await answerOf({ ...whole, arm: 'stable' }, acting, signal);
  if (all === 'unreachable') return all;
  const { from, to } = windowBefore(metrics.providers['requests'] ?? {}, { now, length: whole.length });
  // A source with periods looks back from its last one: the candidate had its weight in a part of that time only.
  const seconds = (to - Math.max(from, since)) / 1_000;
  const expected = expectedOf({ stable: numberOf(all) ?? 0, percent, seconds });
  if (expected < FEWEST_EXPECTED)
    return {
      kind: 'unknown',
      adds: `; about ${Number(expected.toPrecision(1))} would have been its share so far, too few to tell`,
    };
  const lingers = await router.lingers(signal);
  if (lingers === 0) return { kind: 'none', adds: '' };
  return { kind: 'unclear', adds: `; clients are kept on their color for ${formatDuration(lingers)}` };
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
