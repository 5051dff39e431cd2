/** One entry of a text of `ID=value` lines. */
export interface QuotedEntry {
  /** Empty where the line has none. */
  readonly id: string;
  readonly value: string;
  /** Where it begins, from 1. */
  readonly line: number;
}

/**
 * PURE. `ID=value` lines; a value (or a whole entry) in double quotes may have line ends, `""` is a quote in it. Blank lines do
 * not count. undefined: a quote is not closed, or something stands behind the closing one.
 */
export function quotedEntries(text: string): readonly QuotedEntry[] | undefined {
  const entries: QuotedEntry[] = [];
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const first = index + 1;
    let line = (lines[index] ?? '').trim();
    if (line === '') continue;
    const isWhole = line.startsWith('"');
    const isValue = /^[^="]+="/.test(line);
    if (isWhole || isValue) {
      while (!closes(line)) {
        index += 1;
        if (index >= lines.length) return undefined;
        line += `\n${lines[index] ?? ''}`;
      }
      if (!isQuoted(isWhole ? line : line.slice(line.indexOf('=') + 1))) return undefined;
      line = isWhole
        ? unquoted(line)
        : line.replace(/^([^=]+=)([\s\S]*)$/, (_, id: string, value: string) => id + unquoted(value));
    }
    const at = line.indexOf('=');
    entries.push({
      id: at < 0 ? '' : line.slice(0, at).trim(),
      value: at < 0 ? line : line.slice(at + 1),
      line: first,
    });
  }
  return entries;
}

/** Whether an even number of quotes has come: `""` inside counts twice. */
const closes = (text: string): boolean => (text.match(/"/g) ?? []).length % 2 === 0;
/** One quoted text and nothing else: of anything more nobody knows whether the quotes are part of the value. */
const isQuoted = (text: string): boolean => /^"(?:[^"]|"")*"$/.test(text.trim());
const unquoted = (text: string): string => text.trim().slice(1, -1).replaceAll('""', '"');
