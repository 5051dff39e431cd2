import { samplesWithout } from '../analysis/binomial.ts';
import { formatDuration, milliseconds } from '../duration.ts';
import { shareBeyond } from '../policy/metric.ts';
import { type Comparator, isBeyond } from '../policy/rule.ts';
import type { LoadModel } from './load.ts';
import type { PairedBlocks } from './blocks.ts';
import { isPairable, judgePaired } from './judge-paired.ts';
import { shownMetric, showValue, valueOf } from './measured-value.ts';
import type { Generator, Measured } from './measured.ts';
import type { LoadRule } from './rule.ts';

export type LoadVerdict = 'pass' | 'warn' | 'fail' | 'invalid';

export interface RuleOutcome {
  readonly rule: LoadRule;
  /** `unknown`: what was measured neither proves nor breaks it. */
  readonly outcome: 'kept' | 'broken' | 'unknown';
  /** `p95 812ms > 500ms (n=3120)` */
  readonly words: string;
}

export interface LoadJudgement {
  readonly verdict: LoadVerdict;
  readonly rules: readonly RuleOutcome[];
  /** Why nothing can be said, each with what to do. */
  readonly invalid: readonly string[];
}

export interface LoadEvidence {
  readonly all: Measured;
  readonly scenarios: ReadonlyMap<string, Measured>;
  /** Of the stable release, for rules against it. */
  readonly stable?: { readonly all: Measured; readonly scenarios: ReadonlyMap<string, Measured> };
  /** When the stable release had the other half of the same load. */
  readonly blocks?: PairedBlocks;
  readonly generator: Generator;
  readonly model: LoadModel;
}

/**
 * Milliseconds of the 99th percentile of the generator's lag. Lag is part of the response time, so it cannot make a limit
 * hold: above `DOUBTFUL_LAG` it only takes its weight from a limit that is broken. Above `MOST_LAG` the load was another
 * one than the planned.
 */
const DOUBTFUL_LAG = 10;
const MOST_LAG = 100;
/** Share of planned arrivals that may be missing. */
const MOST_MISSING = 0.005;
const MOST_BUSY = 0.8;
/** Without any excess among n answers, the limit holds with 95 % confidence once (1 - p)^n <= 5 %. */
const DOUBT = 0.05;
const FEWEST_FOR_MEAN = 20;

/** PURE. What a load came to. A rule that is broken fails; what cannot be said is `invalid`, never a pass. */
export function judgeLoad(rules: readonly LoadRule[], evidence: LoadEvidence): LoadJudgement {
  const invalid = generatorProblems(evidence);
  if (evidence.all.requests === 0) {
    const nothing = ['nothing was measured: no request was sent. Look at the plan of the load'];
    return { verdict: 'invalid', rules: [], invalid: [...nothing, ...invalid] };
  }
  const late = evidence.model.kind === 'open' && evidence.generator.lagP99 > DOUBTFUL_LAG;
  const run = invalid.length > 0 || late ? 'disturbed' : 'sound';
  const outcomes = [...rules, ...unwritten(rules, evidence)].map((rule) => judgeRule(rule, evidence, run));
  const unknown = outcomes.filter(({ rule, outcome }) => outcome === 'unknown' && rule.level === 'fail');
  const all = [...invalid, ...unknown.map(({ words }) => words)];
  const has = (level: LoadRule['level'], outcome: RuleOutcome['outcome']): boolean =>
    outcomes.some((each) => each.rule.level === level && each.outcome === outcome);
  const verdict = has('fail', 'broken')
    ? 'fail'
    : all.length > 0
      ? 'invalid'
      : has('warn', 'broken') || has('warn', 'unknown')
        ? 'warn'
        : 'pass';
  return { verdict, rules: outcomes, invalid: all };
}

/**
 * Errors that no rule speaks of: a warning, and nothing at all is shown where every answer was one, because the times of
 * errors are no times of the system. A rule for one scenario says nothing of the others.
 */
function unwritten(rules: readonly LoadRule[], { all, scenarios }: LoadEvidence): readonly LoadRule[] {
  const [first] = rules;
  if (first === undefined) return [];
  const spoken = new Set(rules.flatMap(({ metric, scenario }) => (metric === 'error-rate' ? [scenario] : [])));
  if (spoken.has(undefined)) return [];
  const rule = {
    metric: 'error-rate',
    time: 'response',
    comparator: '>',
    text: 'error-rate > 0%',
    at: first.at,
  } as const;
  const limit = { kind: 'fixed', value: 0, unit: '%' } as const;
  const parts =
    spoken.size === 0 ? [{ measured: all }] : [...scenarios].map(([scenario, measured]) => ({ scenario, measured }));
  return parts.flatMap(({ measured: { errors, requests }, ...of }): LoadRule[] => {
    if (errors === 0 || ('scenario' in of && spoken.has(of.scenario))) return [];
    return [{ ...rule, ...of, limit, level: errors === requests ? 'fail' : 'warn' }];
  });
}

