import type { Grant } from '../../../src/domain/approval/grant.ts';
import {
  type ApprovalRecord,
  type SealedRecord,
  checkChain,
  recordLine,
  seal,
} from '../../../src/domain/approval/record.ts';
import { bodyOf, escapeMarkdown } from '../../../src/domain/approval/request-text.ts';
import { type Tally, tally } from '../../../src/domain/approval/tally.ts';
import { type Instant, after, formatInstant, hours } from '../../../src/domain/duration.ts';
import { Failure, messageOf } from '../../../src/domain/failure.ts';
import { openingAt } from '../../../src/domain/schedule/window.ts';
import { unreachable } from '../../../src/domain/unreachable.ts';
import type { Issue } from '../../../src/ports/issue-tracker.ts';
import { type Outcome, closedWords, missingWords } from './decide.ts';
import { type Ports, type RunContext, patiently } from './execute-ports.ts';
import type { Gate } from './execute-prepare.ts';
import type { Waiting } from './execute-wait.ts';
import type { Request } from './inputs.ts';

/** What is left to do once the outcome is known. */
export interface Ended {
  readonly request: Request;
  readonly context: RunContext;
  readonly gate: Gate;
  readonly issue: Issue;
  readonly outcome: Outcome;
  readonly waiting: Waiting;
}

/** Logins and teams, shown so that GitHub tells them; anything that is neither is shown as text. */
export const mentions = (notify: readonly string[]): readonly string[] =>
  notify.length === 0
    ? []
    : ['', notify.map((each) => (/^[\w-]+(?:\/[\w.-]+)?$/.test(each) ? `@${each}` : escapeMarkdown(each))).join(' ')];

const REVIEW_WITHIN = hours(24);

/** An emergency is told to everybody who would have been asked, and leaves an issue that must be looked at. */
export async function openReview(
  { request, gate, issue, outcome }: Ended,
  ports: Ports,
  signal: AbortSignal,
): Promise<Issue | undefined> {
  if (outcome.kind !== 'overridden') return undefined;
  const { override } = outcome;
  const due = formatInstant(after(ports.clock.now(), REVIEW_WITHIN));
  const { words } = gate;
  const body = [
    `**${escapeMarkdown(override.person.login)}** let the deployment to **${escapeMarkdown(request.environment)}** in without the approvals it needs (${words.minimum} of ${words.eligible.length}).`,
    '',
    `Reason: ${escapeMarkdown(override.reason)}`,
    ...mentions(request.notify),
    '',
    `Commit \`${words.commit}\`, [request](${issue.url}), [run](${words.runUrl}). A review is due by **${due}**.`,
    '',
    '- [ ] The reason holds',
    '- [ ] The change was reviewed after the fact',
    '- [ ] What should have made the override unnecessary',
  ].join('\n');
  const review = await patiently(ports, signal, () =>
    ports.tracker.openIssue(
      {
        title: `Review the emergency deployment to ${request.environment} by ${due} (request ${words.id})`.slice(
          0,
          250,
        ),
        body,
        labels: [`${request.label}-review`],
        assignees: words.eligible.map(({ login }) => login),
      },
      signal,
    ),
  );
  ports.log.warning(`Emergency override by ${override.person.login}; the review is due by ${due}: ${review.url}`);
  return review;
}

/** The verdict stands whether or not its issue could be closed; that it stays open is said. */
export async function closeRequest(
  { gate, issue, outcome, waiting }: Ended,
  ports: Ports,
  signal: AbortSignal,
): Promise<void> {
  const counted: Tally = tally(
    waiting.ballot(),
    waiting.memory.all().flatMap((known) => (known.vanished ? [] : [known.comment])),
  );
  const { tracker } = ports;
  try {
    await patiently(ports, signal, async () => {
      const ending = closingWords(gate, outcome);
      await Promise.all([
        tracker.editBody(issue.number, bodyOf({ ...gate.words, ending }, counted), signal),
        tracker.close(issue.number, isYes(outcome) ? 'completed' : 'not_planned', signal),
        ...(outcome.kind === 'overridden' ? [tracker.addLabels(issue.number, ['emergency-override'], signal)] : []),
      ]);
    });
  } catch (cause) {
    signal.throwIfAborted();
    ports.log.warning(
      `${issue.url} could not be closed: ${messageOf(cause)} The verdict is ${outcome.kind} all the same.`,
    );
  }
}

export const isYes = (outcome: Outcome): boolean => outcome.kind === 'approved' || outcome.kind === 'overridden';

export function closingWords(gate: Pick<Gate, 'words'>, outcome: Outcome): string {
  switch (outcome.kind) {
    case 'approved':
      return `Approved by ${outcome.by.map((vote) => escapeMarkdown(vote.person.login)).join(', ')}. Later comments change nothing.`;
    case 'overridden':
      return `Emergency override by ${escapeMarkdown(outcome.override.person.login)}: ${escapeMarkdown(outcome.override.reason)}. Later comments change nothing.`;
    case 'denied':
      return `Denied by ${escapeMarkdown(outcome.by.login)}.`;
    case 'expired':
      return `Not approved by ${formatInstant(gate.words.deadline)}: ${missingWords(outcome)} needed.`;
    case 'outside-window':
      return `Not let in: ${escapeMarkdown(outcome.why)}.`;
    case 'error':
      return 'Ended by a fault, neither approved nor denied. Re-run the job to ask again.';
    default:
      return unreachable(outcome);
  }
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
    why: closingWords(gate, outcome),
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
