import { type Duration, formatDuration, milliseconds } from '../../src/domain/duration.ts';

/** What users of one stage met, second by second, while it was released. */
export interface UserSecond {
  /** Milliseconds since 1970 of the second's begin. */
  readonly at: number;
  readonly sent: number;
  readonly failed: number;
  /** Good answers that took longer than a second. */
  readonly slow: number;
}

export interface StageStory {
  readonly stage: string;
  readonly outcome: string;
  readonly headline: string;
  readonly seconds: number;
  readonly users: readonly UserSecond[];
  readonly conclusion: 'success' | 'failure' | 'not reached';
  readonly detectedAt?: string;
  readonly restoredAt?: string;
  readonly rollbackSeconds?: string;
}

/** How long and how badly users were hurt: every second in which a request failed or took long counts. */
export interface Harm {
  readonly requests: number;
  readonly failed: number;
  readonly slow: number;
  readonly firstHarmAt?: number;
  readonly lastHarmAt?: number;
  /** From the begin of the first second with a failed or slow request to the end of the last one; 0 without any. */
  readonly hurtFor: Duration;
}

export function harmOf(users: readonly UserSecond[]): Harm {
  const requests = users.reduce((sum, second) => sum + second.sent, 0);
  const failed = users.reduce((sum, second) => sum + second.failed, 0);
  const slow = users.reduce((sum, second) => sum + second.slow, 0);
  const hurt = users.filter((second) => second.failed + second.slow > 0).map((second) => second.at);
  if (hurt.length === 0) return { requests, failed, slow, hurtFor: milliseconds(0) };
  const first = Math.min(...hurt);
  const last = Math.max(...hurt);
  return { requests, failed, slow, firstHarmAt: first, lastHarmAt: last, hurtFor: milliseconds(last - first + 1_000) };
}

const COLUMNS = ['stage', 'outcome', 'seconds', 'user requests', 'failed user requests'] as const;

function rowsOf(stories: readonly StageStory[]): string[][] {
  return stories.map((story) => {
    const { requests, failed } = harmOf(story.users);
    return [story.stage, story.outcome, story.seconds.toFixed(1), String(requests), String(failed)];
  });
}

/** The closing table for a terminal: columns padded, numbers to the right. */
export function tableOf(stories: readonly StageStory[]): string {
  const rows = [[...COLUMNS], ...rowsOf(stories)];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const pad = (cell: string, column: number): string =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** What was seen, when, and how long users were hurt: the sentences below the table of a release that went wrong. */
export function wordsOfHarm(story: StageStory): readonly string[] {
  const harm = harmOf(story.users);
  const time = (at: number): string => new Date(at).toISOString().slice(11, 19);
  const lines = [`${story.stage}: ${story.headline}`];
  if (story.detectedAt)
    lines.push(
      `Seen at ${story.detectedAt}${story.restoredAt ? `, traffic back at ${story.restoredAt}` : ''}${story.rollbackSeconds ? ` (${story.rollbackSeconds} s later)` : ''}.`,
    );
  lines.push(
    harm.firstHarmAt === undefined || harm.lastHarmAt === undefined
      ? `No user request failed or took longer than 1 s (of ${harm.requests}).`
      : `Users were hurt for ${formatDuration(harm.hurtFor)} (${time(harm.firstHarmAt)} to ${time(harm.lastHarmAt)} UTC): ${harm.failed} of ${harm.requests} requests failed, ${harm.slow} took longer than 1 s.`,
  );
  return lines;
}

/** The report as Markdown: table, words, and the failed requests over time as a chart. */
export function markdownOf(input: {
  readonly title: string;
  readonly stories: readonly StageStory[];
  readonly changed: readonly string[];
}): string {
  const rows = rowsOf(input.stories);
  const table = [COLUMNS, COLUMNS.map((_, column) => (column < 2 ? '---' : '--:')), ...rows].map(
    (row) => `| ${row.join(' | ')} |`,
  );
  const parts = [`# ${input.title}`, '', ...table, ''];
  for (const story of input.stories.filter((each) => each.conclusion !== 'not reached')) {
    parts.push(`## ${story.stage}`, '', ...wordsOfHarm(story), '', ...chartOf(story), '');
  }
  if (input.changed.length > 0)
    parts.push('## What the rehearsal changed', '', ...input.changed.map((line) => `- ${line}`), '');
  return `${parts.join('\n').trimEnd()}\n`;
}

/** At most 40 bars: a chart with one bar per second of a two-minute release cannot be read. */
function chartOf(story: StageStory): readonly string[] {
  const begin = story.users[0]?.at;
  if (begin === undefined) return [];
  const width = Math.max(1, Math.ceil(story.users.length / 40));
  const buckets: number[] = [];
  for (let index = 0; index < story.users.length; index += width) {
    buckets.push(story.users.slice(index, index + width).reduce((sum, second) => sum + second.failed, 0));
  }
  return [
    '```mermaid',
    'xychart-beta',
    `  title "Failed user requests per ${width} s"`,
    `  x-axis "seconds since the stage began" 0 --> ${story.users.length}`,
    '  y-axis "failed"',
    `  bar [${buckets.join(', ')}]`,
    '```',
  ];
}
