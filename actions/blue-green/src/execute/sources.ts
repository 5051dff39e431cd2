import { type Instant, minutes, seconds } from '../../../../src/domain/duration.ts';
import { messageOf } from '../../../../src/domain/failure.ts';
import { measured, windowBefore } from '../../../../src/engine/shift/measure.ts';
import type { MetricProvider } from '../../../../src/ports/metric-provider.ts';
import type { Result } from '../decide/seen.ts';
import type { Ports } from './acting.ts';
import { type Fenced, beating } from './beat.ts';

/** One answer that got lost is no outage. */
const ASKED = 3;
const PAUSE = seconds(5);
const LOOK = minutes(1);

/** Asks what the rules that fail are measured by, once before anybody is sent to the candidate: a source that was never there would be found by users. */
export async function askSources(acting: Fenced, signal: AbortSignal): Promise<void> {
  const { ports, release, memory } = acting;
  const rules = release.goal.policy.rules.filter(({ level }) => level === 'fail');
  memory.sources = await beating(acting, signal, async (inner): Promise<Result> => {
    const silent: string[] = [];
    for (const metric of new Set(rules.map((rule) => rule.metric))) {
      const why = await whySilent(metric, ports, inner);
      if (why !== undefined) silent.push(`${metric}: the source does not answer (${why})`);
    }
    return silent.length === 0 ? { kind: 'good' } : { kind: 'bad', why: silent.join('; ') };
  });
}

async function whySilent(metric: string, { metrics, clock }: Ports, signal: AbortSignal): Promise<string | undefined> {
  const provider = metrics.providers[metric];
  if (provider === undefined) return 'there is none';
  for (let asked = 1; ; asked++) {
    const why = await faultOf({ provider, metric, now: clock.now() }, signal);
    if (why === undefined || asked === ASKED) return why;
    await clock.sleep(PAUSE, signal);
  }
}

interface Asked {
  readonly provider: MetricProvider;
  readonly metric: string;
  readonly now: Instant;
}

/** Some know a color only when it has traffic and call it unknown until then: one that answers for stable is there. */
async function faultOf({ provider, metric, now }: Asked, signal: AbortSignal): Promise<string | undefined> {
  const window = windowBefore(provider, { now, length: LOOK });
  const candidate = await measured(provider, { query: { metric, arm: 'candidate' }, window }, signal);
  if (candidate.kind !== 'unreachable') return undefined;
  const stable = await measured(provider, { query: { metric, arm: 'stable' }, window }, signal);
  return stable.kind === 'value' ? undefined : messageOf(candidate.cause);
}
