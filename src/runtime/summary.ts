import { livelessMarkdown, plainMarkdown } from '../domain/markdown.ts';
import type { Section } from '../domain/report.ts';
import { unreachable } from '../domain/unreachable.ts';

/** GitHub drops a step's summary that is larger (1 MiB, in bytes): docs, "Workflow commands", step isolation and limits. */
export const SUMMARY_LIMIT = 1024 * 1024;
/** Kept free for the sentence that says what was cut. */
const NOTICE_ROOM = 300;

/**
 * Sections as GitHub-flavored Markdown. What does not fit is cut, texts and tables inside, and the end says so: a
 * summary that is one byte too large would not be shown at all.
 */
export function renderSummary(sections: readonly Section[], limit = SUMMARY_LIMIT): string {
  const whole = sections.map(rendered).join('\n');
  if (bytes(whole) <= limit) return whole;
  const blocks: string[] = [];
  let room = limit - NOTICE_ROOM;
  for (const section of sections) {
    const block = renderedWithin(section, room);
    if (block === undefined) break;
    blocks.push(block);
    room -= bytes(block) + 1;
  }
  const shown =
    blocks.length === sections.length
      ? 'Long tables and texts are cut'
      : `Shown are ${blocks.length} of ${sections.length} sections`;
  return `${blocks.join('\n')}\n> **This summary is cut** at GitHub's limit of ${limit} bytes. ${shown}; outputs and log are complete.\n`;
}

function rendered(section: Section): string {
  switch (section.kind) {
    case 'heading':
      return `### ${inline(section.text)}\n`;
    case 'text':
      return `${livelessMarkdown(section.text.replaceAll(/\r\n?/g, '\n'))}\n`;
    case 'table':
      return table(section.columns, section.rows);
    case 'verbatim':
      return fenced('text', section.text);
    case 'mermaid':
      return fenced('mermaid', section.source);
    default:
      return unreachable(section);
  }
}

/** The section, cut to `room` bytes when that leaves something worth showing; undefined when it does not. */
function renderedWithin(section: Section, room: number): string | undefined {
  const whole = rendered(section);
  if (bytes(whole) <= room) return whole;
  if (section.kind === 'verbatim') {
    const frame = bytes(fenced('text', '')) + 2 * longestRun(section.text);
    const kept = firstBytes(section.text.replaceAll(/\r\n?/g, '\n'), room - frame);
    return kept === '' ? undefined : fenced('text', kept);
  }
  if (section.kind === 'table') {
    let left = room - bytes(table(section.columns, []));
    const fitting = section.rows.findIndex((row) => (left -= bytes(tableRow(row))) < 0);
    return fitting > 0 ? table(section.columns, section.rows.slice(0, fitting)) : undefined;
  }
  return undefined;
}

/** A block that ends only where we end it: its fence is longer than any run of backticks inside. */
function fenced(language: string, text: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}${language}\n${text.replaceAll(/\r\n?/g, '\n').replace(/\n$/, '')}\n${fence}\n`;
}

const longestRun = (text: string): number =>
  (text.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return `${tableRow(columns)}${tableRow(columns.map(() => '---'))}${rows.map((row) => tableRow(columns.map((_, index) => row[index] ?? ''))).join('')}`;
}

const tableRow = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |\n`;

/** A pipe ends a cell unless a backslash is before it, and two backslashes are none (cmark-gfm, table.c). */
const cell = (text: string): string =>
  inline(text.trim().replaceAll(/\r\n?|\n/g, '\u0000'))
    .replaceAll(/(\\*)(\||$)/g, '$1$1$2')
    .replaceAll('|', '\\|')
    .replaceAll('\u0000', '<br>');

/** One line. */
const inline = (text: string): string => plainMarkdown(text.replaceAll(/[\r\n]+/g, ' '));

const bytes = (text: string): number => Buffer.byteLength(text);

/** As many whole characters as fit into `limit` bytes. */
function firstBytes(text: string, limit: number): string {
  if (limit <= 0) return '';
  return new TextDecoder().decode(Buffer.from(text).subarray(0, limit), { stream: true });
}