function generatorProblems({ generator, model }: LoadEvidence): readonly string[] {
  const { planned, started, lagP99, ended } = generator;
  const missing = planned === undefined ? 0 : (planned - started) / Math.max(1, planned);
  return [
    ...(ended === 'budget'
      ? ['the budget of requests was used up before the plan was done. Raise max-requests, or plan less']
      : []),
    ...(ended === 'plan' && missing > MOST_MISSING
      ? [`only ${started} of ${planned} arrivals were started. Use a larger runner, or split the load`]
      : []),
    ...(model.kind === 'open' && lagP99 > MOST_LAG
      ? [
          `the generator was too slow: 99 % of the arrivals within ${formatDuration(milliseconds(lagP99))} of their plan, limit ${MOST_LAG}ms. Use a larger runner, or split the load`,
        ]
      : []),
  ];
}

function judgeRule(rule: LoadRule, evidence: LoadEvidence, run: 'sound' | 'disturbed'): RuleOutcome {
  const measured = rule.scenario === undefined ? evidence.all : evidence.scenarios.get(rule.scenario);
  const of = rule.scenario === undefined ? '' : ` of ${rule.scenario}`;
  const unknown = (words: string): RuleOutcome => ({ rule, outcome: 'unknown', words });
  if (measured === undefined || measured.requests === 0) return unknown(`${rule.text}${of}: nothing was measured`);
  const stable = rule.scenario === undefined ? evidence.stable?.all : evidence.stable?.scenarios.get(rule.scenario);
  const limit = limitOf(rule, stable);
  if (limit === undefined)
    return unknown(
      `${rule.text}${of}: nothing of the stable release was measured. Give a baseline, or \`stable\` in the load`,
    );
  if (evidence.blocks !== undefined && stable !== undefined && isPairable(rule)) {
    const { outcome, words } = judgePaired(rule, { blocks: evidence.blocks, own: measured, stable });
    return outcome === 'broken' ? judgeBroken(rule, words, { evidence, run }) : { rule, outcome, words };
  }
  const value = valueOf(rule, measured);
  const broken = isBeyond(value, rule.comparator, limit);
  const shown = `${shownMetric(rule)}${of} ${showValue(rule, value)}`;
  const against = rule.limit.kind === 'stable' ? ` (stable ${rule.limit.margin.replace(/^stable ?/, '')})` : '';
  const words = `${shown} ${broken ? rule.comparator : opposite(rule.comparator)} ${showValue(rule, limit)}${against} (n=${measured.requests})`;
  if (broken) return judgeBroken(rule, words, { evidence, run });
  const needed = samplesFor(rule, limit);
  if (measured.requests < needed)
    return unknown(
      `${rule.text}${of} cannot be shown by ${measured.requests} answers: it needs ${needed}. Send more, or claim less`,
    );
  return { rule, outcome: 'kept', words };
}

/** What a disturbed generator may have caused proves nothing against the system; errors are never its doing. */
function judgeBroken(
  rule: LoadRule,
  words: string,
  { evidence, run }: { readonly evidence: LoadEvidence; readonly run: 'sound' | 'disturbed' },
): RuleOutcome {
  if (rule.metric === 'error-rate') return { rule, outcome: 'broken', words };
  const { busy } = evidence.generator;
  if (rule.metric === 'requests' && busy > MOST_BUSY)
    return {
      rule,
      outcome: 'unknown',
      words: `${words}, but the generator was busy for ${Math.round(busy * 100)} % of the time. Use a larger runner, or split the load`,
    };
  if (run === 'disturbed') {
    const lag = formatDuration(milliseconds(evidence.generator.lagP99));
    return {
      rule,
      outcome: 'unknown',
      words: `${words}, but the generator was disturbed (lag p99 ${lag}). Use a larger runner, or split the load`,
    };
  }
  return { rule, outcome: 'broken', words };
}

const opposite = (comparator: Comparator): string => ({ '>': '<=', '>=': '<', '<': '>=', '<=': '>' })[comparator];

/** undefined: nothing of the stable release was measured. */
export function limitOf(rule: LoadRule, stable: Measured | undefined): number | undefined {
  const { limit } = rule;
  if (limit.kind === 'fixed') return limit.value;
  if (stable === undefined || stable.requests === 0) return undefined;
  const own = valueOf(rule, stable);
  return limit.of === 'share' ? own * (1 + limit.plus) : own + limit.plus;
}

/** Answers without one excess that are needed to claim the rule: p95 59, p99 299, an error rate below 0.1 % 2995. */
export function samplesFor({ metric, comparator }: Pick<LoadRule, 'metric' | 'comparator'>, limit: number): number {
  const forShare = (share: number): number => samplesWithout({ share, doubt: DOUBT });
  // A rule that wants more of something (`requests < 100/s`) claims no rare event.
  if (comparator.startsWith('<')) return 1;
  switch (metric) {
    case 'p50':
    case 'p95':
    case 'p99':
      return forShare(shareBeyond(metric) ?? 1);
    case 'error-rate':
      return limit <= 0 || limit >= 1 ? 1 : forShare(limit);
    case 'mean':
      return FEWEST_FOR_MEAN;
    case 'requests':
      return 1;
  }
}
