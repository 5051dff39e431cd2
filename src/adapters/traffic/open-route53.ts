import { Route53Client } from '@aws-sdk/client-route-53';
import { type Duration, formatDuration, seconds } from '../../domain/duration.ts';
import type { ClientConfig } from '../aws/client-config.ts';
import type { OpenRouter, OpenTools } from './open-alb.ts';
import { route53Journal } from './route53-journal.ts';
import { type Route53Target, findRoute53Place, recordsOf } from './route53-place.ts';
import { lifeOf, weightedRecords } from './route53-records.ts';
import { route53Targets } from './route53-targets.ts';
import { type Route53Clients, route53Router } from './route53.ts';

/** Longer than this, each step and each way back waits for caches more than it needs to. */
const LONG_LIFE: Duration = seconds(60);

/** Router, targets and journal of one name, found once. Writes nothing. */
export async function openRoute53(
  config: ClientConfig,
  target: Route53Target,
  { clock, prober, signal, left }: OpenTools,
): Promise<OpenRouter> {
  const clients: Route53Clients = {
    reads: new Route53Client(config),
    writes: new Route53Client({ ...config, maxAttempts: 1 }),
  };
  const place = await findRoute53Place(clients.reads, target, signal);
  const found = await recordsOf(clients.reads, { zoneId: place.zoneId, name: place.record }, signal);
  const records = weightedRecords(found, { where: place.name, colors: place.colors });
  const journal = route53Journal(clients, place);
  const life = lifeOf(records);
  const tools = { config, route53: clients.reads, prober };
  const { targets, meterOf, notices } = await route53Targets(target, { place, records, left }, tools, signal);
  return {
    router: route53Router(clients, place, { clock, unchangedRecord: journal.unchanged }),
    targets,
    meterOf,
    journal,
    rules: undefined,
    notices: [...(life > LONG_LIFE ? [longLife(place.name, life)] : []), ...notices],
  };
}

const longLife = (place: string, life: Duration): string =>
  `${place} lives ${formatDuration(life)} in caches: every step waits as long before it is judged, and a way back takes as long to reach everybody. Lower its TTL to 60 or less, one TTL ahead of a release`;
