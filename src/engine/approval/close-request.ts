import { type Outcome, closingWords, isYes } from '../../domain/approval/decide.ts';
import type { GateRequest } from '../../domain/approval/gate-inputs.ts';
import { bodyOf, escapeMarkdown, mentions } from '../../domain/approval/request-text.ts';
import { type Tally, tally } from '../../domain/approval/tally.ts';
import { after, formatInstant, hours } from '../../domain/duration.ts';
import { messageOf } from '../../domain/failure.ts';
import type { Issue } from '../../ports/issue-tracker.ts';
import { type Ports, patiently } from './ports.ts';
import type { Gate } from './prepare.ts';
import type { Waiting } from './waiting.ts';

/** A request of which the outcome is known. */
export interface Ended {
  readonly request: GateRequest;
  readonly gate: Gate;
  readonly issue: Issue;
  readonly outcome: Outcome;
  readonly waiting: Waiting;
}

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
      const ending = closingWords(gate.words, outcome);
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
