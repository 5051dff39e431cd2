import type { Grant } from '../../../../src/domain/approval/grant.ts';
import {
  type ApprovalRecord,
  type SealedRecord,
  checkChain,
  recordLine,
  seal,
} from '../../../../src/domain/approval/record.ts';
import { tally } from '../../../../src/domain/approval/tally.ts';
import { closedWords, closingWords } from '../../../../src/domain/approval/decide.ts';
import { type Instant, after, formatInstant } from '../../../../src/domain/duration.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import { openingAt } from '../../../../src/domain/schedule/window.ts';
import type { Ended as EndedRequest } from '../../../../src/engine/approval/close-request.ts';
import type { RunContext } from '../../../../src/engine/approval/ports.ts';
import type { Waiting } from '../../../../src/engine/approval/waiting.ts';
import type { Issue } from '../../../../src/ports/issue-tracker.ts';
import type { Ports } from './ports.ts';
import type { Request } from '../inputs.ts';

/** What is left to do once the outcome is known. */
export interface Ended extends EndedRequest {
  readonly request: Request;
  readonly context: RunContext;
}

/** A file whose chain is broken is found out before people are asked. */
export async function checkRecordFile({ recordFile, sha256 }: Ports): Promise<void> {
  const text = (await recordFile?.read()) ?? '';
  const chain = checkChain(text, sha256);
  if (chain.ok) return;
  throw new Failure({
    what: `The record file is broken in line ${chain.line}`,
    why: chain.why,
    now: 'No request was opened and nothing was deployed',
    next: 'Find out who changed it, and put the file back as it was written',
  });
}

export function grantOf({ request, context, gate, outcome }: Ended, now: Instant): Grant | undefined {
  if (outcome.kind !== 'approved' && outcome.kind !== 'overridden') return undefined;
  return {
    schema: 'sluice/approval/v1',
    id: gate.words.id,
    ...gate.words.subject,
    approvedBy: outcome.kind === 'approved' ? outcome.by.map((vote) => vote.person.id) : [outcome.override.person.id],
    ...(outcome.kind === 'overridden' ? { override: true } : {}),
    commit: gate.run.commit,
    runId: context.runId,
    attempt: gate.run.attempt,
    grantedAt: formatInstant(now),
    expiresAt: formatInstant(after(now, request.grantValidFor)),
  };
}

/** Seals the record and appends it to the record file; what cannot be written ends the gate, for then nobody could show it. */
export async function keepRecord(ended: Ended, review: Issue | undefined, ports: Ports): Promise<SealedRecord> {
  const kept = (await ports.recordFile?.read()) ?? '';
  const chain = checkChain(kept, ports.sha256);
  if (!chain.ok) throw new Failure({ what: `The record file is broken in line ${chain.line}`, why: chain.why });
  const sealed = seal({ ...recordOf(ended, review, ports), previous: chain.last }, ports.sha256);
  await ports.recordFile?.write(`${kept}${recordLine(sealed)}`);
  return sealed;
}

function recordOf(
  { request, context, gate, issue, outcome, waiting }: Ended,
  review: Issue | undefined,
  ports: Ports,
): Omit<ApprovalRecord, 'previous'> {
  const decidedAt = ports.tracker.serverTime() ?? ports.clock.now();
  const opening = openingAt(gate.schedule, request.environment, ports.clock.now());
  return {
    schema: 'sluice/approval-record/v1',
    id: gate.words.id,
    ...gate.words.subject,
    commit: gate.run.commit,
    runId: context.runId,
    attempt: gate.run.attempt,
    actorId: gate.run.actor.id,
    triggeringActorId: gate.run.triggeringActor.id,
    issue: issue.number,
    openedAt: formatInstant(waiting.openedAt),
    decidedAt: formatInstant(decidedAt),
    outcome: outcome.kind,
    why: closingWords(gate.words, outcome),
    rules: gate.rules,
    eligibleAtOpening: gate.words.eligible.map(({ id }) => id),
    eligibleAtDecision: waiting.seatedNow.eligible.map(({ id }) => id),
    excluded: gate.words.excluded.map(({ person, because }) => ({ id: person.id, because })),
    comments: commentsOf(waiting),
    override:
      outcome.kind === 'overridden' && review !== undefined
        ? {
            userId: outcome.override.person.id,
            commentId: outcome.override.commentId,
            reason: outcome.override.reason,
            reviewIssue: review.number,
          }
        : null,
    window: opening.kind === 'open' ? 'open' : closedWords(opening),
    checks: gate.checks,
    evidence: request.evidence,
  };
}

function commentsOf(waiting: Waiting): ApprovalRecord['comments'] {
  const all = waiting.memory.all().filter(({ comment }) => !waiting.own.has(comment.id));
  const counted = tally(
    waiting.ballot(),
    all.flatMap((known) => (known.vanished ? [] : [known.comment])),
  );
  const meaning = new Map<number, string>(counted.void.map(({ comment, reason }) => [comment.id, reason]));
  for (const { commentId, vote } of counted.standing) meaning.set(commentId, vote);
  if (counted.override !== undefined) meaning.set(counted.override.commentId, 'override');
  return all.map(({ comment, bodySha256, vanished }) => ({
    id: comment.id,
    authorId: comment.authorId,
    bodySha256,
    createdAt: formatInstant(comment.createdAt),
    counted: meaning.get(comment.id) ?? 'nothing',
    ...(vanished ? { vanished: true as const } : {}),
  }));
}
