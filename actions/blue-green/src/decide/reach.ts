import { Failure } from '../../../../src/domain/failure.ts';
import { type ListenerRule, reachOf } from '../../../../src/domain/shift/listener-rules.ts';
import { type Color, COLORS } from '../../../../src/domain/traffic-split.ts';
import type { Address } from '../goal.ts';
import type { Request } from '../inputs.ts';

/** One place where traffic is decided, and the rules that stand around it. */
export interface Listened {
  /** Of the router, as messages name it. */
  readonly name: string;
  readonly rules: readonly ListenerRule[];
  groupsOf(color: Color): readonly string[];
}

export type Reached =
  | { readonly kind: 'alone' }
  | { readonly kind: 'unsure'; readonly says: string }
  | { readonly kind: 'elsewhere'; readonly failure: Failure };

/**
 * Whether a header tells the colors apart at the very address of the users, so that the rules of the listener decide who
 * answers. Another address may end anywhere, and these rules say nothing of it.
 */
export function isSentByHeaders({ mode, url, candidate }: Pick<Request, 'mode' | 'url' | 'candidate'>): boolean {
  const judges = mode === 'run' || mode === 'prepare' || mode === 'shift';
  if (!judges || url === undefined || candidate === undefined || candidate.url.includes('{color}')) return false;
  return new URL(candidate.url).origin === new URL(url).origin;
}

/** PURE. With several routes one of them serves the address: what holds for any of them holds. */
export function reachOfColors(listened: readonly Listened[], address: (color: Color) => Address): Reached {
  const found = listened.length === 0 ? [] : COLORS.map((color) => ofColor(listened, color, address(color)));
  const elsewhere = found.filter(({ kind }) => kind === 'elsewhere');
  if (elsewhere.length > 0) return { kind: 'elsewhere', failure: failureOf(elsewhere.map(({ says }) => says)) };
  const unsure = found.filter(({ kind }) => kind === 'unsure').map(({ says }) => says);
  if (unsure.length === 0) return { kind: 'alone' };
  return {
    kind: 'unsure',
    says: `Whether candidate-headers reach each color alone depends on more than the headers: ${unsure.join('; ')}. Whatever another color answers there is judged in its place: give that rule a later priority, or let a check look for the version (expect.version)`,
  };
}

interface OfColor {
  readonly kind: 'alone' | 'unsure' | 'elsewhere';
  readonly says: string;
}

function ofColor(listened: readonly Listened[], color: Color, { url, host, headers }: Address): OfColor {
  const asked = { host: (host ?? new URL(url).host).replace(/:\d+$/, ''), headers };
  const reached = listened.map(({ name, rules, groupsOf }) => ({
    name,
    rules,
    groupsOf,
    reach: reachOf(rules, asked, groupsOf(color)),
  }));
  if (reached.some(({ reach }) => reach.kind === 'alone')) return { kind: 'alone', says: '' };
  const [first] = reached.toSorted(
    (one, other) => Number(one.reach.kind !== 'unsure') - Number(other.reach.kind !== 'unsure'),
  );
  if (first === undefined || first.reach.kind === 'alone') return { kind: 'alone', says: '' };
  const sent = Object.keys(headers).join(', ');
  const meets = first.reach.meets.map((rule) => wordsOf(rule, first)).join(', or ');
  const says = `at ${first.name}, a request for ${color} (${sent}) meets ${meets === '' ? 'no rule' : meets}`;
  return { kind: first.reach.kind, says };
}

/** `rule 20, by which users come (blue and green)` */
function wordsOf({ name, groups, isShifted }: ListenerRule, { groupsOf }: Pick<Listened, 'groupsOf'>): string {
  const colors = COLORS.filter((color) => groupsOf(color).some((arn) => groups.includes(arn)));
  const leads = colors.length === 0 ? 'which leads to neither color' : `which leads to ${colors.join(' and ')}`;
  return `rule ${name}, ${isShifted ? 'by which users come: its weights decide' : leads}`;
}

const failureOf = (says: readonly string[]): Failure =>
  new Failure({
    what: 'candidate-headers do not reach each color alone',
    why: says.join('; '),
    now: 'Nothing was touched',
    next: 'Give the listener a rule for each color, before the one of the users, that forwards this header with the value of the color to its target group; or correct the name of the header. A check that looks for the version (expect.version) proves it by the answer, too',
  });
