import {
  type Change,
  type ResourceRecordSet,
  type Route53Client,
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
} from '@aws-sdk/client-route-53';
import { type Duration, type Instant, after, milliseconds, seconds } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import { type TrafficSplit, NoLiveColor, formatSplit, sameSplit, splitGiving } from '../../domain/traffic-split.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TrafficRouter } from '../../ports/traffic-router.ts';
import { callAws } from '../aws/errors.ts';
import { type Route53Place, recordsOf } from './route53-place.ts';
import { type WeightedRecords, hasSplit, lifeOf, splitOf, weightedRecords, withSplit } from './route53-records.ts';

/** Two clients of one account. Writes are made once: one that is repeated by the SDK after a pause would pass every fence. */
export interface Route53Clients {
  readonly reads: Route53Client;
  readonly writes: Route53Client;
}

export interface Route53Tools {
  readonly clock: Pick<Clock, 'now'>;
  /**
   * Changes that go into the batch of the weights and fail it when the record of the shift is no longer the one that was
   * read last: what the fence asked a moment ago is then asked again by Route 53 itself, in the same instant.
   */
  unchangedRecord(): readonly Change[];
}

/** Every name server answers anew within this time (docs.aws.amazon.com/Route53: usually within 60 seconds). */
const EVERYWHERE_WITHIN: Duration = seconds(60);

/** The last change of weights, as far as this process knows it. */
interface Spread {
  readonly split: TrafficSplit;
  /** Undefined: another process made the change; its id cannot be found again. */
  readonly change: string | undefined;
  readonly seenAt: Instant;
  /** When it was everywhere. */
  syncedAt: Instant | undefined;
}

/** Two weighted records of one name, for every type that the name has (A, AAAA, CNAME), moved by one atomic batch. */
export function route53Router(clients: Route53Clients, place: Route53Place, tools: Route53Tools): TrafficRouter {
  const { clock } = tools;
  /** As last read or written: what a signal handler may start from without a read. */
  let known: WeightedRecords | undefined;
  let split: TrafficSplit | undefined;
  let spread: Spread | undefined;
  const read = async (signal: AbortSignal): Promise<WeightedRecords> => {
    const found = await recordsOf(clients.reads, { zoneId: place.zoneId, name: place.record }, signal);
    return (known = weightedRecords(found, { where: place.name, colors: place.colors }));
  };
  const look = async (signal: AbortSignal): Promise<TrafficSplit> => {
    const live = splitOf(await read(signal), split, place.name);
    if (spread === undefined || !sameSplit(spread.split, live))
      spread = { split: live, change: undefined, seenAt: clock.now(), syncedAt: undefined };
    return (split = live);
  };
  const write = async (from: WeightedRecords, wanted: Writing, signal: AbortSignal): Promise<void> => {
    const records = withSplit(from, wanted.split);
    const change = await changeRecords(clients.writes, place, { ...wanted, records }, signal);
    known = weightedRecords(records, { where: place.name, colors: place.colors });
    split = wanted.split;
    spread = { split: wanted.split, change, seenAt: clock.now(), syncedAt: undefined };
  };
  return {
    name: place.name,
    grain: 'percent',
    driver: 'sluice',
    spread: 'with-time',
    observe: look,
    async apply(wanted, signal, guard) {
      const records = await read(signal);
      if (hasSplit(records, wanted)) return;
      await guard?.(signal);
      await write(records, { split: wanted, before: split, also: tools.unchangedRecord() }, signal);
    },
    async restore(color, signal) {
      if (known === undefined)
        throw new Failure({ what: `Could not take the traffic of ${place.name} back`, why: 'it was never read' });
      // Users first: this batch carries no condition that could refuse it.
      await write(known, { split: splitGiving(color, 100), before: split, also: [] }, signal);
    },
    async confirm(wanted, signal) {
      const live = await look(signal).catch(nobodyLive);
      if (live === undefined || !sameSplit(live, wanted) || known === undefined || spread === undefined)
        return 'propagating';
      spread.syncedAt ??= await syncedAt(clients.reads, spread, { place, now: clock.now() }, signal);
      if (spread.syncedAt === undefined) return 'propagating';
      return clock.now() >= after(spread.syncedAt, lifeOf(known)) ? 'live' : 'propagating';
    },
    // Resolvers that keep answers longer than they should are common: twice the life.
    lingers: async (signal) => milliseconds(2 * lifeOf(await read(signal))),
    // Nothing keeps clients on a color here, so nothing is dropped.
    noteDropped: async (signal) => signal.throwIfAborted(),
    tidy: async (signal) => {
      signal.throwIfAborted();
      return { kind: 'nothing' };
    },
  };
}

function nobodyLive(thrown: unknown): undefined {
  if (thrown instanceof NoLiveColor) return undefined;
  throw thrown;
}

/** undefined: not yet everywhere. */
async function syncedAt(
  client: Route53Client,
  { change, seenAt }: Spread,
  { place, now }: { readonly place: Route53Place; readonly now: Instant },
  signal: AbortSignal,
): Promise<Instant | undefined> {
  if (change === undefined) {
    const everywhere = after(seenAt, EVERYWHERE_WITHIN);
    return now >= everywhere ? everywhere : undefined;
  }
  const what = `Could not see whether the change of ${place.name} is everywhere`;
  const answer = await callAws({ action: 'route53:GetChange', what }, signal, () =>
    client.send(new GetChangeCommand({ Id: change }), { abortSignal: signal }),
  );
  return answer.ChangeInfo?.Status === 'INSYNC' ? now : undefined;
}

interface Writing {
  readonly split: TrafficSplit;
  readonly before: TrafficSplit | undefined;
  readonly also: readonly Change[];
}

/** One batch, so that no user meets new weights for IPv4 and old ones for IPv6. Returns the id of the change. */
async function changeRecords(
  client: Route53Client,
  place: Route53Place,
  { split, before, also, records }: Writing & { readonly records: readonly ResourceRecordSet[] },
  signal: AbortSignal,
): Promise<string | undefined> {
  const facts = {
    action: 'route53:ChangeResourceRecordSets',
    what: `Could not set ${formatSplit(split)} on ${place.name}`,
    ...(before === undefined ? {} : { now: `Traffic was ${formatSplit(before)} before` }),
  };
  const upserts = records.map((ResourceRecordSet): Change => ({ Action: 'UPSERT', ResourceRecordSet }));
  const batch = { Comment: `sluice: ${formatSplit(split)}`, Changes: [...also, ...upserts] };
  const answer = await callAws(facts, signal, () =>
    client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: place.zoneId, ChangeBatch: batch }), {
      abortSignal: signal,
    }),
  );
  return answer.ChangeInfo?.Id;
}
