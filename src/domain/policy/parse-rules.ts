import { milliseconds } from '../duration.ts';
import { printable } from '../inputs.ts';
import {
  type Mapping,
  choiceAt,
  countAt,
  durationAt,
  isMapping,
  refuse,
  refuseUnknownKeys,
  textAt,
} from './document.ts';
import { defaultMinSamples, kindOf, shareBeyond } from './metric.ts';
import { comparisonOf } from './parse-comparison.ts';
import type { RuleContext } from './rule-context.ts';
import { type Level, type Rule, type Sentence, LEVELS, RULE_GRAMMAR, readSentence } from './rule.ts';

type Context = Omit<RuleContext, 'comparing'>;

/** Reads the list of rules; what cannot be read or judged is refused and left out. */
export function readRules(policy: Mapping, context: Context): readonly Rule[] {
  const given = policy.values['rules'];
  if (given === undefined) {
    refuse(policy, 'rules', {
      problem: 'is missing: without a rule nothing is judged',
      accepted: `a list of fail: RULE and warn: RULE; RULE is ${RULE_GRAMMAR}`,
    });
    return [];
  }
  if (!Array.isArray(given)) {
    refuse(policy, 'rules', { problem: 'is not a list', accepted: '- fail: error-rate > 5% for 2m' });
    return [];
  }
  const entries = given.map((entry: unknown, index) => ruleMapping(entry, `rules[${index}]`, policy));
  const parsed = entries.flatMap((entry) => (entry ? (readRule(entry, context) ?? []) : []));
  const comparing = parsed.filter(
    ({ level, sentence }) => level === 'fail' && sentence.kind === 'against-stable',
  ).length;
  const rules = parsed.flatMap((each) => ruleOf(each, { ...context, comparing }) ?? []);
  if (entries.every((entry) => entry !== undefined && levelOf(entry) === 'warn')) {
    refuse(policy, 'rules', {
      problem: 'has no rule that fails, so nothing could stop a bad release',
      accepted: 'at least one fail: RULE',
    });
  }
  return rules;
}

/** A rule as text (`fail: RULE`, `warn: RULE`, or RULE alone, which fails) is the short form of the mapping. */
function ruleMapping(entry: unknown, path: string, policy: Mapping): Mapping | undefined {
  const { problems } = policy;
  if (isMapping(entry)) return { path, values: entry, problems };
  if (typeof entry === 'string') {
    const [, level = 'fail', rule = ''] = /^(?:- *)?(?:(fail|warn): *)?(.*)$/s.exec(entry.trim()) ?? [];
    return { path, values: { [level]: rule }, problems };
  }
  problems.push({
    input: path,
    given: printable(entry),
    problem: 'is not a rule',
    accepted: 'fail: RULE or warn: RULE',
  });
  return undefined;
}

const levelOf = (entry: Mapping): Level | undefined => LEVELS.find((level) => entry.values[level] !== undefined);

export const RULE_KEYS = [...LEVELS, 'window', 'min-samples', 'fast-fail', 'test', 'max-uncertainty'] as const;
const OF_THRESHOLDS = ['window', 'min-samples', 'fast-fail'];
const OF_COMPARISONS = ['test', 'max-uncertainty'];

function readRule(entry: Mapping, context: Context): Parsed | undefined {
  refuseUnknownKeys(entry, RULE_KEYS);
  const level = levelOf(entry);
  if (level === undefined || LEVELS.every((each) => entry.values[each] !== undefined)) {
    entry.problems.push({
      input: entry.path,
      given: printable(entry.values),
      problem: 'needs one of fail and warn',
      accepted: 'fail: RULE or warn: RULE',
    });
    return undefined;
  }
  const given = textAt(entry, level);
  if (given === undefined) return undefined;
  const read = readSentence(given, context.metrics);
  if (!read.ok)
    return refuse(entry, level, {
      problem: read.problem,
      accepted: read.accepted,
      ...(read.nearest ? { nearest: read.nearest } : {}),
    });
  return { entry, level, sentence: read.sentence, text: read.text };
}

interface Parsed {
  readonly entry: Mapping;
  readonly level: Level;
  readonly sentence: Sentence;
  readonly text: string;
}

function ruleOf({ entry, level, sentence, text }: Parsed, context: RuleContext): Rule | undefined {
  switch (sentence.kind) {
    case 'against-stable':
      refuseKeys(entry, OF_THRESHOLDS, 'does not apply to a comparison with stable, which adds up all requests');
      return comparisonOf({ entry, level, text, sentence }, context);
    case 'streak':
      refuseKeys(entry, [...OF_THRESHOLDS, ...OF_COMPARISONS], 'does not apply to a rule that counts checks');
      return { kind: 'streak', text, level, metric: sentence.metric, times: sentence.times };
    case 'threshold':
      refuseKeys(entry, OF_COMPARISONS, 'belongs to comparisons with stable: error-rate > stable + 0.1pp');
      return {
        kind: 'threshold',
        text,
        level,
        metric: sentence.metric,
        comparator: sentence.comparator,
        limit: sentence.limit,
        hold: sentence.hold,
        window: durationAt(entry, 'window', { fallback: milliseconds(2 * context.interval), min: milliseconds(1) }),
        minSamples: countAt(entry, 'min-samples', { fallback: defaultMinSamples(sentence.metric), min: 1 }),
        fastFail: fastFailOf(entry, sentence, context),
      };
  }
}

function refuseKeys(entry: Mapping, keys: readonly string[], problem: string): void {
  for (const key of keys.filter((each) => entry.values[each] !== undefined)) refuse(entry, key, { problem });
}

/** Only what can be counted can be beyond doubt: an excess of a rate, or of slow requests. Everywhere else it is off. */
function fastFailOf(
  entry: Mapping,
  { metric, comparator }: Extract<Sentence, { kind: 'threshold' }>,
  { sources }: RuleContext,
): 'on' | 'off' {
  const countsSlow = shareBeyond(metric) !== undefined && sources[metric]?.countsSlow === true;
  const countable = (kindOf(metric) === 'rate' || countsSlow) && comparator.startsWith('>');
  const given = entry.values['fast-fail'];
  if (given === undefined) return countable ? 'on' : 'off';
  const values = typeof given === 'boolean' ? { ...entry.values, 'fast-fail': String(given) } : entry.values;
  const wanted = choiceAt({ ...entry, values }, 'fast-fail', ['true', 'false']);
  const problem = 'applies only to error-rate > LIMIT, and to a percentile whose source counts slow requests';
  if (wanted === 'true' && !countable) refuse(entry, 'fast-fail', { problem });
  return wanted === 'true' && countable ? 'on' : 'off';
}
