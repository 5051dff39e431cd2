import type { Chance } from '../../plane/chance.ts';
import { type RecordSet, fullName } from './records.ts';
import type { Zones } from './zones.ts';

/** Where a name leads now. */
export interface Resolved {
  /** The name of a load balancer, as its API shows it. */
  readonly dnsName: string;
  /** Milliseconds for which the answer may be kept: the shortest of all records on the way. */
  readonly life: number;
  /** Of the weighted record that was drawn. */
  readonly setIdentifier: string | undefined;
}

export interface ResolverOptions {
  readonly zones: Zones;
  readonly chance: Chance;
  /** Milliseconds that an alias lives: its target's own TTL. */
  readonly aliasLife: number;
  /** Whether the load balancer of this name has a healthy target. */
  isServing(dnsName: string): boolean;
  isHealthy(healthCheckId: string): boolean;
}

const MOST_STEPS = 8;

/** Answers as Route 53 does: a weighted draw for each question, among what is healthy. undefined: no such name. */
export function resolve(name: string, options: ResolverOptions): Resolved | undefined {
  let at = fullName(name);
  let life = Number.POSITIVE_INFINITY;
  let setIdentifier: string | undefined;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    if (/\.elb\.amazonaws\.com\.$/.test(at)) {
      const dnsName = at.slice(0, -1).replace(/^dualstack\./, '');
      return { dnsName, life: Number.isFinite(life) ? life : options.aliasLife, setIdentifier };
    }
    const drawn = draw(recordsOf(at, options.zones), options);
    const next = drawn?.alias?.dnsName ?? (drawn?.type === 'CNAME' ? drawn.values[0] : undefined);
    if (drawn === undefined || next === undefined) return undefined;
    setIdentifier ??= drawn.setIdentifier;
    life = Math.min(life, drawn.ttl === undefined ? options.aliasLife : drawn.ttl * 1_000);
    at = fullName(next);
  }
  return undefined;
}

/** Of the zone that is nearest to the name, IPv4 before a CNAME. */
function recordsOf(name: string, zones: Zones): readonly RecordSet[] {
  const [zone] = zones
    .all()
    .filter((each) => name === each.name || name.endsWith(`.${each.name}`))
    .toSorted((a, b) => b.name.length - a.name.length);
  const found = zone === undefined ? [] : zones.published(zone).filter((record) => record.name === name);
  const addresses = found.filter(({ type }) => type === 'A');
  return addresses.length > 0 ? addresses : found.filter(({ type }) => type === 'CNAME');
}

/**
 * Weighted records with weight first; those with weight 0 only when none of the others is healthy; and when nothing is
 * healthy at all, as if everything were. All weights 0: equal shares.
 */
function draw(records: readonly RecordSet[], options: ResolverOptions): RecordSet | undefined {
  const healthy = records.filter((record) => answers(record, options));
  const able = healthy.length > 0 ? healthy : records;
  const weighted = able.filter(({ weight }) => (weight ?? 1) > 0);
  const among = weighted.length > 0 ? weighted : able;
  const share = ({ weight }: RecordSet): number => (weighted.length > 0 ? (weight ?? 1) : 1);
  let left = options.chance() * among.reduce((sum, record) => sum + share(record), 0);
  for (const record of among) {
    left -= share(record);
    if (left < 0) return record;
  }
  return among.at(-1);
}

function answers({ alias, healthCheckId }: RecordSet, { isServing, isHealthy }: ResolverOptions): boolean {
  if (healthCheckId !== undefined && !isHealthy(healthCheckId)) return false;
  if (alias?.evaluateTargetHealth !== 'true') return true;
  return isServing(alias.dnsName.slice(0, -1).replace(/^dualstack\./, ''));
}
