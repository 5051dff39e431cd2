import { type Duration, type Instant, formatDuration } from '../duration.ts';
import type { Policy } from '../policy/policy.ts';
import type { Rule, StreakRule, ThresholdRule } from '../policy/rule.ts';
import { unreachable } from '../unreachable.ts';
import { replayHold } from './hold.ts';
import { type Point, isDecided, pointsOf } from './point.ts';
import type { Sample } from './sample.ts';
import { silenceOf } from './silence.ts';
import { replayStreak } from './streak.ts';
import { beyondLimit } from './words.ts';

/** Where one rule stands; `says` is a clause with the numbers behind it. */
export type Standing =
  | { readonly kind: 'passing' }
  /** In doubt: the next points decide, so nothing is promoted meanwhile. */
  | { readonly kind: 'pending'; readonly says: string }
  /** The source does not answer, or shows no requests yet: nobody knows. */
  | { readonly kind: 'blind'; readonly says: string }
  /** Nothing decided it since the step began. */
  | { readonly kind: 'inconclusive'; readonly says: string }
  | { readonly kind: 'failed'; readonly says: string; readonly at: Instant };

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
  const findings = policy.rules.map((rule) => find(rule, policy, evidence));
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

function find(rule: Rule, policy: Rules, evidence: Evidence): Finding {
  const points = pointsOf(rule, { samples: evidence.samples, begin: evidence.begin, interval: policy.interval });
  const seen: Seen = { rule, points, last: points.at(-1) };
  const doubt = rule.kind === 'threshold' ? standingOfHold(rule, points) : standingOfStreak(rule, points);
  const standings = [
    doubt,
    standingOfSilence(seen, policy, evidence),
    doubt ? undefined : standingOfProof(seen, evidence),
  ];
  const standing = standings.reduce<Standing>((worst, each) => (each ? worse(worst, each) : worst), {
    kind: 'passing',
  });
  return { rule, last: seen.last, standing };
}

interface Seen {
  readonly rule: Rule;
  readonly points: readonly Point[];
  readonly last: Point | undefined;
}

/** undefined: nothing is open and nothing failed. */
function standingOfHold(rule: ThresholdRule, points: readonly Point[]): Standing | undefined {
  const hold = replayHold(rule, points);
  switch (hold.kind) {
    case 'none':
      return undefined;
    case 'open':
      return {
        kind: 'pending',
        says: `${beyondLimit(rule, hold.last, { held: hold.held })}, fails at ${formatDuration(rule.hold)}`,
      };
    case 'uncertain':
      return {
        kind: 'inconclusive',
        says: `${rule.text}: in doubt, but ${formatDuration(hold.undecided)} of it without a measurement`,
      };
    case 'failed':
      return {
        kind: 'failed',
        at: hold.at,
        says: beyondLimit(rule, hold.point, { ...heldFor(rule, hold.bound), bound: hold.bound }),
      };
    default:
      return unreachable(hold);
  }
}

const heldFor = (rule: ThresholdRule, bound: number | undefined): { readonly held?: Duration } =>
  rule.hold > 0 && bound === undefined ? { held: rule.hold } : {};

function standingOfStreak(rule: StreakRule, points: readonly Point[]): Standing | undefined {
  const streak = replayStreak(rule, points);
  switch (streak.kind) {
    case 'none':
      return undefined;
    case 'open':
      return { kind: 'pending', says: `${rule.metric} failed ${streak.count} in a row, fails at ${rule.times}` };
    case 'failed':
      return { kind: 'failed', at: streak.at, says: `${rule.metric} failed ${rule.times} in a row` };
    default:
      return unreachable(streak);
  }
}

/** undefined: the source answers and shows requests. */
function standingOfSilence({ rule, points, last }: Seen, policy: Rules, { since }: Evidence): Standing | undefined {
  const silent = silenceOf(points);
  if (silent >= policy.noDataTimeout) {
    const says = `${rule.metric}: no data for ${formatDuration(silent)}`;
    const limit = ` (limit ${formatDuration(policy.noDataTimeout)})`;
    if (policy.onNoData === 'rollback') return { kind: 'failed', at: last?.at ?? since, says: says + limit };
    return { kind: policy.onNoData === 'hold' ? 'blind' : 'inconclusive', says };
  }
  if (last?.outcome === 'error')
    return { kind: 'blind', says: `${rule.metric}: the source does not answer: ${last.error ?? ''}` };
  return last !== undefined && last.samples === 0 ? { kind: 'blind', says: `${rule.metric}: no data yet` } : undefined;
}

/** Nothing speaks against the release; whether anything measured in this step speaks for it is asked here. */
function standingOfProof({ rule, points, last }: Seen, { since }: Evidence): Standing {
  if (points.some((point) => point.at > since && isDecided(point))) return { kind: 'passing' };
  return { kind: 'inconclusive', says: tooFew(rule, last) };
}

function tooFew(rule: Rule, last: Point | undefined): string {
  if (last === undefined || rule.kind === 'streak') return `${rule.metric}: not measured`;
  return `${rule.metric}: ${last.samples} requests, ${rule.minSamples} needed`;
}
