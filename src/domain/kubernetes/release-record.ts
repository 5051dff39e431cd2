import { Failure } from '../failure.ts';
import { managerOf } from './intent.ts';
import { type KubeObject, type Ref, isFields, keyOf, listAt, numberAt, refOf, textAt } from './object.ts';
import { restrictTo } from './ownership.ts';

/**
 * What is known of one release, written before the first write of it and kept in the Secret `sluice.<app>.v<N>`. It is what
 * `rollback`, a resumed run and `post` go by, so it has all of the intent, values of Secrets included.
 */
export interface ReleaseRecord {
  readonly schema: 1;
  readonly app: string;
  /** From 1. */
  readonly revision: number;
  readonly release: string;
  /** `<run id>/<attempt>` */
  readonly run: string;
  /** Which job or step of that run; absent in records of earlier versions. */
  readonly process?: string;
  readonly phase: ReleasePhase;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Hash of the intent: a re-run of the same release goes on where this one stopped. */
  readonly digest: string;
  /** As it was sent, fields that were given in to left out. */
  readonly objects: readonly KubeObject[];
  /** What stood there before the first write, of objects that no release of this app had. */
  readonly before: readonly BeforeObject[];
  /** Revision that served when this one began. */
  readonly previous?: number;
  /** Revision that this one repeats: `mode: rollback` makes a new revision, so that the record never runs backwards. */
  readonly copyOf?: number;
  readonly images: readonly string[];
  /** What hashes of values that are not shown are keyed with: made at the first release, the same for all later ones. */
  readonly hideKey?: string;
}

/** `object` is absent where there was none. */
export interface BeforeObject {
  readonly ref: Ref;
  readonly object?: KubeObject;
}

/**
 * `applying`: writes may be under way. `deployed`: it serves. `superseded`: a later one serves. `rolling-back` and
 * `rolled-back`: it was taken back, or is about to be. `failed`: it stands, and it is not good.
 */
export type ReleasePhase = 'applying' | 'deployed' | 'superseded' | 'rolling-back' | 'rolled-back' | 'failed';

const PHASES: readonly string[] = ['applying', 'deployed', 'superseded', 'rolling-back', 'rolled-back', 'failed'];

