import { type Duration, type Instant, between, formatDuration, milliseconds } from '../duration.ts';
import type { Policy } from '../policy/policy.ts';
import type { Rule, StreakRule, ThresholdRule } from '../policy/rule.ts';
import { unreachable } from '../unreachable.ts';
import { standingOfComparison } from './comparison.ts';
import { replayHold } from './hold.ts';
import { type Drop, dropOf, isShared } from './drop.ts';
import { type Point, type Timeline, isDecided, pointsOf, slotSamples, slotsOf } from './point.ts';
import { type Sample, stableSeriesOf } from './sample.ts';
import { silenceOf } from './silence.ts';
import type { Standing } from './standing.ts';
import { replayStreak } from './streak.ts';
import { beyondLimit, formatMeasured } from './words.ts';

export type { Standing };

export interface Finding {
  readonly rule: Rule;
  readonly standing: Standing;
  readonly last: Point | undefined;
}

/** The verdict of all `fail` rules together, worst first: failed, pending, blind, inconclusive, passing. */
export interface Judgement {
  readonly verdict: Standing;
  readonly findings: readonly Finding[];
  /** Rules of level `warn` that failed at some time. */
  readonly warnings: readonly string[];
}

export interface Evidence {
  readonly samples: readonly Sample[];
  /** When the candidate got its first traffic. */
  readonly begin: Instant;
  /** When the judged time that is to be concluded began: points before it do not make it conclusive. */
  readonly since: Instant;
}

type Rules = Pick<Policy, 'rules' | 'interval' | 'onNoData' | 'noDataTimeout'>;

/**
 * PURE: the same samples give the same judgement, whoever asks and when, so a resumed run that reads them again judges
 * as the first one did. Holds and rows of failures run over all samples; only what is inconclusive looks at the step.
 */
export function judge(policy: Rules, evidence: Evidence): Judgement {
  const timeline = { series: bySeries(evidence.samples), begin: evidence.begin, interval: policy.interval };
  const findings = policy.rules.map((rule) => find(rule, { policy, evidence, timeline }));
  const counted = findings.filter((finding) => finding.rule.level === 'fail').map((finding) => finding.standing);
  const warned = findings.filter((finding) => finding.rule.level === 'warn').map((finding) => finding.standing);
  return {
    verdict: counted.reduce(worse, { kind: 'passing' }),
    findings,
    warnings: warned.flatMap((standing) => (standing.kind === 'failed' ? [standing.says] : [])),
  };
}

const SEVERITY = [
  'passing',
  'inconclusive',
  'blind',
  'pending',
  'failed',
] as const satisfies readonly Standing['kind'][];

/** Of two failures the earlier one is the reason. */
function worse(a: Standing, b: Standing): Standing {
  if (a.kind === 'failed' && b.kind === 'failed') return b.at < a.at ? b : a;
  return SEVERITY.indexOf(b.kind) > SEVERITY.indexOf(a.kind) ? b : a;
}

function bySeries(samples: readonly Sample[]): ReadonlyMap<string, readonly Sample[]> {
  const series = new Map<string, Sample[]>();
  for (const sample of samples) {
    const known = series.get(sample.series);
    if (known === undefined) series.set(sample.series, [sample]);
    else known.push(sample);
  }
  return series;
}

interface Context {
  readonly policy: Rules;
  readonly evidence: Evidence;
  readonly timeline: Timeline;
}

function find(rule: Rule, context: Context): Finding {
  const { evidence, timeline } = context;
  const points = pointsOf(rule, timeline);
  const seen: Seen = { rule, points, last: points.at(-1) };
  const doubt = doubtOf(seen, timeline);
  const standings = [doubt, standingOfSilence(seen, context), doubt ? undefined : standingOfProof(seen, evidence)];
  const standing = standings.reduce<Standing>((worst, each) => (each ? worse(worst, each) : worst), {
    kind: 'passing',
  });
  return { rule, last: seen.last, standing };
}

/** undefined: nothing is open and nothing failed. */
function doubtOf({ rule, points }: Seen, timeline: Timeline): Standing | undefined {
  switch (rule.kind) {
    case 'threshold':
      return standingOfHold(rule, points, timeline);
    case 'streak':
      return standingOfStreak(rule, points);
    case 'comparison':
      return standingOfComparison(rule, timeline);
    default:
      return unreachable(rule);
  }
}

interface Seen {
  readonly rule: Rule;
  readonly points: readonly Point[];
  readonly last: Point | undefined;
}

