import { type Duration, type Instant, before, days, hours } from '../duration.ts';

export interface Lead {
  readonly name: string;
  readonly length: Duration;
}

/** How long before a window people are told. */
export const LEADS: readonly Lead[] = [
  { name: '1 week', length: days(7) },
  { name: '24 hours', length: hours(24) },
  { name: '1 hour', length: hours(1) },
];

/**
 * The one notice to send now, given those that were sent: the nearest to the window whose time has come. An earlier one
 * that was missed (a schedule ran late) is not made up for: "in one week" the day before would be wrong.
 */
export function dueNotice(opens: Instant, now: Instant, sent: ReadonlySet<string>): Lead | undefined {
  if (now >= opens) return undefined;
  const nearest = LEADS.filter(({ length }) => before(opens, length) <= now).at(-1);
  return nearest === undefined || sent.has(nearest.name) ? undefined : nearest;
}
