import { type Instant, formatInstant, instant } from '../duration.ts';

/** What exactly is approved. Every part is compared again where the grant is used. */
export interface Subject {
  readonly repository: string;
  readonly environment: string;
  /** Hash of the canonical JSON of `images`. */
  readonly imagesSha256: string;
  /** Hash of the gate's own rules (approvers, minimum, exclusions), so that a softer gate cannot grant for a harder one. */
  readonly policySha256: string;
}

/** The `approval` output: small enough for a job output, complete enough to be checked without asking anybody. */
export interface Grant extends Subject {
  readonly schema: 'sluice/approval/v1';
  readonly id: string;
  /** Numeric user ids of the persons whose approvals counted. */
  readonly approvedBy: readonly number[];
  /** Set when an emergency override ended the request instead of the approvals it asked for. */
  readonly override?: true;
  readonly commit: string;
  readonly runId: string;
  readonly attempt: number;
  readonly grantedAt: string;
  readonly expiresAt: string;
}

export interface Expected {
  readonly repository: string;
  readonly environment: string;
  readonly imagesSha256: string;
  /** Known where the gate's rules are known; a deploy step knows only what it deploys. */
  readonly policySha256?: string;
}

export type GrantCheck =
  { readonly ok: true; readonly grant: Grant } | { readonly ok: false; readonly reasons: readonly string[] };

/** Reads and checks the text of an `approval` output. Whatever is missing, malformed or different is a reason against it. */
export function checkGrant(text: string, expected: Expected, now: Instant): GrantCheck {
  const grant = readGrant(text);
  if (typeof grant === 'string') return { ok: false, reasons: [grant] };
  const reasons: string[] = [];
  const compare = (name: string, has: string, wanted: string): void => {
    if (has !== wanted) reasons.push(`it was given for ${name} ${has}, this is ${name} ${wanted}`);
  };
  compare('repository', grant.repository, expected.repository);
  compare('environment', grant.environment, expected.environment);
  compare('images-sha256', grant.imagesSha256, expected.imagesSha256);
  if (expected.policySha256 !== undefined) compare('policy-sha256', grant.policySha256, expected.policySha256);
  if (grant.approvedBy.length === 0) reasons.push('nobody approved it');
  const expires = Date.parse(grant.expiresAt);
  if (!(expires > now)) reasons.push(`it expired at ${grant.expiresAt} (now ${formatInstant(now)})`);
  // A grant from the future was not made by the gate of this run or by a clock that can be trusted.
  if (!(Date.parse(grant.grantedAt) <= now + 300_000))
    reasons.push(`it was granted at ${grant.grantedAt}, which is in the future`);
  return reasons.length === 0 ? { ok: true, grant } : { ok: false, reasons };
}

const TEXTS = [
  'id',
  'repository',
  'environment',
  'imagesSha256',
  'policySha256',
  'commit',
  'runId',
  'grantedAt',
  'expiresAt',
] as const;

function readGrant(text: string): Grant | string {
  if (text.trim() === '') return 'there is none';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  if (typeof value !== 'object' || value === null) return 'it is not a JSON object';
  const record = value as Record<string, unknown>;
  if (record['schema'] !== 'sluice/approval/v1')
    return `its schema is ${JSON.stringify(record['schema'])}, not "sluice/approval/v1"`;
  const missing = TEXTS.filter((key) => typeof record[key] !== 'string' || record[key] === '');
  if (missing.length > 0) return `it lacks ${missing.join(', ')}`;
  const approvedBy = record['approvedBy'];
  if (!Array.isArray(approvedBy) || !approvedBy.every((id) => Number.isSafeInteger(id)))
    return 'its approvedBy is not a list of user ids';
  if (!Number.isSafeInteger(record['attempt'])) return 'it lacks attempt';
  return record as unknown as Grant;
}

/** The moment a grant ends, for words. */
export const expiryOf = (grant: Grant): Instant => instant(Date.parse(grant.expiresAt));