function standingOfHold(rule: ThresholdRule, points: readonly Point[], timeline: Timeline): Standing | undefined {
  const hold = replayHold(rule, { points, slots: slotsOf(rule, 'candidate', timeline) });
  switch (hold.kind) {
    case 'none':
      return undefined;
    case 'open':
      return {
        kind: 'pending',
        says: `${beyondLimit(rule, hold.last, { held: hold.held })}, fails at ${formatDuration(rule.hold)}`,
      };
    case 'shared':
      return { kind: 'pending', says: sharedWords(rule, hold.point) };
    case 'uncertain':
      return {
        kind: 'inconclusive',
        says: `${rule.text}: in doubt, but ${formatDuration(hold.undecided)} of it without a measurement`,
      };
    case 'failed':
      return {
        kind: 'failed',
        at: hold.at,
        says: beyondLimit(rule, hold.point, hold.excess ? { excess: hold.excess } : heldFor(rule)),
      };
    default:
      return unreachable(hold);
  }
}

const heldFor = (rule: ThresholdRule): { readonly held?: Duration } => (rule.hold > 0 ? { held: rule.hold } : {});

/** An incident that both have: the weight stays as it is, because going back would not mend it. */
const sharedWords = (rule: ThresholdRule, point: Point): string =>
  `${beyondLimit(rule, point)}, but stable breaks it too (${formatMeasured(point.stable ?? 0, rule.limit.unit)}): not held against the candidate`;

function standingOfStreak(rule: StreakRule, points: readonly Point[]): Standing | undefined {
  const streak = replayStreak(rule, points);
  switch (streak.kind) {
    case 'none':
      return points.at(-1)?.outcome === 'inconclusive'
        ? { kind: 'pending', says: `${rule.metric} failed, but stable's too: not held against the candidate` }
        : undefined;
    case 'open':
      return { kind: 'pending', says: `${rule.metric} failed ${streak.count} in a row, fails at ${rule.times}` };
    case 'failed':
      return { kind: 'failed', at: streak.at, says: `${rule.metric} failed ${rule.times} in a row` };
    default:
      return unreachable(streak);
  }
}

/** undefined: the source answers and shows requests, as many as before. */
function standingOfSilence({ rule, points, last }: Seen, context: Context): Standing | undefined {
  const { policy, evidence } = context;
  const drop = ownDrop(rule, context);
  const dropped = drop === undefined ? 0 : between(drop.since, drop.to);
  const silent = milliseconds(Math.max(silenceOf(points), dropped));
  const what = drop === undefined ? 'no data' : `next to no requests (${fallWords(drop)})`;
  if (silent >= policy.noDataTimeout) {
    const says = `${rule.metric}: ${what} for ${formatDuration(silent)}`;
    const limit = ` (limit ${formatDuration(policy.noDataTimeout)})`;
    if (policy.onNoData === 'rollback') return { kind: 'failed', at: last?.at ?? evidence.since, says: says + limit };
    return { kind: policy.onNoData === 'hold' ? 'blind' : 'inconclusive', says };
  }
  if (last?.outcome === 'error')
    return { kind: 'blind', says: `${rule.metric}: the source does not answer: ${last.error ?? ''}` };
  if (drop !== undefined) return { kind: 'blind', says: `${rule.metric}: ${what}` };
  return last !== undefined && last.samples === 0 ? { kind: 'blind', says: `${rule.metric}: no data yet` } : undefined;
}

/** undefined: as many requests as before, or stable has fewer, too. */
function ownDrop(rule: Rule, { policy, timeline }: Pick<Context, 'policy' | 'timeline'>): Drop | undefined {
  const samples = slotSamples(rule, 'candidate', timeline);
  const drop = dropOf({ samples, interval: policy.interval, timeout: policy.noDataTimeout });
  const beside = stableSeriesOf(rule, timeline.interval);
  const stable = beside === undefined ? slotSamples(rule, 'stable', timeline) : timeline.series.get(beside.key);
  return drop === undefined || isShared(drop, stable ?? []) ? undefined : drop;
}

const fallWords = ({ requests, within, usual }: Drop): string =>
  `${Math.round(requests)} in ${formatDuration(within)}, ${Math.round(usual)} before that`;

/** Nothing speaks against the release; whether anything measured in this step speaks for it is asked here. */
function standingOfProof({ rule, points, last }: Seen, { since }: Evidence): Standing {
  if (points.some((point) => point.to > since && isDecided(point))) return { kind: 'passing' };
  return { kind: 'inconclusive', says: tooFew(rule, last) };
}

function tooFew(rule: Rule, last: Point | undefined): string {
  if (last === undefined || rule.kind !== 'threshold') return `${rule.metric}: not measured`;
  return `${rule.metric}: ${last.samples} requests, ${rule.minSamples} needed`;
}
