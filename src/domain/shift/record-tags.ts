import { type Instant, instant } from '../duration.ts';
import { Failure } from '../failure.ts';
import { type Color, COLORS } from '../traffic-split.ts';
import { type OpenGate, formatGate, parseGateTag } from './gate.ts';
import { type HooksDone, formatHooksDone, parseHooksDone } from './hooks.ts';
import { type HeldScaling, formatHeld, parseHeld } from './scaling.ts';
import { type Phase, type RunKey, type ShiftRecord, PHASES, formatRun } from './record.ts';

/** Bumped when a reader of the older form could misunderstand the newer one. */
const SCHEMA = '1';
export const TAG_PREFIX = 'sluice:';

type Tags = Readonly<Record<string, string>>;

/**
 * The record as tags of ELBv2: keys of at most 128 characters, values of at most 256, of letters, digits, spaces and
 * `+ - = . _ : / @`. Every key is always written, so that one write leaves nothing of an earlier record.
 */
export function tagsOf(record: ShiftRecord): Tags {
  const time = (moment: Instant | undefined): string => (moment === undefined ? '' : new Date(moment).toISOString());
  return {
    [`${TAG_PREFIX}schema`]: SCHEMA,
    [`${TAG_PREFIX}shift-id`]: record.id,
    [`${TAG_PREFIX}run`]: formatRun(record.run),
    [`${TAG_PREFIX}images`]: record.images,
    [`${TAG_PREFIX}stable`]: record.stable,
    [`${TAG_PREFIX}candidate`]: record.candidate,
    [`${TAG_PREFIX}phase`]: record.phase,
    [`${TAG_PREFIX}groups`]: record.groups ?? '',
    [`${TAG_PREFIX}from`]: String(record.from),
    [`${TAG_PREFIX}step`]: String(record.percent),
    [`${TAG_PREFIX}begun`]: time(record.begunAt),
    [`${TAG_PREFIX}since`]: time(record.since),
    [`${TAG_PREFIX}traffic`]: time(record.trafficAt),
    [`${TAG_PREFIX}lease`]: time(record.leaseUntil),
    [`${TAG_PREFIX}autoscaling`]: formatHeld(record.scaling),
    [`${TAG_PREFIX}hooks`]: formatHooksDone(record.hooks),
    [`${TAG_PREFIX}gate`]: formatGate(record.gate),
    [`${TAG_PREFIX}approval`]: record.approval ?? '',
    [`${TAG_PREFIX}reason`]: taggable(record.reason),
    [`${TAG_PREFIX}detected`]: time(record.detectedAt),
    [`${TAG_PREFIX}restored`]: time(record.restoredAt),
  };
}

/** Whether two records are the same as far as tags can say. */
export const sameRecord = (a: ShiftRecord | undefined, b: ShiftRecord | undefined): boolean => {
  const text = (each: ShiftRecord | undefined): string => (each === undefined ? '' : JSON.stringify(tagsOf(each)));
  return text(a) === text(b);
};

/** undefined: no shift was ever recorded. A record that cannot be understood is a Failure, never an absence. */
export function recordOf(tags: Tags, where: string): ShiftRecord | undefined {
  if (tags[`${TAG_PREFIX}schema`] === undefined) return undefined;
  const reader = readerOf(tags, where);
  if (tags[`${TAG_PREFIX}schema`] !== SCHEMA) throw reader.broken('schema');
  const candidate = reader.color('candidate');
  const stable = reader.color('stable');
  if (stable === candidate) throw reader.broken('candidate');
  return {
    id: reader.text('shift-id'),
    run: reader.run(),
    images: reader.text('images'),
    stable,
    candidate,
    phase: reader.phase(),
    // Absent in records of versions that named colors only.
    groups: tags[`${TAG_PREFIX}groups`] === '' ? undefined : tags[`${TAG_PREFIX}groups`],
    from: reader.percent('from'),
    percent: reader.percent('step'),
    begunAt: reader.time('begun'),
    since: reader.time('since'),
    trafficAt: reader.optionalTime('traffic'),
    leaseUntil: reader.time('lease'),
    scaling: reader.scaling(),
    hooks: reader.hooks(),
    gate: reader.gate(),
    approval: reader.approval(),
    reason: tags[`${TAG_PREFIX}reason`] ?? '',
    detectedAt: reader.optionalTime('detected'),
    restoredAt: reader.optionalTime('restored'),
  };
}

