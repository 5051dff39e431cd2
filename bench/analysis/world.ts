import { type Chance, beyondNormal, binomial, chanceOf, normal, poisson } from './chance.ts';

export type Arm = 'stable' | 'candidate';

/** What the candidate, or both, do at a second of the rollout. Seconds count from the first traffic of the candidate. */
export interface Fault {
  readonly name: string;
  readonly kind: 'good' | 'bad' | 'blind';
  errors(at: Moment): number;
  /** Factor on every response time. */
  slowness(at: Moment): number;
  /** Share of the requests that are ever counted: one without an answer is an error of its user's, and no line of any log. */
  counted(at: Moment): number;
  /** Whether the metrics answer, and whether they have a series of this color. */
  metrics(at: Moment): 'there' | 'outage' | 'absent';
}

export interface Moment {
  readonly arm: Arm;
  readonly second: number;
  readonly percent: number;
  /** Seconds since the candidate has all the traffic; negative before. */
  readonly full: number;
  /** When the fault begins. */
  readonly onset: number;
}

export const BASE_ERRORS = 0.005;
/** Lognormal response times with a p95 of 900 ms. */
const SIGMA = 0.8;
export const BASE_P95 = 900;
const Z95 = 1.644_853_6;
/** What can be seen is so many seconds old. */
export const LAG = 15;

export interface Counts {
  requests: number;
  errors: number;
}

/** One rollout: requests are drawn second by second, as the weights of the rule that is tried make them. */
export interface World {
  readonly chance: Chance;
  readonly onset: number;
  /** Serves one second at this weight. */
  serve(percent: number): void;
  readonly second: number;
  /** What the metrics show at this second of the last `length` seconds, `LAG` behind. */
  look(arm: Arm, length: number): Look;
  /** Share of requests of that look that took longer than so many ms; drawn from the same distribution. */
  slower(arm: Arm, length: number, limit: number): number;
  /** p95 of that look in ms. */
  p95(arm: Arm, length: number): number;
  /** Requests of the candidate that failed because of the fault, until now. */
  readonly failed: number;
}

export type Look =
  | { readonly kind: 'counts'; readonly requests: number; readonly errors: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'outage' };

interface Bin extends Counts {
  readonly slowness: number;
}

export function worldOf(fault: Fault, rps: number, seed: number): World {
  const chance = chanceOf(seed);
  const onset = 60 + Math.floor(chance() * 60);
  const bins: Record<Arm, Bin[]> = { stable: [], candidate: [] };
  const percents: number[] = [];
  let [fullSince, failed] = [Infinity, 0];
  const momentOf = (arm: Arm, second: number): Moment => ({
    arm,
    second,
    percent: percents[second] ?? 0,
    full: second - fullSince,
    onset,
  });
  const seen = (arm: Arm, length: number): readonly Bin[] => {
    const end = Math.max(0, percents.length - LAG);
    return bins[arm].slice(Math.max(0, end - length), end);
  };
  return {
    chance,
    onset,
    get second() {
      return percents.length;
    },
    get failed() {
      return failed;
    },
    serve(percent) {
      const second = percents.push(percent) - 1;
      if (percent === 100 && fullSince === Infinity) fullSince = second;
      for (const arm of ['stable', 'candidate'] as const) {
        const moment = momentOf(arm, second);
        const requests = poisson((rps * (arm === 'candidate' ? percent : 100 - percent)) / 100, chance);
        const rate = fault.errors(moment);
        const errors = binomial(requests, rate, chance);
        const counted = binomial(requests, fault.counted(moment), chance);
        const share = requests === 0 ? 0 : counted / requests;
        bins[arm].push({ requests: counted, errors: Math.round(errors * share), slowness: fault.slowness(moment) });
        if (arm === 'candidate' && fault.kind === 'bad')
          failed += Math.max(0, errors - BASE_ERRORS * requests) + (requests - counted);
      }
    },
    look(arm, length) {
      const state = fault.metrics(momentOf(arm, percents.length - 1));
      if (state !== 'there') return { kind: state };
      const found = seen(arm, length);
      const requests = found.reduce((sum, bin) => sum + bin.requests, 0);
      const errors = found.reduce((sum, bin) => sum + bin.errors, 0);
      return requests === 0 ? { kind: 'absent' } : { kind: 'counts', requests, errors };
    },
    slower(arm, length, limit) {
      const found = seen(arm, length);
      const requests = found.reduce((sum, bin) => sum + bin.requests, 0);
      const slow = found.reduce((sum, bin) => sum + binomial(bin.requests, shareAbove(limit, bin.slowness), chance), 0);
      return requests === 0 ? 0 : slow / requests;
    },
    p95(arm, length) {
      const found = seen(arm, length);
      const requests = found.reduce((sum, bin) => sum + bin.requests, 0);
      const slowness = found.reduce((sum, bin) => sum + bin.slowness * bin.requests, 0) / Math.max(1, requests);
      // Standard error of a quantile: sqrt(p(1-p)/n) / density; on the logarithm that is SIGMA / density(Z95) of it.
      const spread = (SIGMA * Math.sqrt((0.05 * 0.95) / Math.max(1, requests))) / 0.103_136;
      return BASE_P95 * slowness * Math.exp(spread * normal(chance));
    },
  };
}

const shareAbove = (limit: number, slowness: number): number =>
  beyondNormal(Math.log(limit / (BASE_P95 * slowness)) / SIGMA + Z95);
