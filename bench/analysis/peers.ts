import type { Rule, Step } from './rollout.ts';
import type { World } from './world.ts';

// Decision rules of others, re-modelled from their documents; no line of their code is here.
const TICK = 60;
const ROLL_BACK: Step = { kind: 'roll-back' };

type Check = 'good' | 'bad' | 'absent' | 'outage';

/** One check over the last minute: error rate against 5 % and p95 against 2 s, or the plain difference from stable. */
function check(world: World, against: 'limit' | 'stable'): Check {
  const seen = world.look('candidate', TICK);
  if (seen.kind !== 'counts') return seen.kind;
  if (world.slower('candidate', TICK, 2_000) > 0.05) return 'bad';
  const rate = seen.errors / seen.requests;
  if (against === 'limit') return rate > 0.05 ? 'bad' : 'good';
  const stable = world.look('stable', TICK);
  // Without stable there is nothing to compare with: the query is a NaN.
  if (stable.kind !== 'counts') return stable.kind;
  return rate - stable.errors / stable.requests > 0.001 ? 'bad' : 'good';
}

/**
 * Flagger: one tick a minute is one check and one step of 10 up to 50; a failed check (an absent value and an outage are
 * ones) halts the advance; at `threshold` of them in all the next tick takes the traffic back.
 */
export const flagger = (threshold: number, against: 'limit' | 'stable'): Rule => ({
  name: `Flagger, threshold ${threshold}, ${against === 'limit' ? 'success >= 95 %' : 'difference > 0.1 pp'}`,
  start(world) {
    let [failed, percent] = [0, 10];
    return {
      next() {
        const { second } = world;
        if (second === 0 || second % TICK !== 0) return { kind: 'serve', percent };
        if (failed >= threshold) return ROLL_BACK;
        if (percent === 100) return { kind: 'promote', certainty: 'sure' };
        if (check(world, against) !== 'good') failed += 1;
        else percent = percent >= 50 ? 100 : percent + 10;
        return { kind: 'serve', percent };
      },
    };
  },
});

/** 5 min at 10 %, 5 min at 50 %, then all and a minute more. */
const weightAt = (second: number): number => (second < 300 ? 10 : second < 600 ? 50 : 100);
const STEPS_END = 660;

/**
 * Argo Rollouts: a background analysis each minute beside the steps; more than `limit` failures abort, and so do five
 * errors in a row, ten seconds apart. With a failureCondition alone, a NaN is a success.
 */
export const argo = (limit: number, against: 'limit' | 'stable'): Rule => ({
  name: `Argo Rollouts, failureLimit ${limit}, ${against === 'limit' ? 'errors > 5 %' : 'difference > 0.1 pp'}`,
  start(world) {
    let [failed, errors, next, measured] = [0, 0, TICK, 0];
    return {
      next() {
        const { second } = world;
        if (second >= STEPS_END) return { kind: 'promote', certainty: measured > 0 ? 'sure' : 'blind' };
        if (second >= next) {
          const found = check(world, against);
          errors = found === 'outage' ? errors + 1 : 0;
          next = second + (found === 'outage' ? 10 : TICK);
          if (found === 'bad') failed += 1;
          if (found === 'bad' || found === 'good') measured += 1;
          if (failed > limit || errors >= 5) return ROLL_BACK;
        }
        return { kind: 'serve', percent: weightAt(second) };
      },
    };
  },
});

/** ECS with a deployment alarm: two of two minutes beyond the limit; a minute without data is not breaching. */
export const ecsAlarm: Rule = {
  name: 'ECS deployment alarm, 2 of 2',
  start(world) {
    let [row, measured] = [0, 0];
    return {
      next() {
        const { second } = world;
        if (second >= STEPS_END) return { kind: 'promote', certainty: measured > 0 ? 'sure' : 'blind' };
        if (second > 0 && second % TICK === 0) {
          const found = check(world, 'limit');
          row = found === 'bad' ? row + 1 : found === 'good' ? 0 : row;
          if (found === 'bad' || found === 'good') measured += 1;
          if (row >= 2) return ROLL_BACK;
        }
        return { kind: 'serve', percent: weightAt(second) };
      },
    };
  },
};

const POINT = 15;

/**
 * Kayenta: at the end of each step, Mann-Whitney at 98 % over the points of the step (error rate and p95), with a
 * tolerance of a quarter of its own estimate; half of the points absent fails the step.
 */
export const kayenta: Rule = {
  name: 'Kayenta, Mann-Whitney 98 % per step',
  start(world) {
    let points: { readonly errors: Pairs; readonly times: Pairs; absent: number } = emptyPoints();
    return {
      next() {
        const { second } = world;
        if (second > 0 && second % POINT === 0) addPoint(world, points);
        if (second > 0 && second % 300 === 0 && second <= 600) {
          const lost = points.absent >= 10;
          if (lost || isHigh(points.errors) || isHigh(points.times)) return ROLL_BACK;
          points = emptyPoints();
        }
        if (second >= STEPS_END) return { kind: 'promote', certainty: 'sure' };
        return { kind: 'serve', percent: weightAt(second) };
      },
    };
  },
};

interface Pairs {
  readonly candidate: number[];
  readonly stable: number[];
}
const emptyPoints = () => ({
  errors: { candidate: [], stable: [] } as Pairs,
  times: { candidate: [], stable: [] } as Pairs,
  absent: 0,
});

function addPoint(world: World, points: ReturnType<typeof emptyPoints>): void {
  for (const arm of ['candidate', 'stable'] as const) {
    const seen = world.look(arm, POINT);
    if (seen.kind !== 'counts') {
      if (arm === 'candidate') points.absent += 1;
      continue;
    }
    points.errors[arm].push(seen.errors / seen.requests);
    points.times[arm].push(world.p95(arm, POINT));
  }
}

/** The lower end of the confidence interval of the shift is beyond a quarter of its estimate (Hodges and Lehmann). */
function isHigh({ candidate, stable }: Pairs): boolean {
  const [m, n] = [candidate.length, stable.length];
  if (m < 3 || n < 3) return false;
  const shifts = candidate.flatMap((a) => stable.map((b) => a - b)).sort((a, b) => a - b);
  const estimate = shifts[Math.floor(shifts.length / 2)] ?? 0;
  const lower = Math.max(0, Math.floor((m * n) / 2 - 2.326 * Math.sqrt((m * n * (m + n + 1)) / 12)));
  return (shifts[lower] ?? 0) > Math.abs(estimate) * 0.25 && estimate > 0;
}
