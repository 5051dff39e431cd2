import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Section } from '../../src/domain/report.ts';
import { renderSummary } from '../../src/runtime/summary.ts';

/** Cells of one row as GitHub reads them (cmark-gfm): a backslash takes the next character along. */
function cellsOf(row: string): readonly string[] {
  const cells = [''];
  for (let index = 0; index < row.length; index++) {
    const two = row.slice(index, index + 2);
    if (two.startsWith('\\') && two.length === 2) {
      cells[cells.length - 1] += two === '\\|' ? '|' : two;
      index += 1;
    } else if (two.startsWith('|')) cells.push('');
    else cells[cells.length - 1] += two.charAt(0);
  }
  return cells.slice(1, -1).map((cell) => cell.trim());
}

const characters = fc.string({ unit: fc.constantFrom('a', ' ', '|', '\\', '`', '\n', '\r', '<', '-', 'é') });

describe('a table', () => {
  test('has a row a line and as many cells as columns, whatever is in the cells', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(characters, characters), { maxLength: 5 }), (rows) => {
        const [head, rule, ...lines] = renderSummary([{ kind: 'table', columns: ['a', 'b|c'], rows }])
          .trimEnd()
          .split('\n');
        expect(head).toBe('| a | b\\|c |');
        expect(rule).toBe('| --- | --- |');
        expect(lines).toHaveLength(rows.length);
        expect(lines.map((line) => cellsOf(line).length)).toEqual(rows.map(() => 2));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['a pipe', 'a|b', 'a\\|b'],
    ['a backslash before a pipe', 'a\\|b', 'a\\\\\\|b'],
    ['a backslash at the end', 'a\\', 'a\\\\'],
    ['a line end', 'a\r\nb\nc', 'a<br>b<br>c'],
    ['a tag', '<!-- <script>', '&lt;!-- &lt;script>'],
    ['a link', '[log in](http://evil.test)', '&#91;log in&#93;(http://evil.test)'],
    ['a picture', '![x](http://evil.test/p.png)', '!&#91;x&#93;(http://evil.test/p.png)'],
    ['a link that is escaped already', '\\[a](b)', '\\&#91;a&#93;(b)'],
    ['a link by reference', '&#91;a](b)', '&amp;#91;a&#93;(b)'],
    ['code', 'a `b', 'a &#96;b'],
    ['a mention', 'ask @octocat, or (@acme/team)', 'ask @\u200boctocat, or (@\u200bacme/team)'],
    ['what is no mention', 'web@sha256:4f2a a @ b', 'web@sha256:4f2a a @ b'],
    ['what is no reference', 'a?b=1&c=2 & d', 'a?b=1&c=2 & d'],
    ['nothing', '', ''],
  ])('shows %s as it is', (_name, given, expected) => {
    const lines = renderSummary([{ kind: 'table', columns: ['x'], rows: [[given]] }]).split('\n');
    expect(lines[2]).toBe(`| ${expected} |`);
  });

  test('fills up short rows and drops cells that have no column', () => {
    expect(renderSummary([{ kind: 'table', columns: ['x', 'y'], rows: [['1'], ['1', '2', '3']] }])).toBe(
      '| x | y |\n| --- | --- |\n| 1 |  |\n| 1 | 2 |\n',
    );
  });
});

describe('verbatim text', () => {
  test('ends at its own fence and nowhere before', () => {
    fc.assert(
      fc.property(characters, (text) => {
        const lines = renderSummary([{ kind: 'verbatim', text }])
          .trimEnd()
          .split('\n');
        const fence = /^`+/.exec(lines[0] ?? '')?.[0] ?? '';
        expect(lines.at(-1)).toBe(fence);
        // CommonMark: a closing fence is a line of at least as many backticks and nothing else.
        const closing = lines.slice(1, -1).filter((line) => new RegExp(`^ {0,3}\`{${fence.length},}\\s*$`).test(line));
        expect(closing).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

test('a text keeps our code and emphasis, and has no link, tag or mention of others', () => {
  const text = 'Version `1.4.0` **failed**: <img src=x> [a](http://evil.test)\n- @octocat';
  expect(renderSummary([{ kind: 'text', text }])).toBe(
    'Version `1.4.0` **failed**: &lt;img src=x> &#91;a&#93;(http://evil.test)\n- @\u200boctocat\n',
  );
});

test('a heading is one line without tags, a picture is a mermaid block', () => {
  expect(
    renderSummary([
      { kind: 'heading', text: 'web\n# injected <b>' },
      { kind: 'text', text: 'p95 640 ms < 2000 ms' },
      { kind: 'mermaid', source: 'graph LR\n  a --> b' },
    ]),
  ).toBe('### web # injected &lt;b>\n\np95 640 ms &lt; 2000 ms\n\n```mermaid\ngraph LR\n  a --> b\n```\n');
});

describe('a summary larger than the limit', () => {
  const long = 'x'.repeat(100);
  const table: Section = {
    kind: 'table',
    columns: ['x'],
    rows: Array.from({ length: 50 }, (_, index) => [`${index} ${long}`]),
  };
  const limit = 2_000;

  test.each<[string, readonly Section[], RegExp]>([
    [
      'in a text',
      [
        { kind: 'heading', text: 'first' },
        { kind: 'verbatim', text: 'ü'.repeat(5_000) },
      ],
      /### first[\s\S]*üüü[\s\S]*\n```\n\n> \*\*This summary is cut\*\*/,
    ],
    [
      'in a table',
      [{ kind: 'heading', text: 'first' }, table],
      /### first[\s\S]*\| 14 x+ \|\n\n> \*\*This summary is cut\*\*/,
    ],
    [
      'between sections',
      [
        { kind: 'heading', text: 'first' },
        { kind: 'text', text: 'y'.repeat(5_000) },
        { kind: 'heading', text: 'last' },
      ],
      /^### first\n\n> \*\*This summary is cut\*\*.*Shown are 1 of 3 sections/,
    ],
    ['in a text of nothing but backticks', [{ kind: 'verbatim', text: '`'.repeat(5_000) }], /This summary is cut/],
  ])('is cut %s, stays below it and says so', (_name, sections, expected) => {
    const summary = renderSummary(sections, limit);
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(limit);
    expect(summary).toMatch(expected);
    expect(summary).not.toContain('\uFFFD');
  });

  test('stays below it for any sections', () => {
    const section = fc.oneof(
      fc.record({ kind: fc.constant('heading' as const), text: characters }),
      fc.record({
        kind: fc.constant('verbatim' as const),
        text: fc.string({ unit: fc.constantFrom('`', 'é', '\n', '\r\n'), maxLength: 3_000 }),
      }),
      fc.record({
        kind: fc.constant('table' as const),
        columns: fc.array(characters, { minLength: 1, maxLength: 2 }),
        rows: fc.array(fc.array(characters, { maxLength: 2 }), { maxLength: 60 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(section, { maxLength: 5 }), (sections) => {
        expect(Buffer.byteLength(renderSummary(sections, limit))).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 300 },
    );
  });
});
