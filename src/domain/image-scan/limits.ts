import type { FieldResult } from '../inputs.ts';

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'negligible'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Most findings per severity; what is absent has no limit. */
export type ScanLimits = Readonly<Partial<Record<Severity, number>>>;

export const SCAN_LIMITS_ACCEPTED = 'counts per severity';
const ACCEPTED = `a map of ${SEVERITIES.join(', ')} to whole numbers: { critical: 0, high: 0 }`;

export function readScanLimits(value: unknown): FieldResult<ScanLimits> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { ok: false, problem: 'is not a map', accepted: ACCEPTED };
  const limits: Partial<Record<Severity, number>> = {};
  for (const [key, limit] of Object.entries(value)) {
    const severity = SEVERITIES.find((each) => each === key);
    if (severity === undefined) return { ok: false, problem: `names ${key}, which is no severity`, accepted: ACCEPTED };
    if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 0)
      return { ok: false, problem: `has a limit of ${key} that is no whole number`, accepted: ACCEPTED };
    limits[severity] = limit;
  }
  if (Object.keys(limits).length === 0) return { ok: false, problem: 'limits nothing', accepted: ACCEPTED };
  return { ok: true, value: limits };
}
