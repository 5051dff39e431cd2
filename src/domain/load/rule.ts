import type { Path } from '../checks/document.ts';
import { type Comparator, type Level, type Sentence, readSentence } from '../policy/rule.ts';

/** Percentiles and mean of the response time (from the planned arrival), the same of the service time (from the sending), errors and rate. */
export const LOAD_METRICS = ['p50', 'p95', 'p99', 'mean', 'error-rate', 'requests'] as const;
const TIMES = ['p50', 'p95', 'p99', 'mean'] as const;
const SERVICE = 'service-';

export type LoadMetric = (typeof LOAD_METRICS)[number];

export interface LoadRule {
  readonly text: string;
  readonly level: Level;
  readonly metric: LoadMetric;
  readonly time: 'response' | 'service';
  readonly comparator: Comparator;
  readonly limit: LoadLimit;
  /** Only the answers of this scenario; undefined: all of them. */
  readonly scenario?: string;
  /** Where it is written. */
  readonly at: Path;
}

/** `value`: fraction, milliseconds or per second. A margin is added to what the stable release did: `share` of it, or so much. */
export type LoadLimit =
  | { readonly kind: 'fixed'; readonly value: number; readonly unit: string }
  | { readonly kind: 'stable'; readonly margin: string; readonly plus: number; readonly of: 'share' | 'value' };

export type LoadRuleResult =
  | { readonly ok: true; readonly rule: Omit<LoadRule, 'level' | 'scenario' | 'at'> }
  | { readonly ok: false; readonly problem: string; readonly accepted?: string; readonly nearest?: string };

/** `fail: p95 > 500ms (checkout)` */
export const ruleWords = ({ level, text, scenario }: RuleText): string =>
  `${level}: ${text}${scenario === undefined ? '' : ` (${scenario})`}`;

interface RuleText {
  readonly level: Level;
  readonly text: string;
  readonly scenario?: string | undefined;
}

export const LOAD_RULE_GRAMMAR = 'METRIC >|>=|<|<= LIMIT: p95 > 500ms, error-rate > 0.1%, p95 > stable + 10%';

/** Reads one rule in the grammar of policies. A load is judged as a whole, so that a rule holds for nothing but all of it. */
export function readLoadRule(given: string): LoadRuleResult {
  const text = given.trim();
  const service = text.startsWith(SERVICE);
  const names: readonly string[] = service ? TIMES : LOAD_METRICS;
  const read = readSentence(service ? text.slice(SERVICE.length) : text, names);
  if (!read.ok) {
    const metrics = [...LOAD_METRICS, ...TIMES.map((each) => `${SERVICE}${each}`)].join(', ');
    return { ...read, accepted: read.problem.startsWith('names the metric') ? metrics : read.accepted };
  }
  const { sentence } = read;
  if (sentence.kind === 'streak')
    return { ok: false, problem: 'counts checks, which a load does not have', accepted: LOAD_RULE_GRAMMAR };
  if (sentence.hold > 0)
    return {
      ok: false,
      problem: 'holds for a time, but a load is judged as a whole',
      accepted: 'the same without `for`',
    };
  return {
    ok: true,
    rule: {
      text: `${service ? SERVICE : ''}${read.text}`,
      metric: sentence.metric as LoadMetric,
      time: service ? 'service' : 'response',
      comparator: sentence.comparator,
      limit: limitOf(sentence),
    },
  };
}

function limitOf(sentence: Exclude<Sentence, { kind: 'streak' }>): LoadLimit {
  if (sentence.kind === 'threshold') return { kind: 'fixed', ...sentence.limit };
  const { text, plus, of } = sentence.margin;
  return { kind: 'stable', margin: text, plus, of: of === 'share' ? 'share' : 'value' };
}
