import type { ResourceRecordSet, RRType } from '@aws-sdk/client-route-53';
import { type Duration, seconds } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import {
  type Color,
  type TrafficSplit,
  COLORS,
  NoLiveColor,
  sameSplit,
  splitOfWeights,
} from '../../domain/traffic-split.ts';

/** The record of each color, of one type; the whole record as Route 53 shows it, because a change replaces the whole. */
export type ColorRecords = Readonly<Record<Color, ResourceRecordSet>>;

/** What decides where users of one name go: the same weights on every type that the name has. */
export type WeightedRecords = readonly { readonly type: RRType; readonly records: ColorRecords }[];

/** Types that lead users somewhere. What else stands at the name (MX, TXT) is none of a shift's business. */
const TYPES: readonly RRType[] = ['A', 'AAAA', 'CNAME'];

export interface Wanted {
  /** As messages name it: `Route 53 record shop.example.com`. */
  readonly where: string;
  /** Set identifiers. */
  readonly colors: Readonly<Record<Color, string>>;
}

/** PURE. The weighted records of both colors, or every reason why these records cannot be shifted, by name. */
export function weightedRecords(found: readonly ResourceRecordSet[], wanted: Wanted): WeightedRecords {
  const present = TYPES.filter((type) => found.some(({ Type }) => Type === type));
  if (present.length === 0)
    throw refused(wanted, [{ why: 'there is no A, AAAA or CNAME record of this name', next: PLAIN }]);
  const problems: Problem[] = [];
  const records = present.flatMap((type) => {
    const ofType = found.filter(({ Type }) => Type === type);
    const wrong = problemsOf(ofType, type, wanted);
    problems.push(...wrong);
    const [blue, green] = COLORS.map((color) =>
      ofType.find(({ SetIdentifier }) => SetIdentifier === wanted.colors[color]),
    );
    return blue === undefined || green === undefined ? [] : [{ type, records: { blue, green } }];
  });
  if (problems.length > 0) throw refused(wanted, problems);
  return records;
}

interface Problem {
  readonly why: string;
  readonly next: string;
}

const PLAIN = 'Make two weighted records of this name, one for each color, with weights 100 and 0';

function problemsOf(records: readonly ResourceRecordSet[], type: RRType, { colors }: Wanted): readonly Problem[] {
  const policies = [...new Set(records.map(policyOf))].filter((policy) => policy !== 'weighted');
  if (policies.length > 0) {
    const [policy = 'simple'] = policies;
    return [{ why: `its ${type} record is ${policy}, not weighted`, next: WAYS[policy] ?? PLAIN }];
  }
  const identifiers = records.map(({ SetIdentifier }) => SetIdentifier ?? '');
  const missing = COLORS.filter((color) => !identifiers.includes(colors[color])).map((color) => ({
    why: `it has no ${type} record with the set identifier ${colors[color]} (${color}); there are ${identifiers.join(', ')}`,
    next: `Correct router.colors.${color}, or make the ${type} record of ${color} with weight 0`,
  }));
  const others = records.filter(({ SetIdentifier, Weight }) => !isOurs(SetIdentifier, colors) && (Weight ?? 0) > 0).map(({ SetIdentifier, Weight }) => ({
    why: `the ${type} record ${SetIdentifier} has weight ${Weight} beside the two colors`,
    next: `Give ${SetIdentifier} weight 0, or remove it`,
  }));
  return [...missing, ...others];
} // prettier-ignore

const isOurs = (identifier: string | undefined, colors: Wanted['colors']): boolean =>
  COLORS.some((color) => colors[color] === identifier);

const POLICIES: readonly (readonly [keyof ResourceRecordSet, string])[] = [
  ['TrafficPolicyInstanceId', 'made by a traffic policy'],
  ['Region', 'latency-based'],
  ['Failover', 'failover'],
  ['GeoLocation', 'by geolocation'],
  ['GeoProximityLocation', 'by geoproximity'],
  ['CidrRoutingConfig', 'by IP address'],
  ['MultiValueAnswer', 'multivalue'],
];

/** How Route 53 chooses among the records of one name and type. */
function policyOf(record: ResourceRecordSet): string {
  const found = POLICIES.find(([key]) => record[key] !== undefined);
  if (found !== undefined) return found[1];
  return record.Weight === undefined ? 'simple' : 'weighted';
}

const WAYS: Readonly<Record<string, string>> = {
  'made by a traffic policy': 'Shift in the traffic policy, or replace its instance by two weighted records',
  'latency-based':
    'Let the latency records point to a name that has two weighted records for each region, and shift those',
  failover: 'Let the failover records point to a name that has two weighted records, and shift those',
  'by geolocation': 'Let each location point to a name that has two weighted records, and shift those',
  'by geoproximity': 'Let each location point to a name that has two weighted records, and shift those',
  'by IP address': 'Let each block point to a name that has two weighted records, and shift those',
  multivalue: PLAIN,
};

function refused({ where }: Wanted, problems: readonly Problem[]): Failure {
  return new Failure({
    what: `${where} cannot carry a shift`,
    why: problems.map(({ why }) => why).join('; '),
    now: 'Nothing was touched',
    next: [...new Set(problems.map(({ next }) => next))].join('. '),
  });
}

/** Weights as they stand, of one type. */
const weightsOf = ({ blue, green }: ColorRecords): Readonly<Record<Color, number>> => ({
  blue: blue.Weight ?? 0,
  green: green.Weight ?? 0,
});

/** Whether every type has exactly these weights. */
export const hasSplit = (records: WeightedRecords, split: TrafficSplit): boolean =>
  records.every((each) => sameSplit(weightsOf(each.records), split));

/**
 * The live split. Throws NoLiveColor when all weights are 0 (Route 53 then answers with both, in equal shares). Types that
 * disagree were changed by hand: the one that differs from what is known is shown, so that it is seen as drift.
 */
export function splitOf(records: WeightedRecords, known: TrafficSplit | undefined, where: string): TrafficSplit {
  const splits = records.map(({ type, records: each }) => ({ type, split: splitOfType(each) }));
  const [first] = splits;
  const odd = splits.find(({ split }) => first !== undefined && !sameSplit(split, first.split));
  if (first === undefined) throw new TypeError('a name without records was let through');
  if (odd === undefined) return first.split;
  if (known === undefined) {
    const said = splits.map(({ type, split }) => `${type} blue ${split.blue} / green ${split.green}`).join(', ');
    throw new Failure({
      what: `${where} has no one split`,
      why: `its types disagree: ${said}`,
      now: 'Nothing was touched',
      next: 'Give all types the same weights by hand, all of it to one color, then re-run',
    });
  }
  return sameSplit(first.split, known) ? odd.split : first.split;
}

function splitOfType(records: ColorRecords): TrafficSplit {
  const weights = weightsOf(records);
  if (weights.blue === 0 && weights.green === 0) throw new NoLiveColor();
  return splitOfWeights(weights);
}

/** The records with other weights, everything else as it was read: an UPSERT replaces the whole record. */
export const withSplit = (records: WeightedRecords, split: TrafficSplit): readonly ResourceRecordSet[] =>
  records.flatMap(({ records: each }) => COLORS.map((color) => ({ ...each[color], Weight: Math.round(split[color]) })));

/** An alias has the life of its target's own records: 60 s for load balancers and for nearly everything else. */
const ALIAS_TTL = 60;

/** How long an answer may be kept: the longest of all types. */
export const lifeOf = (records: WeightedRecords): Duration =>
  seconds(Math.max(...records.flatMap(({ records: each }) => COLORS.map((color) => each[color].TTL ?? ALIAS_TTL))));
