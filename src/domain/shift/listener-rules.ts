/*
 * Which rule of a load balancer's listener a request meets, told from the rules alone: whether a header that shall lead to
 * one color does so is known before anything is deployed or shifted. Source: Elastic Load Balancing, Application Load
 * Balancers, "Listener rules" (order of priority, condition types, wildcards `*` and `?`).
 */
import { unreachable } from '../unreachable.ts';

export type RuleCondition =
  | { readonly kind: 'host'; readonly patterns: readonly string[] }
  | { readonly kind: 'header'; readonly name: string; readonly patterns: readonly string[] }
  /** Paths, queries, methods, sources, regular expressions: it may hold or not. */
  | { readonly kind: 'open'; readonly field: string };

export interface ListenerRule {
  /** Its priority, or `default`. */
  readonly name: string;
  readonly conditions: readonly RuleCondition[];
  /** ARNs of the target groups that get what meets it; none where it answers by itself. */
  readonly groups: readonly string[];
  /** The one whose weights are shifted: whoever meets it meets either color. */
  readonly isShifted: boolean;
}

export interface Asked {
  readonly host: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

export type Reach =
  /** Every rule that such a request can meet leads to this color alone. */
  | { readonly kind: 'alone' }
  /** No rule that it can meet does. */
  | { readonly kind: 'elsewhere'; readonly meets: readonly ListenerRule[] }
  /** It depends on what the rules ask of the request besides. */
  | { readonly kind: 'unsure'; readonly meets: readonly ListenerRule[] };

/** `rules` in the order in which the listener tries them; `own`: ARNs of the target groups of the color. */
export function reachOf(rules: readonly ListenerRule[], asked: Asked, own: readonly string[]): Reach {
  const meets = rulesMet(rules, asked);
  const isOwn = ({ groups, isShifted }: ListenerRule): boolean =>
    !isShifted && groups.length > 0 && groups.every((arn) => own.includes(arn));
  if (meets.length > 0 && meets.every(isOwn)) return { kind: 'alone' };
  return meets.some(isOwn) ? { kind: 'unsure', meets } : { kind: 'elsewhere', meets };
}

/**
 * Whether whoever asks without any header comes by the rule whose weights are shifted. Where nobody does, something in front
 * adds headers or another host, and what is asked for is not what the listener sees.
 */
export const isUsersWay = (rules: readonly ListenerRule[], host: string): boolean =>
  rulesMet(rules, { host, headers: {} }).some(({ isShifted }) => isShifted);

/** What is surely not met is left out, and nothing comes behind a rule that surely is. */
function rulesMet(rules: readonly ListenerRule[], asked: Asked): readonly ListenerRule[] {
  const met: ListenerRule[] = [];
  for (const rule of rules) {
    const held = rule.conditions.map((condition) => holds(condition, asked));
    if (held.includes('no')) continue;
    met.push(rule);
    if (!held.includes('perhaps')) break;
  }
  return met;
}

function holds(condition: RuleCondition, { host, headers }: Asked): 'yes' | 'no' | 'perhaps' {
  switch (condition.kind) {
    case 'host':
      return matchesAny(condition.patterns, host) ? 'yes' : 'no';
    case 'header': {
      const value = headers[condition.name.toLowerCase()];
      return value !== undefined && matchesAny(condition.patterns, value) ? 'yes' : 'no';
    }
    case 'open':
      return 'perhaps';
    default:
      return unreachable(condition);
  }
}

/** Neither names nor values of headers have a case here. */
const matchesAny = (patterns: readonly string[], text: string): boolean =>
  patterns.some((pattern) => matchesWildcards(pattern.toLowerCase(), text.toLowerCase()));

/** `*` stands for any characters or none, `?` for exactly one. No regular expression: patterns are other people's text. */
export function matchesWildcards(pattern: string, text: string): boolean {
  // Row by row over the pattern: which beginnings of the text it can stand for so far.
  let reached = new Set([0]);
  for (const sign of pattern) {
    if (sign === '*') {
      const first = Math.min(...reached);
      reached = new Set(Array.from({ length: text.length - first + 1 }, (_, index) => first + index));
      continue;
    }
    reached = new Set(
      [...reached].flatMap((at) => (at < text.length && (sign === '?' || text[at] === sign) ? [at + 1] : [])),
    );
    if (reached.size === 0) return false;
  }
  return reached.has(text.length);
}
