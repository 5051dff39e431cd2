import { counted } from '../../domain/counted.ts';
import { type Judgement, judge } from '../../domain/analysis/judge.ts';
import { type Sample, allSeries } from '../../domain/analysis/sample.ts';
import { lastValue } from '../../domain/analysis/words.ts';
import { type Duration, type Instant, after, between, formatDuration } from '../../domain/duration.ts';
import type { Policy } from '../../domain/policy/policy.ts';
import { unreachable } from '../../domain/unreachable.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { MetricProvider } from '../../ports/metric-provider.ts';
import { measureAll } from '../shift/measure.ts';
import type { Verification } from './verification.ts';

/** Rules for a revision that is steady. */
export interface SteadyRules {
  readonly policy: Policy;
  /** Judged time. */
  readonly length: Duration;
  readonly metrics: {
    readonly providers: Readonly<Record<string, MetricProvider>>;
    run(signal: AbortSignal): Promise<void>;
  };
}

/**
 * Measures on the policy's grid for `length`; the first failed rule ends it. What is in doubt at the end is judged for as
 * long again, and what is unknown then goes as the policy says, never as good by itself.
 */
export async function judgeSteady(
  rules: SteadyRules,
  tools: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<Verification> {
  const stop = new AbortController();
  const sources = rules.metrics.run(AbortSignal.any([signal, stop.signal]));
  try {
    return await measure(rules, tools, signal);
  } finally {
    stop.abort();
    await sources;
  }
}

async function measure(
  { policy, length, metrics }: SteadyRules,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<Verification> {
  log.info(`Judging by ${counted(policy.rules.length, 'rule')} for ${formatDuration(length)}`);
  const begin = clock.now();
  const samples: Sample[] = [];
  const series = allSeries(policy);
  for (let at: Instant = after(begin, policy.interval); ; at = after(at, policy.interval)) {
    await clock.sleep(between(clock.now(), at), signal);
    samples.push(...(await measureAll(series, { providers: metrics.providers, at, begin }, signal)));
    const judged = judge(policy, { samples, begin, since: begin });
    const ended = verdictAt(judged, policy, { passed: between(begin, at), length });
    if (ended === undefined) continue;
    for (const { rule, last } of judged.findings) log.info(`Rule ${rule.text}: ${lastValue(rule, last)}`);
    for (const warning of judged.warnings) log.warning(warning);
    return ended;
  }
}

interface Time {
  readonly passed: Duration;
  readonly length: Duration;
}

/** PURE. undefined: it goes on. */
function verdictAt(
  { verdict, findings }: Judgement,
  policy: Policy,
  { passed, length }: Time,
): Verification | undefined {
  const bad = (reason: string): Verification => ({
    kind: 'bad',
    reason,
    lines: findings.flatMap(({ rule, standing }) =>
      standing.kind === 'passing' ? [] : [`Rule ${rule.text}: ${standing.says}`],
    ),
  });
  const over = passed >= length;
  const late = passed >= 2 * length;
  switch (verdict.kind) {
    case 'failed':
      return bad(`a rule failed after the deployment: ${verdict.says}`);
    case 'passing':
      return over ? { kind: 'good' } : undefined;
    case 'inconclusive':
      if (!over) return undefined;
      if (policy.onInconclusive === 'continue') return { kind: 'good' };
      return late ? bad(`the rules came to no conclusion: ${verdict.says}`) : undefined;
    case 'pending':
      return late ? bad(`the rules came to no conclusion: ${verdict.says}`) : undefined;
    case 'blind':
      if (!late) return undefined;
      return policy.onNoData === 'continue' ? { kind: 'good' } : bad(`nothing could be measured: ${verdict.says}`);
    default:
      return unreachable(verdict);
  }
}