/** Reads what `sluice.<app>.v<N>` holds. A record that cannot be read is a Failure: going on without it could undo a stranger's work. */
export function readRecord(text: string, where: string): ReleaseRecord {
  const refuse = (why: string): Failure =>
    new Failure({
      what: `Could not read the release record ${where}`,
      why,
      next: 'Delete that Secret if nobody needs the release any more, then re-run',
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Failure(refuse('it is not JSON').facts, { cause });
  }
  if (!isFields(value) || value['schema'] !== 1) throw refuse('it was written by another version of Sluice');
  const phase = textAt(value, 'phase') ?? '';
  const revision = numberAt(value, 'revision');
  if (revision === undefined || !PHASES.includes(phase)) throw refuse('its phase or its revision is missing');
  if (listAt(value, 'objects').some((each) => textAt(each, 'metadata', 'name') === undefined))
    throw refuse('one of its objects has no name');
  return value as unknown as ReleaseRecord;
}

/** Type of the Secrets that hold records. */
export const RECORD_TYPE = 'sluice.dev/release';

export const recordName = (app: string, revision: number): string => `sluice.${app}.v${revision}`;

/** The revision whose intent a record has: its own, or the one that it repeats. */
export const repeatedBy = ({ copyOf, revision }: ReleaseRecord): number => copyOf ?? revision;

/** Whether a process, its main or its post, answers for a release. */
export const isOf = (
  { run, process }: Pick<ReleaseRecord, 'run' | 'process'>,
  writer: { readonly run: string; readonly process: string },
): boolean => run === writer.run && process === writer.process;

/** Newest first. */
export const newestFirst = (records: readonly ReleaseRecord[]): readonly ReleaseRecord[] =>
  [...records].sort((a, b) => b.revision - a.revision);

/** The release that serves, as far as the record knows. */
export const servingOf = (records: readonly ReleaseRecord[]): ReleaseRecord | undefined =>
  newestFirst(records).find(({ phase }) => phase === 'deployed');

/**
 * The key of a plan, which a run that shows it and the run that does it must both have: of a release that came to be. One
 * that was taken back left the cluster as it was, and the plan that was shown before it still holds.
 */
export const hideKeyOf = (records: readonly ReleaseRecord[]): string | undefined =>
  newestFirst(records).find(({ phase, hideKey }) => hideKey !== undefined && /^(?:deployed|superseded)$/.test(phase))
    ?.hideKey;

/**
 * One that was begun and not ended: its run was killed. What a later release came to serve over is over, whatever its record
 * says: taking it back would take back the later one.
 */
export const unfinishedOf = (records: readonly ReleaseRecord[]): ReleaseRecord | undefined => {
  const served = servingOf(records)?.revision ?? 0;
  return newestFirst(records).find(
    ({ phase, revision }) => (phase === 'applying' || phase === 'rolling-back') && revision > served,
  );
};

/**
 * The last one that was begun, when it is not good and stands all the same: it was left, or could not be taken back. A way
 * back from it that was itself taken back changes nothing about that; nor does, where none serves, any other that was taken
 * back since, because it led to what was left.
 */
export const leftStanding = (records: readonly ReleaseRecord[]): ReleaseRecord | undefined => {
  const leads = servingOf(records) === undefined ? 'to-what-was-left' : 'to-what-serves';
  const newest = newestFirst(records).find(
    ({ phase, copyOf }) => phase !== 'rolled-back' || (copyOf === undefined && leads === 'to-what-serves'),
  );
  return newest?.phase === 'failed' ? newest : undefined;
};

/** What a roll back takes back, and leads to nothing else: what is unfinished, or the first releases that failed and were left. */
export const toTakeBack = (records: readonly ReleaseRecord[]): ReleaseRecord | undefined =>
  unfinishedOf(records) ?? (servingOf(records) === undefined ? allLeft(records) : undefined);

/** Releases that failed and were left one after the other, before any came to serve. */
const leftBefore = (records: readonly ReleaseRecord[], last: ReleaseRecord): readonly ReleaseRecord[] =>
  newestFirst(records).filter(({ phase, revision }) => phase === 'failed' && revision < last.revision);

/**
 * Those of them that went with `taken`, which was taken back to nothing: each object that they came to is as the first of them
 * found it. One that was taken back alone led to what they had left.
 */
export function goneWith(records: readonly ReleaseRecord[], taken: ReleaseRecord): readonly ReleaseRecord[] {
  if (taken.previous !== undefined) return [];
  const left = leftBefore(records, taken);
  const foundBy = (all: readonly ReleaseRecord[]) =>
    new Map(all.flatMap(({ before }) => before.map(({ ref, object }) => [keyOf(ref), JSON.stringify(object)])));
  // The first of them is written last, and stays.
  const [first, now] = [foundBy(left), foundBy([taken])];
  return left.filter(({ before }) =>
    before.every(({ ref }) => now.has(keyOf(ref)) && now.get(keyOf(ref)) === first.get(keyOf(ref))),
  );
}

/** As one: the last of them with all that they have, and as the first of them found it. */
function allLeft(records: readonly ReleaseRecord[]): ReleaseRecord | undefined {
  const last = leftStanding(records);
  if (last === undefined) return undefined;
  const all = [last, ...leftBefore(records, last)];
  const byKey = <T>(each: readonly T[], refOfEach: (one: T) => Ref): readonly T[] => [
    ...new Map(each.map((one) => [keyOf(refOfEach(one)), one])).values(),
  ];
  return {
    ...last,
    objects: byKey(
      [...all].reverse().flatMap(({ objects }) => objects),
      refOf,
    ),
    before: byKey(
      all.flatMap(({ before }) => before),
      ({ ref }) => ref,
    ),
  };
}

/** What may stand of an app: the release that serves, and bad ones since. */
export const standingObjects = (records: readonly ReleaseRecord[]): readonly KubeObject[] => {
  const serving = servingOf(records);
  const since = records.filter(({ phase, revision }) => phase === 'failed' && revision > (serving?.revision ?? 0));
  return [...(serving?.objects ?? []), ...since.flatMap(({ objects }) => objects)];
};

/**
 * How it was before releases after `target` came to each object that `target` does not have: what a way back to it undoes.
 * What was there already is nothing of theirs, though another release of this app made it and left it (`prune: none`).
 */
function firstSeenSince(records: readonly ReleaseRecord[], target: ReleaseRecord): readonly BeforeObject[] {
  // One that never came to be stands where the one stood that it repeats.
  const from = /^(?:deployed|superseded)$/.test(target.phase) ? target.revision : (target.copyOf ?? target.revision);
  // What never served and was taken back gave everything back: what it found and made says nothing of now.
  const served = new Set(records.map(({ previous }) => previous));
  const since = records
    .filter(({ phase, revision }) => revision > from && (phase !== 'rolled-back' || served.has(revision)))
    .sort((a, b) => b.revision - a.revision);
  const has = new Set(target.objects.map((object) => keyOf(refOf(object))));
  // The first of them is written last, and stays.
  const first = new Map(since.flatMap(({ before }) => before.map((each) => [keyOf(each.ref), each] as const)));
  return [...first].flatMap(([key, each]) => (has.has(key) ? [] : [each]));
}

/** What later releases made: a roll back to `target` takes it away, and nothing else. */
export const madeSince = (records: readonly ReleaseRecord[], target: ReleaseRecord): readonly Ref[] =>
  firstSeenSince(records, target).flatMap(({ ref, object }) => (object === undefined ? [ref] : []));

/**
 * Objects that stand and that `target` does not have, though no later release made them: as they were before one took them
 * over. A roll back to `target` gives them their values back, and takes none of them away.
 */
export function adoptedSince(records: readonly ReleaseRecord[], target: ReleaseRecord): readonly KubeObject[] {
  const standing = new Map(standingObjects(records).map((object) => [keyOf(refOf(object)), object]));
  return firstSeenSince(records, target).flatMap(({ ref, object: found }) => {
    const intent = standing.get(keyOf(ref));
    return found === undefined || intent === undefined ? [] : [restrictTo(intent, found, managerOf(target.app))];
  });
}

/** Where `mode: rollback` leads without `to`, when the one that serves is to be left: the newest one before the serving one that served once. */
export const beforeServing = (records: readonly ReleaseRecord[]): ReleaseRecord | undefined => {
  const serving = servingOf(records);
  if (serving === undefined) return undefined;
  // A revision that repeats an earlier one stands where that one stood: two roll backs lead two releases back.
  const from = repeatedBy(serving);
  return newestFirst(records).find(
    ({ revision, phase, copyOf, digest }) =>
      // One whose record could not say that a later one serves is as good as those whose record does.
      /^(?:deployed|superseded)$/.test(phase) &&
      revision < serving.revision &&
      (copyOf ?? revision) < from &&
      digest !== serving.digest,
  );
};

/**
 * Older releases that are still called the one that serves, as they are to be called now that `newest` is it: that of the one
 * before it, and any whose own could not be written then. What was left by a roll back was bad, and nobody is led there again,
 * unless it is what was gone back to.
 */
export function noLongerServing(records: readonly ReleaseRecord[], newest: ReleaseRecord): readonly ReleaseRecord[] {
  const came = newestFirst([newest, ...records.filter(({ revision }) => revision < newest.revision)]).filter(
    ({ phase }) => phase === 'deployed' || phase === 'superseded',
  );
  return came.flatMap((each, index) => {
    const by = came[index - 1];
    if (each.phase !== 'deployed' || by === undefined) return [];
    const isLeft = by.copyOf !== undefined && by.copyOf !== repeatedBy(each);
    return [{ ...each, phase: isLeft ? 'rolled-back' : 'superseded' }];
  });
}

/** What `to` names; or why it names nothing that can be gone to, as a clause. */
export type Named =
  { readonly kind: 'found'; readonly record: ReleaseRecord } | { readonly kind: 'none'; readonly why: string };

/**
 * A release id; `7` or `v7`, a revision, where no release id looks like it; `revision:7`, a revision and nothing else. What
 * could be two releases is none: a roll back is no moment to guess.
 */
export function findRelease(records: readonly ReleaseRecord[], named: string): Named {
  const all = newestFirst(records);
  const [, alone] = /^revision:(\d*)$/.exec(named) ?? [];
  const [, mark = '', number] = /^(v?)(\d+)$/.exec(named) ?? [];
  const byNumber = all.find(({ revision }) => String(revision) === (alone ?? number));
  const found = (record: ReleaseRecord): Named => ({ kind: 'found', record });
  const none = (why: string): Named => ({ kind: 'none', why });
  if (alone === '') return none('no revision was before this one, so there is none to name');
  if (alone !== undefined) return byNumber === undefined ? none(`revision ${alone} is not recorded`) : found(byNumber);
  const called = all.filter(({ release }) => release === named);
  const good = called.find(({ phase }) => phase === 'deployed' || phase === 'superseded');
  const other =
    byNumber === undefined || byNumber.release === named
      ? ''
      : `; revision:${byNumber.revision} is release ${byNumber.release}`;
  if (good !== undefined)
    return other === '' || mark !== ''
      ? found(good)
      : none(`${named} is release ${named} (revision:${good.revision})${other}`);
  const [bad] = called;
  if (bad !== undefined) return none(`release ${named} (revision:${bad.revision}) is ${bad.phase}${other}`);
  const alike = new RegExp(`^${mark}\\d+$`);
  const isAlike = all.some(({ release }) => alike.test(release));
  return byNumber === undefined || isAlike ? none(`no recorded release is called ${named}${other}`) : found(byNumber);
}

/** Records older than the newest `keep` good ones: nothing leads back to them. Bad ones between them stay, to be looked at. */
export const outdated = (records: readonly ReleaseRecord[], keep: number): readonly ReleaseRecord[] => {
  const good = newestFirst(records).filter(({ phase }) => phase === 'deployed' || phase === 'superseded');
  const oldest = good[keep - 1];
  return oldest === undefined ? [] : records.filter(({ revision }) => revision < oldest.revision);
};
