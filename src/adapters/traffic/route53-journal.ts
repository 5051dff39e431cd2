import { type Change, type ResourceRecordSet, ChangeResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import { CloudFailure } from '../../domain/retry-policy.ts';
import type { ShiftRecord } from '../../domain/shift/record.ts';
import { recordOf, sameRecord, tagsOf } from '../../domain/shift/record-tags.ts';
import type { Journal } from '../../ports/journal.ts';
import { callAws } from '../aws/errors.ts';
import { type Route53Place, recordsOf } from './route53-place.ts';
import type { Route53Clients } from './route53.ts';

/*
 * The record of a shift stands in a TXT record beside the weighted ones, `_sluice.<name>`. Records carry no tags, and the
 * other places are worse: a hosted zone has ten tags, shared by every name in it; tags of the ECS services are missing where
 * the name leads to something else than ECS. A TXT record needs no further right than the change of weights, is gone with
 * the zone, and a batch that deletes the old text and creates the new one is refused when the old one is not what was read:
 * the compare-and-set that tags do not have.
 *
 * A public zone is read by everybody. What stands here are ids, colors, shares and times; the reason, in whose words may be
 * anything, stays in the log of the run, and names of target groups are nobody's business.
 */

export interface Route53Journal extends Journal<ShiftRecord> {
  /** Changes that do nothing, and are refused together with their batch when the record is not as it was read last. */
  unchanged(): readonly Change[];
}

const LIFE = 60;

/** `shop.example.com.` -> `_sluice.shop.example.com.`; `\052.example.com.` -> `_sluice.wildcard.example.com.` */
export const journalName = (record: string): string => `_sluice.${record.replace(/^\\052/, 'wildcard')}`;

export function route53Journal(clients: Route53Clients, place: Route53Place): Route53Journal {
  const name = journalName(place.record);
  /** As it stands there, as far as this process knows. */
  let standing: ResourceRecordSet | undefined;
  /** What this process wrote, in its full words. */
  let written: ShiftRecord | undefined;

  async function read(signal: AbortSignal): Promise<ShiftRecord | undefined> {
    const found = await recordsOf(clients.reads, { zoneId: place.zoneId, name }, signal);
    standing = found.find(({ Type }) => Type === 'TXT');
    const record = standing && recordOf(tagsIn(standing), `${place.name} (TXT ${name})`);
    return record !== undefined && written !== undefined && sameRecord(record, publicPart(written)) ? written : record;
  }

  async function change(next: ResourceRecordSet | undefined, signal: AbortSignal): Promise<void> {
    const Changes = [...asChanges('DELETE', standing), ...asChanges('CREATE', next)];
    if (Changes.length === 0) return;
    const what = `Could not record the shift of ${place.name} in ${name}`;
    const batch = { Comment: 'sluice: record of the shift', Changes };
    const was = standing;
    // Until the answer is here it is not known what stands there; the next read tells.
    await callAws({ action: 'route53:ChangeResourceRecordSets', what }, signal, () =>
      clients.writes.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: place.zoneId, ChangeBatch: batch }), {
        abortSignal: signal,
      }),
    ).catch((thrown: unknown) => {
      throw lostRace(thrown, what, was);
    });
    standing = next;
  }

  return {
    read,
    async write(record, signal) {
      await change(textRecord(name, publicPart(record)), signal);
      written = record;
    },
    async clear(signal) {
      await read(signal);
      await change(undefined, signal);
      written = undefined;
    },
    unchanged: () => [...asChanges('DELETE', standing), ...asChanges('CREATE', standing)],
  };
}

const publicPart = (record: ShiftRecord): ShiftRecord => ({
  ...record,
  reason: '',
  groups: undefined,
});

const asChanges = (Action: 'DELETE' | 'CREATE', record: ResourceRecordSet | undefined): readonly Change[] =>
  record === undefined ? [] : [{ Action, ResourceRecordSet: record }];

/** One string of the record for each tag: `"sluice:phase=judging"`. */
const textRecord = (name: string, record: ShiftRecord): ResourceRecordSet => ({
  Name: name,
  Type: 'TXT',
  TTL: LIFE,
  ResourceRecords: [
    {
      Value: Object.entries(tagsOf(record))
        .map(([key, value]) => `"${key}=${value}"`)
        .join(' '),
    },
  ],
});

function tagsIn({ ResourceRecords = [] }: ResourceRecordSet): Readonly<Record<string, string>> {
  const strings = [...(ResourceRecords[0]?.Value ?? '').matchAll(/"([^"]*)"/g)].map(([, text]) => text ?? '');
  return Object.fromEntries(strings.map((text) => [text.split('=', 1)[0] ?? '', text.slice(text.indexOf('=') + 1)]));
}

/** Somebody else wrote since the last read. Looking again tells who; so this passes. */
function lostRace(thrown: unknown, what: string, was: ResourceRecordSet | undefined): unknown {
  const isRace =
    thrown instanceof CloudFailure && /already exists|was not found|do not match the current values/.test(thrown.message);
  if (!isRace) return thrown;
  const why = was === undefined ? 'another run has recorded one in the meantime' : 'another run has changed it in the meantime';
  return new CloudFailure('transient', { what, why, next: 'Re-run: it looks again' }, { cause: thrown });
} // prettier-ignore
