import { type Lead, dueNotice } from '../../../../src/domain/schedule/notices.ts';
import { type Span, upcoming } from '../../../../src/domain/schedule/window.ts';
import { formatDuration, formatInstant, between } from '../../../../src/domain/duration.ts';
import { escapeMarkdown, mentions } from '../../../../src/domain/approval/request-text.ts';
import type { Issue } from '../../../../src/ports/issue-tracker.ts';
import { type Ports, patiently } from '../../../../src/engine/approval/ports.ts';
import { freezesOf } from '../../../../src/engine/approval/prepare.ts';
import type { Request } from '../inputs.ts';

export interface NoticesResult {
  readonly environment: string;
  readonly window: Span | undefined;
  /** The notice that was sent (or would be, in a dry run); undefined: none was due. */
  readonly sent: Lead | undefined;
  readonly issue: Issue | undefined;
  readonly mode: 'act' | 'plan';
}

/**
 * One run of the scheduled mode: sends the notice that is due for the next window, if it was not sent. What was sent
 * stands in an issue of the window's own, as marks in its comments; whoever edits them makes people be told twice.
 */
export async function executeNotices(request: Request, ports: Ports, signal: AbortSignal): Promise<NoticesResult> {
  const freezes = await patiently(ports, signal, () => freezesOf(request, ports, signal));
  const schedule = { windows: request.windows, freezes: [...request.freezes, ...freezes] };
  const now = ports.clock.now();
  const window = upcoming(schedule, request.environment, now);
  const base = { environment: request.environment, window, mode: request.dryRun } as const;
  if (window === undefined) return { ...base, sent: undefined, issue: undefined };
  const label = `${request.label}-notices`;
  const title = `Maintenance window of ${request.environment} at ${formatInstant(window.from)}`;
  const open = await patiently(ports, signal, () => ports.tracker.openIssues(label, signal));
  const issue = open.find((each) => each.title === title);
  const sent = issue === undefined ? new Set<string>() : await sentIn(issue, ports, signal);
  const due = dueNotice(window.from, now, sent);
  if (due === undefined || request.dryRun === 'plan') return { ...base, sent: due, issue };
  const words = noticeWords(request, window, due, formatDuration(between(now, window.from)));
  if (issue !== undefined) {
    await patiently(ports, signal, () => ports.tracker.comment(issue.number, words, signal));
    return { ...base, sent: due, issue };
  }
  const opened = await patiently(ports, signal, () =>
    ports.tracker.openIssue({ title, body: words, labels: [label], assignees: [] }, signal),
  );
  // The mark of the first notice is a comment, too: the body of an issue is not read.
  await patiently(ports, signal, () => ports.tracker.comment(opened.number, markOf(due), signal));
  await closePast({ open, title, environment: request.environment }, ports, signal);
  return { ...base, sent: due, issue: opened };
}

const markOf = ({ name }: Lead): string => `Notice sent: ${name} before.`;
const MARK = /^Notice sent: (.+) before\.$/m;

async function sentIn(issue: Issue, { tracker }: Ports, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const comments = await tracker.comments(issue.number, signal);
  const marks = comments.flatMap(({ authorId, body }) =>
    authorId === issue.authorId ? [MARK.exec(body)?.[1] ?? ''] : [],
  );
  return new Set(marks);
}

function noticeWords(request: Request, window: Span, lead: Lead, left: string): string {
  return [
    `Maintenance of **${escapeMarkdown(request.environment)}** begins in ${left}: ${formatInstant(window.from)} to ${formatInstant(window.to)} at the latest.`,
    ...mentions(request.notify),
    '',
    markOf(lead),
  ].join('\n');
}

/** Issues of windows that are over. */
async function closePast(
  {
    open,
    title,
    environment,
  }: { readonly open: readonly Issue[]; readonly title: string; readonly environment: string },
  { tracker }: Ports,
  signal: AbortSignal,
): Promise<void> {
  const past = open.filter(
    (each) => each.title !== title && each.title.startsWith(`Maintenance window of ${environment} at `),
  );
  for (const issue of past) await tracker.close(issue.number, 'completed', signal);
}
