import { type RequestWords, bodyOf, titleOf } from '../../domain/approval/request-text.ts';
import { after, seconds } from '../../domain/duration.ts';
import { messageOf } from '../../domain/failure.ts';
import type { Issue } from '../../ports/issue-tracker.ts';
import { type Ports, patiently } from './ports.ts';

interface Opening {
  readonly words: RequestWords;
  readonly label: string;
}

/**
 * Opening is the one write that must not happen twice. When its answer was lost, the issue may be there: the next try
 * opens another, and every other one of this title is closed unread. It is never adopted, for anybody may open an issue
 * of this title.
 */
export async function openRequest({ words, label }: Opening, ports: Ports, signal: AbortSignal): Promise<Issue> {
  const { tracker, clock, log } = ports;
  const deadline = after(clock.now(), seconds(180));
  const title = titleOf(words);
  for (let lost = 0; ; lost++) {
    try {
      const issue = await tracker.openIssue(
        {
          title,
          body: bodyOf(words, undefined),
          labels: [label],
          assignees: words.eligible.map((person) => person.login),
        },
        signal,
      );
      if (lost > 0)
        await patiently(ports, signal, () =>
          closeOthers({ label, own: issue, titles: new Set([title]) }, ports, signal),
        );
      return issue;
    } catch (cause) {
      signal.throwIfAborted();
      const pause = tracker.retryAfter(cause) ?? seconds(5);
      if (!tracker.mayPass(cause) || after(clock.now(), pause) > deadline) throw cause;
      log.warning(`${messageOf(cause)} Trying again.`);
      await clock.sleep(pause, signal);
    }
  }
}

interface Others {
  readonly label: string;
  readonly own: Issue | undefined;
  readonly titles: ReadonlySet<string>;
}

/** Closes, unread, what has one of these titles and is not the own request. */
export async function closeOthers(
  { label, own, titles }: Others,
  { tracker, log }: Pick<Ports, 'tracker' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  for (const issue of await tracker.openIssues(label, signal)) {
    if (!titles.has(issue.title) || issue.number === own?.number) continue;
    log.info(`Closing ${issue.url}: an earlier attempt of this run left it open`);
    await tracker.close(issue.number, 'not_planned', signal);
  }
}
