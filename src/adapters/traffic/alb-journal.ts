import { AddTagsCommand, RemoveTagsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ShiftRecord } from '../../domain/shift/record.ts';
import { recordOf, tagsOf } from '../../domain/shift/record-tags.ts';
import type { Journal } from '../../ports/journal.ts';
import { callAws } from '../aws/errors.ts';
import type { AlbPlace } from './alb-place.ts';
import { readTags } from './alb-tags.ts';
import type { AlbClients } from './alb.ts';

/**
 * The record of a shift in tags of the rule (or of the listener, whose default action has none of its own): beside the
 * weights that it explains, readable by whoever may read the rule, gone with it.
 */
export function albJournal({ reads, writes }: AlbClients, place: AlbPlace): Journal<ShiftRecord> {
  const what = `Could not record the shift on ${place.name}`;
  const read = (signal: AbortSignal): Promise<Readonly<Record<string, string>>> => readTags(reads, place, signal);
  return {
    read: async (signal) => recordOf(await read(signal), place.name),
    async write(record, signal) {
      const tags = Object.entries(tagsOf(record)).map(([Key, Value]) => ({ Key, Value }));
      await callAws({ action: 'elasticloadbalancing:AddTags', what }, signal, () =>
        writes.send(new AddTagsCommand({ ResourceArns: [place.arn], Tags: tags }), { abortSignal: signal }),
      );
    },
    async clear(signal) {
      const keys = Object.keys(await read(signal)).filter((key) => key.startsWith('sluice:'));
      if (keys.length === 0) return;
      await callAws({ action: 'elasticloadbalancing:RemoveTags', what }, signal, () =>
        writes.send(new RemoveTagsCommand({ ResourceArns: [place.arn], TagKeys: keys }), { abortSignal: signal }),
      );
    },
  };
}