/**
 * Nothing else remembers what autoscaling was. `held`: what the tag says, even where it cannot be understood.
 */
export const removalWords = (held: string): string => {
  const remove = `remove the tags that begin with ${TAG_PREFIX}`;
  return held === ''
    ? remove
    : `first give back the autoscaling that ${TAG_PREFIX}autoscaling holds (${held}: what was suspended of each color before the shift), then ${remove}`;
};

interface Reader {
  broken(key: string): Failure;
  text(key: string): string;
  color(key: string): Color;
  phase(): Phase;
  run(): RunKey;
  percent(key: string): number;
  scaling(): HeldScaling;
  hooks(): HooksDone;
  gate(): OpenGate | undefined;
  approval(): ShiftRecord['approval'];
  time(key: string): Instant;
  optionalTime(key: string): Instant | undefined;
}

function readerOf(tags: Tags, where: string): Reader {
  const given = (key: string): string => tags[TAG_PREFIX + key] ?? '';
  const broken = (key: string): Failure =>
    new Failure({
      what: `The shift recorded on ${where} cannot be read`,
      why: `the tag ${TAG_PREFIX}${key} is "${given(key)}"`,
      now: 'Nothing was touched',
      next: `When no shift is under way, ${removalWords(given('autoscaling'))}, then re-run`,
    });
  const optionalTime = (key: string): Instant | undefined => {
    if (given(key) === '') return undefined;
    const moment = Date.parse(given(key));
    if (Number.isNaN(moment)) throw broken(key);
    return instant(moment);
  };
  const must = <T>(key: string, value: T | undefined): T => {
    if (value === undefined) throw broken(key);
    return value;
  };
  return {
    broken,
    optionalTime,
    text: (key) => must(key, given(key) === '' ? undefined : given(key)),
    color: (key) =>
      must(
        key,
        COLORS.find((color) => color === given(key)),
      ),
    phase: () =>
      must(
        'phase',
        PHASES.find((phase) => phase === given('phase')),
      ),
    run: () => {
      const [, id, attempt] = must('run', /^(.+)\/(\d+)$/.exec(given('run')) ?? undefined);
      return { id: id ?? '', attempt: Number(attempt) };
    },
    percent: (key) => must(key, /^(\d|[1-9]\d|100)$/.test(given(key)) ? Number(given(key)) : undefined),
    // Absent in records of versions that held nothing.
    scaling: () => must('autoscaling', parseHeld(given('autoscaling'))),
    hooks: () => must('hooks', parseHooksDone(given('hooks'))),
    gate: () => (given('gate') === '' ? undefined : must('gate', parseGateTag(given('gate')))),
    // Absent in records of versions that told it by the reason alone.
    approval: () => {
      if (!['', 'refused'].includes(given('approval'))) throw broken('approval');
      return given('approval') === '' ? undefined : 'refused';
    },
    time: (key) => must(key, optionalTime(key)),
  };
}

/** Words for a tag: what ELBv2 refuses is spelt out or left out, and cut to what fits. */
export const taggable = (text: string): string =>
  text
    .replaceAll('%', 'percent')
    .replaceAll('>=', 'at least')
    .replaceAll('<=', 'at most')
    .replaceAll('>', 'over')
    .replaceAll('<', 'under')
    .replaceAll(/[^\p{L}\p{N} +\-=._:/@]/gu, ' ')
    .replaceAll(/ +/g, ' ')
    .trim()
    .slice(0, 256);
