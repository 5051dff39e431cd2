import type { FieldResult } from '../inputs.ts';

/** What earlier jobs found out: a smoke test, a scan. Shown to the approvers, bound by its hash, judged by them. */
export interface Evidence {
  readonly name: string;
  readonly verdict: 'pass' | 'warn' | 'fail' | 'invalid';
  /** One line, e.g. `0 critical, 2 high`. */
  readonly summary: string;
  /** Of the evidence document. */
  readonly sha256?: string;
  readonly url?: string;
}

const VERDICTS = ['pass', 'warn', 'fail', 'invalid'] as const;
const KEYS = ['name', 'verdict', 'summary', 'sha256', 'url'];
const ACCEPTED = 'a list of { name: scan, verdict: pass | warn | fail | invalid, summary, sha256, url }';

export function readEvidence(value: unknown): FieldResult<readonly Evidence[]> {
  if (!Array.isArray(value)) return { ok: false, problem: 'is not a list', accepted: ACCEPTED };
  const all: Evidence[] = [];
  for (const [index, each] of value.entries()) {
    const read = readOne(each);
    if (typeof read === 'string') return { ok: false, problem: `entry ${index + 1} ${read}`, accepted: ACCEPTED };
    all.push(read);
  }
  return { ok: true, value: all };
}

function readOne(value: unknown): Evidence | string {
  if (typeof value !== 'object' || value === null) return 'is not a map';
  const { name, verdict, summary = '', sha256, url } = value as Record<string, unknown>;
  const unknown = Object.keys(value).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return `has the unknown key ${unknown}`;
  if (typeof name !== 'string' || name === '') return 'has no name';
  const known = VERDICTS.find((each) => each === verdict);
  // A job that never ran hands over an empty verdict, which must not look like a good one.
  if (known === undefined) return `(${name}) has no verdict of ${VERDICTS.join(', ')}`;
  if (typeof summary !== 'string') return `(${name}) has a summary that is no text`;
  if (sha256 !== undefined && !(typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)))
    return `(${name}) has a sha256 that is not 64 hex digits`;
  if (url !== undefined && !(typeof url === 'string' && /^https?:\/\/[^\s<>()"']+$/.test(url)))
    return `(${name}) has a url that is none`;
  return {
    name,
    verdict: known,
    summary,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(url === undefined ? {} : { url }),
  };
}
