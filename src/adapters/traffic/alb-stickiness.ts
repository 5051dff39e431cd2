import { type Action, AddTagsCommand, RemoveTagsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Duration, type Instant, after, formatDuration, instant, seconds } from '../../domain/duration.ts';
import { formatSplit } from '../../domain/traffic-split.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Tidied } from '../../ports/traffic-router.ts';
import { callAws } from '../aws/errors.ts';
import { forwardOf, splitOf, stickyFor, stuckFor } from './alb-actions.ts';
import type { AlbPlace } from './alb-place.ts';
import { readTags } from './alb-tags.ts';
import type { AlbClients, WriteFacts } from './alb.ts';

/**
 * Stickiness that a rollback drops is remembered in a tag of the rule, written before the first weights are: `600` while
 * it is on, `600 off 2026-11-20T12:00:00.000Z` from the first look after it was dropped.
 */
const KEY = 'sluice:stickiness';

export interface Remembered {
  readonly duration: Duration;
  /** When it was seen to be off first. */
  readonly offSince: Instant | undefined;
}

/** undefined: nothing is remembered, or nothing that can be read. */
export function rememberedIn(value: string | undefined): Remembered | undefined {
  const [, length, since] = /^(\d{1,6})(?: off (\S+))?$/.exec(value ?? '') ?? [];
  if (length === undefined) return undefined;
  const moment = since === undefined ? undefined : Date.parse(since);
  return Number.isNaN(moment)
    ? undefined
    : { duration: seconds(Number(length)), offSince: moment === undefined ? undefined : instant(moment) };
}

const textOf = ({ duration, offSince }: Remembered): string =>
  `${duration / 1_000}${offSince === undefined ? '' : ` off ${new Date(offSince).toISOString()}`}`;

const wordsOf = (duration: Duration): string => `stickiness of ${formatDuration(duration)}`;

export type NextOfTidying = Tidied | { readonly kind: 'mark' | 'forget' | 'put-back'; readonly remembered: Remembered };

/**
 * PURE. Cookies of the time before the drop still name the color that was left, and a cookie outranks the weights; they
 * are over when the stickiness itself would have ended. Before that it stays off.
 */
export function nextOfTidying(
  remembered: Remembered | undefined,
  stickiness: 'on' | 'off',
  now: Instant,
): NextOfTidying {
  if (remembered === undefined) return { kind: 'nothing' };
  if (stickiness === 'on') return { kind: 'forget', remembered };
  if (remembered.offSince === undefined) return { kind: 'mark', remembered: { ...remembered, offSince: now } };
  const at = after(remembered.offSince, remembered.duration);
  return now < at ? { kind: 'later', what: wordsOf(remembered.duration), at } : { kind: 'put-back', remembered };
}

export interface Tidying {
  readonly memory: StickinessMemory;
  readonly place: AlbPlace;
  readonly clock: Pick<Clock, 'now'>;
  read(signal: AbortSignal): Promise<readonly Action[]>;
  write(actions: Action[], facts: WriteFacts, signal: AbortSignal): Promise<void>;
}

/** One step of the way back to stickiness as it was; the next call makes the next one. */
export async function tidyStickiness(
  { memory, place, clock, read, write }: Tidying,
  signal: AbortSignal,
  guard?: (signal: AbortSignal) => Promise<void>,
): Promise<Tidied> {
  const found = await memory.read(signal);
  if (found === undefined) return { kind: 'nothing' };
  const actions = await read(signal);
  const forward = forwardOf(actions, place.groups, place.name);
  const next = nextOfTidying(found, stickyFor(forward) > 0 ? 'on' : 'off', clock.now());
  if (next.kind === 'nothing' || next.kind === 'done' || next.kind === 'later') return next;
  const { duration } = next.remembered;
  const what = wordsOf(duration);
  await guard?.(signal);
  if (next.kind === 'mark') {
    await memory.write(next.remembered, signal);
    return { kind: 'later', what, at: after(clock.now(), duration) };
  }
  if (next.kind === 'put-back') {
    const facts = { split: splitOf(forward), before: formatSplit(forward.weights) };
    await write(stuckFor(actions, place.groups, duration), facts, signal);
  }
  await memory.forget(signal);
  return next.kind === 'put-back' ? { kind: 'done', what } : { kind: 'nothing' };
}

export interface StickinessMemory {
  read(signal: AbortSignal): Promise<Remembered | undefined>;
  write(remembered: Remembered, signal: AbortSignal): Promise<void>;
  forget(signal: AbortSignal): Promise<void>;
}

export function stickinessMemory({ reads, writes }: AlbClients, place: AlbPlace): StickinessMemory {
  const what = `Could not remember the stickiness of ${place.name}`;
  return {
    read: async (signal) => rememberedIn((await readTags(reads, place, signal))[KEY]),
    async write(remembered, signal) {
      const Tags = [{ Key: KEY, Value: textOf(remembered) }];
      await callAws({ action: 'elasticloadbalancing:AddTags', what }, signal, () =>
        writes.send(new AddTagsCommand({ ResourceArns: [place.arn], Tags }), { abortSignal: signal }),
      );
    },
    async forget(signal) {
      await callAws({ action: 'elasticloadbalancing:RemoveTags', what }, signal, () =>
        writes.send(new RemoveTagsCommand({ ResourceArns: [place.arn], TagKeys: [KEY] }), { abortSignal: signal }),
      );
    },
  };
}
