import { type Instant, days, formatInstant, instant } from '../duration.ts';
import { type Checked, type InputProblem, bad, good } from '../inputs.ts';

/** A finding that somebody answers for, for a time. */
export interface IgnoreEntry {
  readonly id: string;
  /** Absent: whatever package has it. */
  readonly package?: string;
  readonly reason: string;
  readonly owner: string;
  readonly expires: Instant;
}

export interface IgnoreUse {
  readonly entry: IgnoreEntry;
  readonly state: 'used' | 'unused' | 'expires-soon' | 'expired';
}

const KEYS = ['id', 'package', 'reason', 'owner', 'expires'];
const LONGEST = days(90);
const SOON = days(14);
const ACCEPTED = 'a list of { id, package, reason, owner, expires: YYYY-MM-DD }, at most 90 days ahead';

/** `placeOf`: where an entry stands in the file. */
export function readIgnores(
  value: unknown,
  now: Instant,
  placeOf: (index: number) => string,
): Checked<readonly IgnoreEntry[]> {
  if (!Array.isArray(value)) return bad({ input: placeOf(-1), problem: 'is not a list', accepted: ACCEPTED });
  const problems: InputProblem[] = [];
  const entries: IgnoreEntry[] = [];
  value.forEach((each: unknown, index) => {
    const read = readOne(each, now);
    if (typeof read === 'string') problems.push({ input: placeOf(index), problem: read, accepted: ACCEPTED });
    else entries.push(read);
  });
  return problems.length > 0 ? bad(...problems) : good(entries);
}

function readOne(value: unknown, now: Instant): IgnoreEntry | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not a map';
  const { id, package: name, reason, owner, expires } = value as Record<string, unknown>;
  const unknown = Object.keys(value).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return `has the unknown key ${unknown}`;
  if (typeof id !== 'string' || id === '') return 'has no id';
  if (name !== undefined && (typeof name !== 'string' || name === '')) return `(${id}) has a package that is no text`;
  if (typeof reason !== 'string' || reason.trim().length < 10) return `(${id}) has no reason of at least 10 characters`;
  if (typeof owner !== 'string' || owner === '') return `(${id}) has no owner`;
  const end =
    typeof expires === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(expires)
      ? Date.parse(`${expires}T23:59:59Z`)
      : Number.NaN;
  if (Number.isNaN(end)) return `(${id}) has no date in expires`;
  if (end - now > LONGEST + days(1)) return `(${id}) expires more than 90 days ahead`;
  return { id, reason, owner, expires: instant(end), ...(name === undefined ? {} : { package: name }) };
}

interface Named {
  readonly id: string;
  readonly package: string;
}

const matches = (entry: IgnoreEntry, finding: Named): boolean =>
  entry.id === finding.id && (entry.package === undefined || entry.package === finding.package);

export const ignored = (entries: readonly IgnoreEntry[], finding: Named, now: Instant): 'yes' | 'no' =>
  entries.some((entry) => entry.expires >= now && matches(entry, finding)) ? 'yes' : 'no';

/** What became of each entry: one that has run out is named, because its finding counts again. */
export function ignoreUses(
  entries: readonly IgnoreEntry[],
  findings: readonly Named[],
  now: Instant,
): readonly IgnoreUse[] {
  return entries.map((entry): IgnoreUse => {
    if (entry.expires < now) return { entry, state: 'expired' };
    if (!findings.some((finding) => matches(entry, finding))) return { entry, state: 'unused' };
    return { entry, state: entry.expires - now < SOON ? 'expires-soon' : 'used' };
  });
}

export function ignoreLine({ entry, state }: IgnoreUse): string | undefined {
  const named = `${entry.id}${entry.package === undefined ? '' : ` in ${entry.package}`} (${entry.owner})`;
  const day = formatInstant(entry.expires).slice(0, 10);
  if (state === 'expired') return `The exception for ${named} ended on ${day}: its finding counts again`;
  if (state === 'expires-soon') return `The exception for ${named} ends on ${day}`;
  return state === 'unused' ? `The exception for ${named} is not needed any more` : undefined;
}
