import { type Mapping, countAt, mappingAt, refuse, refuseUnknownKeys } from './document.ts';
import { kindOf, shareBeyond } from './metric.ts';
import type { ComparisonRule, Level, Sentence } from './rule.ts';
import type { RuleContext } from './rule-context.ts';

export const TEST_KEYS = ['alpha', 'min-events'] as const;
/**
 * Of a thousand releases that are as good as stable one may be taken back by chance, whatever its policy compares: the
 * comparisons that can fail share this. Looks and steps need no share of their own, because the bound holds at all of them.
 */
const FALSE_ALARMS = 0.001;
export const DEFAULT_TEST = { alpha: FALSE_ALARMS, minEvents: 5 } as const;
/** 150 requests of the candidate, which is 5 minutes of 10 % of 5/s, get below these; the slow ones are more by nature. */
const MAX_UNCERTAINTY = { rate: 0.05, time: 0.1 };

interface Parsed {
  readonly entry: Mapping;
  readonly level: Level;
  readonly text: string;
  readonly sentence: Extract<Sentence, { kind: 'against-stable' }>;
}

/** A rule against stable; what no source can tell, and what no test can judge, is refused. */
export function comparisonOf(parsed: Parsed, { sources, comparing }: RuleContext): ComparisonRule | undefined {
  const { entry, level, text, sentence } = parsed;
  const { metric, comparator, margin } = sentence;
  const problem = problemOf(sentence);
  const source = sources[metric];
  if (problem !== undefined) return refuse(entry, level, problem);
  if (source !== undefined && !source.knowsStable) {
    return refuse(entry, level, {
      problem: `compares with stable, but the source of ${metric} cannot tell stable from the candidate`,
      accepted: `{color} or {target-group} in the source; for probes, {color} in candidate-url or candidate-headers`,
    });
  }
  if (shareBeyond(metric) !== undefined && source?.countsSlow === false) {
    return refuse(entry, level, {
      problem: `compares times, but the source of ${metric} does not count slow requests`,
      accepted: 'from: probe, cloudwatch, or prometheus with a histogram',
    });
  }
  return {
    kind: 'comparison',
    text,
    level,
    metric,
    comparator,
    margin,
    ...readTest(entry, level === 'fail' ? FALSE_ALARMS / comparing : FALSE_ALARMS),
    maxUncertainty: readPoints(
      entry,
      'max-uncertainty',
      kindOf(metric) === 'time' ? MAX_UNCERTAINTY.time : MAX_UNCERTAINTY.rate,
    ),
  };
}

function problemOf({ metric, comparator, margin, hold }: Parsed['sentence']) {
  const kind = kindOf(metric);
  if (hold > 0)
    return { problem: 'holds for a time, but a comparison with stable adds up all requests', accepted: 'no `for`' };
  if (kind === 'time' ? shareBeyond(metric) === undefined : kind !== 'rate' && kind !== 'own')
    return {
      problem: `cannot compare ${metric} with stable`,
      accepted: 'error-rate, p50, p95, p99, or a rate of yours',
    };
  if (kind === 'time' ? margin.of === 'points' : margin.of === 'milliseconds')
    return { problem: `has the margin "${margin.text}"`, accepted: kind === 'time' ? '5ms, 5%' : '5pp, 5%' };
  if (kind !== 'own' && !comparator.startsWith('>'))
    return { problem: `wants more of ${metric} than stable has`, accepted: `${metric} > ${margin.text}` };
  if (comparator.startsWith('>') ? margin.plus < 0 : margin.plus > 0)
    return {
      problem: `wants the candidate to be better than stable`,
      accepted: 'stable + N with >, stable - N with <',
    };
  return undefined;
}

function readTest(entry: Mapping, share: number): Pick<ComparisonRule, 'alpha' | 'minEvents'> {
  const test = mappingAt(entry, 'test');
  if (test === undefined) return { alpha: share, minEvents: DEFAULT_TEST.minEvents };
  refuseUnknownKeys(test, TEST_KEYS);
  const minEvents = countAt(test, 'min-events', { fallback: DEFAULT_TEST.minEvents, min: 1 });
  const given = test.values['alpha'];
  if (given === undefined) return { alpha: share, minEvents };
  if (typeof given === 'number' && given >= 0.000_1 && given <= 0.2) return { alpha: given, minEvents };
  refuse(test, 'alpha', { problem: 'is not a chance of a false alarm', accepted: '0.0001 to 0.2' });
  return { alpha: share, minEvents };
}

/** `1pp`: a difference of rates, as a fraction. */
function readPoints(entry: Mapping, key: string, fallback: number): number {
  const given = entry.values[key];
  if (given === undefined) return fallback;
  const [, number] = /^(\d+(?:\.\d+)?) ?pp$/.exec(typeof given === 'string' ? given.trim() : '') ?? [];
  const points = Number(number ?? Number.NaN) / 100;
  if (points > 0 && points <= 1) return points;
  refuse(entry, key, { problem: 'is not a difference of rates', accepted: 'percentage points: 1pp' });
  return fallback;
}
