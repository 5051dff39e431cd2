import { type Duration, type Instant, after, days, instant } from '../duration.ts';
import { type Cron, isNth } from './cron.ts';
import { type WallTime, dayAfter, instantOf, wallTime, weekdayOf } from './zone.ts';

/** When deployments may happen: it opens at a time of the zone's clocks and stays open for a length of real time. */
export interface WindowRule {
  /** As written, for messages. */
  readonly text: string;
  readonly zone: string;
  readonly duration: Duration;
  readonly opens:
    | {
        readonly kind: 'weekday';
        /** 0 is Sunday; empty: every day. */
        readonly weekdays: readonly number[];
        readonly nth?: number | 'last';
        readonly hour: number;
        readonly minute: number;
      }
    | { readonly kind: 'cron'; readonly cron: Cron };
}

/** When nothing may be deployed, whatever the windows say. */
export interface Freeze {
  readonly from: Instant;
  readonly to: Instant;
  readonly reason: string;
  /** Empty: all. */
  readonly environments: readonly string[];
}

export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

export interface Schedule {
  /** Empty: at any time. */
  readonly windows: readonly WindowRule[];
  readonly freezes: readonly Freeze[];
}

export type Opening =
  | { readonly kind: 'open'; readonly until: Instant | 'always' }
  | { readonly kind: 'closed'; readonly because: string; readonly next: Span | undefined };

/** Nobody plans further ahead; a window that never comes (30 February) is found out by this. */
const HORIZON = days(400);

/** Whether the schedule lets a deployment to `environment` begin now, and else when it does. */
export function openingAt(schedule: Schedule, environment: string, now: Instant): Opening {
  const freezes = schedule.freezes.filter(
    (each) => each.environments.length === 0 || each.environments.includes(environment),
  );
  const frozen = freezes.find(({ from, to }) => from <= now && now < to);
  const spans = openSpans(schedule.windows, freezes, now);
  const first = spans.find(({ to }) => to > now);
  if (first !== undefined && first.from <= now)
    return { kind: 'open', until: first.to >= after(now, HORIZON) ? 'always' : first.to };
  const because = frozen === undefined ? 'no window is open' : `frozen: ${frozen.reason}`;
  return { kind: 'closed', because, next: first };
}

/** The next time it opens, after `now`: what people are told beforehand. */
export function upcoming(schedule: Schedule, environment: string, now: Instant): Span | undefined {
  const freezes = schedule.freezes.filter(
    (each) => each.environments.length === 0 || each.environments.includes(environment),
  );
  return openSpans(schedule.windows, freezes, now).find(({ from }) => from > now);
}

/** The windows of the next 400 days without what is frozen, in order and joined where they touch. */
function openSpans(windows: readonly WindowRule[], freezes: readonly Freeze[], now: Instant): readonly Span[] {
  const limit = after(now, HORIZON);
  const all: readonly Span[] =
    windows.length === 0 ? [{ from: now, to: limit }] : windows.flatMap((rule) => spansOf(rule, now, limit));
  return freezes
    .reduce((left, freeze) => left.flatMap((span) => without(span, freeze)), joined(all))
    .filter(({ from, to }) => to > from);
}

function joined(spans: readonly Span[]): readonly Span[] {
  const result: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last === undefined || span.from > last.to) result.push(span);
    else result[result.length - 1] = { from: last.from, to: span.to > last.to ? span.to : last.to };
  }
  return result;
}

function without(span: Span, freeze: Span): readonly Span[] {
  if (freeze.to <= span.from || freeze.from >= span.to) return [span];
  return [
    { from: span.from, to: freeze.from },
    { from: freeze.to, to: span.to },
  ].filter(({ from, to }) => to > from);
}

/** Every time the rule opens so that it is open at or after `from`, up to `to`. */
export function spansOf(rule: WindowRule, from: Instant, to: Instant): readonly Span[] {
  const spans: Span[] = [];
  const firstDay = wallTime(instant(from - rule.duration - days(1)), rule.zone);
  for (let count = 0; ; count++) {
    const day = dayAfter(firstDay, count);
    if (instantOf(day, rule.zone) > to) return spans;
    for (const { hour, minute } of timesOn(rule, day)) {
      const opens = instantOf({ ...day, hour, minute }, rule.zone);
      const span = { from: opens, to: after(opens, rule.duration) };
      if (span.to > from && span.from <= to) spans.push(span);
    }
  }
}

function timesOn({ opens }: WindowRule, day: WallTime): readonly { readonly hour: number; readonly minute: number }[] {
  if (opens.kind === 'cron') {
    if (!opens.cron.matchesDay(day)) return [];
    return opens.cron.hours.flatMap((hour) => opens.cron.minutes.map((minute) => ({ hour, minute })));
  }
  const { weekdays, nth, hour, minute } = opens;
  const fits = weekdays.length === 0 || weekdays.some((weekday) => isOn(day, weekday, nth));
  return fits ? [{ hour, minute }] : [];
}

const isOn = (day: WallTime, weekday: number, nth: number | 'last' | undefined): boolean =>
  nth === undefined ? weekdayOf(day) === weekday : isNth(day, { weekday, nth });
