import { formatDuration } from '../duration.ts';
import { shareBeyond } from '../policy/metric.ts';
import type { Policy } from '../policy/policy.ts';
import type { ComparisonRule } from '../policy/rule.ts';
import { testOf, wordsOfTime } from './comparison.ts';
import { requestsFor, sizeSeen } from './difference.ts';
import { formatMeasured, signedPoints } from './words.ts';

/** What stable has before anything is shifted. */
export interface Baseline {
  readonly requestsPerSecond: number;
  /** A fraction. */
  readonly errorRate: number;
}

/**
 * PURE: what a policy can see with these requests, a line for each rule that needs many: which difference from stable shows
 * by the end of each step, and how long the wished margin would take; which rates have too few requests to be believed.
 */
export function powerWords(policy: Policy, baseline: Baseline): readonly string[] {
  const { requestsPerSecond, errorRate } = baseline;
  const from = `at ${Number(requestsPerSecond.toPrecision(3))} requests/s and ${formatMeasured(errorRate, '%')} errors`;
  return policy.rules.flatMap((rule): readonly string[] => {
    if (rule.kind === 'comparison') return [`${rule.text}: ${from}, ${stepWords(rule, policy, baseline)}`];
    if (rule.kind === 'streak' || policy.metrics[rule.metric]?.from === 'probe') return [];
    const [first = 100] = policy.steps;
    const needed = rule.minSamples / ((requestsPerSecond * first) / 100);
    if (needed <= rule.window / 1_000) return [];
    return [`${rule.text}: ${from}, ${first} % needs ${wordsOfTime(needed * 1_000)} for ${rule.minSamples} requests`];
  });
}

/** `10 % sees +0.83 pp in 5m, ...; +0.1pp takes about 3h at 50 %` */
function stepWords(rule: ComparisonRule, { steps, bake }: Policy, { requestsPerSecond, errorRate }: Baseline): string {
  const test = testOf(rule);
  const rate = shareBeyond(rule.metric) ?? errorRate;
  const shared = steps.filter((percent) => percent < 100);
  const sees = shared.map((percent) => {
    const requests = (requestsPerSecond * percent * bake) / 100_000;
    const ratio = (100 - percent) / percent;
    const size = requests >= 1 ? Math.min(1, test.margin + sizeSeen(requests, { ...test, rate, ratio })) : 1;
    return `${percent} % sees ${signedPoints(size)} in ${formatDuration(bake)}`;
  });
  const best = shared.reduce((a, b) => (Math.abs(b - 50) < Math.abs(a - 50) ? b : a), shared[0] ?? 100);
  const margin = test.factor === 1 ? test.margin : Math.abs(test.factor - 1) * rate;
  if (!(margin > 0)) return sees.join(', ');
  // Certainty that it is kept is what takes so long.
  const needed = requestsFor(margin, { alpha: test.beta, tau: test.tau, rate, ratio: (100 - best) / best });
  const takes =
    needed === undefined ? 'is never certain' : `takes about ${timeFor(needed, requestsPerSecond * best)} at ${best} %`;
  return `${sees.join(', ')}; ${rule.margin.text.replace(/^stable ?/, '')} ${takes}`;
}

const timeFor = (requests: number, hundredthsPerSecond: number): string =>
  wordsOfTime((requests / (hundredthsPerSecond / 100)) * 1_000);
