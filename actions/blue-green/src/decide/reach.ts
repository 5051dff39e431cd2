import type { ResolvedChecks } from '../../../../src/domain/checks/document.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import { type ListenerRule, isUsersWay, reachOf } from '../../../../src/domain/shift/listener-rules.ts';
import { type Color, COLORS, otherColor } from '../../../../src/domain/traffic-split.ts';
import { type Address, sendsRequests } from '../goal.ts';
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
  | { readonly kind: 'elsewhere'; readonly says: string; readonly failure: Failure };

/**
 * Whether a header tells the colors apart at the very address of the users, so that the rules of the listener decide who
 * answers. Another address may end anywhere, and these rules say nothing of it.
 */
export function isSentByHeaders({ mode, url, candidate }: Pick<Request, 'mode' | 'url' | 'candidate'>): boolean {
  if (!sendsRequests({ mode }) || url === undefined || candidate === undefined || candidate.url.includes('{color}'))
    return false;
  return new URL(candidate.url).origin === new URL(url).origin;
}

/** The answer at weight 0 says by itself whose it is. */
export const isProvenByAnswer = (checks: ResolvedChecks | undefined): boolean =>
  checks?.checks.some(({ expect }) => expect?.version !== undefined) === true;

/** Where neither rules of a listener nor the answer tell whom it reaches. */
export const unprovenWords = ({ url }: { readonly url: string }): string =>
  `Nothing proves that ${url} reaches the color that it is asked for: no rules of a listener decide there, so it is taken at its word, and whatever another color answers is judged in its place. Let a check look for the version (expect.version)`;

/** PURE. With several routes one of them serves the address: what holds for any of them holds. */
export function reachOfColors(listened: readonly Listened[], address: (color: Color) => Address): Reached {
  const missed = COLORS.flatMap((color) => ofColor(listened, color, address(color)) ?? []);
  const elsewhere = missed.filter(({ kind }) => kind === 'elsewhere');
  if (elsewhere.length > 0) {
    const why = elsewhere.map(({ says }) => says).join('; ');
    return { kind: 'elsewhere', says: `${NOT_ALONE}: ${why}`, failure: failureOf(why) };
  }
  if (missed.length === 0) return { kind: 'alone' };
  return {
    kind: 'unsure',
    says: `Whether candidate-headers reach each color alone depends on more than the headers: ${missed.map(({ says }) => says).join('; ')}. Whatever another color answers there is judged in its place: give that rule a later priority, or let a check look for the version (expect.version)`,
  };
}

interface Missed {
  readonly kind: 'unsure' | 'elsewhere';
  readonly says: string;
}

/** undefined: it reaches this color alone. */
function ofColor(listened: readonly Listened[], color: Color, { url, host, headers }: Address): Missed | undefined {
  const asked = { host: (host ?? new URL(url).host).replace(/:\d+$/, ''), headers };
  const sent = Object.keys(headers).join(', ');
  const missed: (Missed & { readonly isUsersWay: boolean })[] = [];
  for (const place of listened) {
    const reach = reachOf(place.rules, asked, place.groupsOf(color));
    if (reach.kind === 'alone') return undefined;
    const meets = reach.meets.map((rule) => wordsOf(rule, place)).join(', or ');
    const says = `at ${place.name}, a request for ${color} (${sent}) meets ${meets === '' ? 'no rule' : meets}`;
    // What leads to neither color answers for nobody in the place of the candidate, or is the way to another group of it.
    const others = place.groupsOf(otherColor(color));
    const misleads = reach.meets.some(
      ({ isShifted, groups }) => isShifted || groups.some((arn) => others.includes(arn)),
    );
    const kind = reach.kind === 'elsewhere' && misleads ? 'elsewhere' : 'unsure';
    missed.push({ kind, says, isUsersWay: isUsersWay(place.rules, asked.host) });
  }
  const decisive = missed.filter((each) => each.isUsersWay);
  if (decisive.length > 0) return decisive.find(({ kind }) => kind === 'unsure') ?? decisive[0];
  const [first] = missed;
  // The rules as they stand would let no user through either: they say nothing of what the listener gets to see.
  return (
    first && {
      kind: 'unsure',
      says: `${first.says}, and nobody comes by the rule of the users without headers that something in front adds, or another host`,
    }
  );
}

/** `rule 20, which leads to blue and green` */
function wordsOf({ name, groups, isShifted }: ListenerRule, { groupsOf }: Pick<Listened, 'groupsOf'>): string {
  const colors = COLORS.filter((color) => groupsOf(color).some((arn) => groups.includes(arn)));
  const leads = colors.length === 0 ? 'which leads to neither color' : `which leads to ${colors.join(' and ')}`;
  return `rule ${name}, ${isShifted ? 'by which users come: its weights decide' : leads}`;
}

const NOT_ALONE = 'candidate-headers do not reach each color alone';

const failureOf = (why: string): Failure =>
  new Failure({
    what: NOT_ALONE,
    why,
    now: 'Nothing was touched',
    next: 'Give the listener a rule for each color, before the one of the users, that forwards this header with the value of the color to its target group; or correct the name of the header. A check that looks for the version (expect.version) proves it by the answer, too',
  });
