import { unreachable } from '../../src/domain/unreachable.ts';
import type { Chance } from './chance.ts';
import type { Condition, Rule, RuleAction } from './types.ts';

/** What rules look at. */
export interface RoutedRequest {
  /** With its query, which no condition sees. */
  readonly target: string;
  /** The Host header as it came. */
  readonly host: string;
  /** All values of a header, by lower-case name. */
  header(name: string): readonly string[];
}

/** The rules of a listener in the order in which an ALB tries them. */
export const inOrder = (rules: readonly Rule[]): readonly Rule[] =>
  rules.toSorted((one, other) => rank(one) - rank(other));

const rank = ({ priority }: Rule): number => (priority === 'default' ? Number.POSITIVE_INFINITY : priority);

/** The first rule whose conditions all hold; undefined only for a listener without a default rule. */
export const ruleFor = (ordered: readonly Rule[], request: RoutedRequest): Rule | undefined =>
  ordered.find(({ conditions }) => conditions.every((condition) => holds(condition, request)));

function holds(condition: Condition, request: RoutedRequest): boolean {
  switch (condition.field) {
    case 'path-pattern': {
      const path = request.target.split('?', 1)[0] ?? '/';
      return condition.values.some((pattern) => matchesWildcard(pattern, path));
    }
    case 'host-header': {
      const name = request.host.replace(/:\d+$/, '').toLowerCase();
      return condition.values.some((pattern) => matchesWildcard(pattern.toLowerCase(), name));
    }
    case 'http-header': {
      const given = request.header(condition.name.toLowerCase()).map((value) => value.toLowerCase());
      return condition.values.some((pattern) => given.some((value) => matchesWildcard(pattern.toLowerCase(), value)));
    }
    default:
      return unreachable(condition);
  }
}

/** `*` stands for any characters or none, `?` for exactly one. Time is at most pattern times text: no regular expression, no blow-up. */
export function matchesWildcard(pattern: string, text: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let retry = 0;
  while (from < text.length) {
    if (pattern[at] === '*') {
      star = at;
      at += 1;
      retry = from;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[from])) {
      at += 1;
      from += 1;
    } else if (star >= 0) {
      at = star + 1;
      retry += 1;
      from = retry;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

type Forward = Extract<RuleAction, { kind: 'forward' }>;

/** A weighted draw per request, as an ALB makes it; undefined when no group has a weight. */
export function drawTargetGroup({ targetGroups }: Forward, chance: Chance): string | undefined {
  const total = targetGroups.reduce((sum, { weight }) => sum + weight, 0);
  let left = chance() * total;
  for (const { arn, weight } of targetGroups) {
    if (left < weight) return arn;
    left -= weight;
  }
  return undefined;
}
