import { type Judgement, judge } from '../../src/domain/analysis/judge.ts';
import {
  type Reading,
  type Sample,
  type Series,
  type Share,
  allSeries,
  withShare,
} from '../../src/domain/analysis/sample.ts';
import { instant } from '../../src/domain/duration.ts';
import { parsePolicy } from '../../src/domain/policy/parse-policy.ts';
import type { Policy } from '../../src/domain/policy/policy.ts';
import type { Rule, Step } from './rollout.ts';
import { type World, LAG } from './world.ts';

const COLOR = 'color="{color}"';

/** The rules of the reference systems, from a source that counts. */
export const POLICY: Policy = policyOf([
  'error-rate > 5% for 2m',
  'p95 > 2000ms for 5m',
  'error-rate > stable + 0.1pp',
  'p95 > stable + 200ms',
]);

function policyOf(rules: readonly string[]): Policy {
  const url = 'http://prometheus';
  const read = parsePolicy({
    rules,
    metrics: {
      'error-rate': { from: 'prometheus', url, bad: `errors{${COLOR}}`, total: `requests{${COLOR}}` },
      p95: { from: 'prometheus', url, histogram: `seconds_bucket{${COLOR}}` },
    },
  });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
}

/** The judge of this project, with the policy's own grid, steps, recheck and decisions; only the clock is played. */
export const sluice: Rule = {
  name: 'Sluice',
  start(world) {
    const samples: Sample[] = [];
    const shares: Share[] = [{ since: instant(0), percent: POLICY.steps[0] ?? 100 }];
    const interval = POLICY.interval / 1_000;
    let [step, since] = [0, 0];
    let judgement: Judgement | undefined;
    return {
      next(): Step {
        const { second } = world;
        if (second > 0 && second % interval === 0) {
          samples.push(...samplesAt(world).map((sample) => withShare(sample, shares)));
          judgement = judge(POLICY, { samples, begin: instant(0), since: instant(since * 1_000) });
          const { verdict } = judgement;
          if (verdict.kind === 'failed') return { kind: 'roll-back', because: verdict.says };
        }
        const percent = POLICY.steps[step] ?? 100;
        if (second - since >= lengthOf(step) && judgement !== undefined && mayGoOn(judgement)) {
          if (step === POLICY.steps.length - 1 + (POLICY.recheck ? 1 : 0))
            return { kind: 'promote', certainty: judgement.verdict.kind === 'passing' ? 'sure' : 'inconclusive' };
          step += 1;
          since = second;
          shares.push({ since: instant(since * 1_000), percent: POLICY.steps[step] ?? 100 });
        }
        return { kind: 'serve', percent };
      },
    };
  },
};

const mayGoOn = ({ verdict }: Judgement): boolean =>
  verdict.kind === 'passing' || (verdict.kind === 'inconclusive' && POLICY.onInconclusive === 'continue');

function lengthOf(step: number): number {
  const recheck = POLICY.recheck;
  const length = step < POLICY.steps.length ? POLICY.bake : (recheck?.after ?? 0) + (recheck?.for ?? 0);
  return length / 1_000;
}

function samplesAt(world: World): readonly Sample[] {
  const readings = new Map<string, Reading>();
  return allSeries(POLICY).map((series) => {
    const reading = readingOf(world, series, readings);
    readings.set(series.key, reading);
    const at = instant(world.second * 1_000);
    return { series: series.key, at, window: series.window, reading };
  });
}

function readingOf(world: World, series: Series, earlier: ReadonlyMap<string, Reading>): Reading {
  // As long as nothing of the candidate can be old enough to be seen, the scrape has no two samples of it.
  if (world.second <= LAG) return { kind: 'not-yet' };
  let length = series.window / 1_000;
  let seen = world.look(series.arm, length);
  for (let doubling = 0; doubling < 4 && seen.kind === 'counts' && seen.requests < series.minSamples; doubling++)
    seen = world.look(series.arm, (length *= 2));
  if (seen.kind === 'outage') return { kind: 'error', message: 'connection refused' };
  if (seen.kind === 'absent') return { kind: 'no-data' };
  if (series.metric === 'error-rate')
    return { kind: 'value', value: seen.errors / seen.requests, samples: seen.requests };
  const limit = limitOf(series, earlier);
  const slower = limit === undefined ? {} : { slower: world.slower(series.arm, length, limit) };
  return { kind: 'value', value: world.p95(series.arm, length), samples: seen.requests, ...slower };
}

function limitOf({ above }: Series, earlier: ReadonlyMap<string, Reading>): number | undefined {
  if (above === undefined || typeof above === 'number') return above;
  const stable = earlier.get(above.series);
  return stable?.kind === 'value' ? stable.value + above.plus : undefined;
}
