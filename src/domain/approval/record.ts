import { canonicalJson } from '../canonical-json.ts';
import type { Evidence } from './evidence.ts';
import type { Subject } from './grant.ts';

type Hash = (text: string) => string;

/** A comment as it was when it was seen last; its text stands as a hash, for it may hold what nobody should keep. */
export interface RecordedComment {
  readonly id: number;
  readonly authorId: number;
  readonly bodySha256: string;
  readonly createdAt: string;
  /** `approve`, `deny`, `override`, or why it did not count. */
  readonly counted: string;
  /** It was seen and is not there any more. */
  readonly vanished?: true;
}

/** Who asked whom for what, who answered, and what came of it. Ids, never only names; times of the server. */
export interface ApprovalRecord extends Subject {
  readonly schema: 'sluice/approval-record/v1';
  readonly id: string;
  readonly commit: string;
  readonly runId: string;
  readonly attempt: number;
  readonly actorId: number;
  readonly triggeringActorId: number;
  readonly issue: number | null;
  readonly openedAt: string;
  readonly decidedAt: string;
  readonly outcome: string;
  readonly why: string;
  readonly rules: unknown;
  readonly eligibleAtOpening: readonly number[];
  readonly eligibleAtDecision: readonly number[];
  readonly excluded: readonly { readonly id: number; readonly because: string }[];
  readonly comments: readonly RecordedComment[];
  /** Set when an emergency ended the request. */
  readonly override: {
    readonly userId: number;
    readonly commentId: number;
    readonly reason: string;
    readonly reviewIssue: number;
  } | null;
  readonly window: string;
  readonly checks: readonly string[];
  readonly evidence: readonly Evidence[];
  /** Of the record before this one; null for the first. */
  readonly previous: string | null;
}

export interface SealedRecord {
  readonly record: ApprovalRecord;
  /** Of the canonical JSON of `record`, which holds the hash of the one before: none can be changed or taken out unseen. */
  readonly sha256: string;
}

export const seal = (record: ApprovalRecord, hash: Hash): SealedRecord => ({
  record,
  sha256: hash(canonicalJson(record)),
});

/** One line of the record file. */
export const recordLine = (sealed: SealedRecord): string => `${canonicalJson(sealed)}\n`;

export type Chain =
  | { readonly ok: true; readonly last: string | null; readonly length: number }
  | { readonly ok: false; readonly line: number; readonly why: string };

/** Follows a record file (one record a line) from its first line to its last. */
export function checkChain(text: string, hash: Hash): Chain {
  let last: string | null = null;
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  for (const [index, line] of lines.entries()) {
    const broken = (why: string): Chain => ({ ok: false, line: index + 1, why });
    let sealed: { readonly record?: { readonly previous?: unknown }; readonly sha256?: unknown };
    try {
      sealed = JSON.parse(line) as typeof sealed;
    } catch {
      return broken('it is not JSON');
    }
    if (typeof sealed !== 'object' || sealed === null || typeof sealed.record !== 'object' || sealed.record === null)
      return broken('it holds no record');
    if (hash(canonicalJson(sealed.record)) !== sealed.sha256)
      return broken('its text does not have the hash beside it');
    if (sealed.record.previous !== last) return broken('it does not follow the record before it');
    last = sealed.sha256 as string;
  }
  return { ok: true, last, length: lines.length };
}
