/** Whether a path of the context, with slashes, is left out of it. */
export interface Excluded {
  (path: string): boolean;
  /** What is below a folder that is left out is left out, too: no line takes a part of it back. */
  readonly whole: boolean;
}

/** A .dockerignore as BuildKit reads it (moby/patternmatcher): the last line that fits a path, or a folder above it, decides. */
export function excludedBy(text: string): Excluded {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const rules = lines.map((line) => ({ takesBack: line.startsWith('!'), fits: pattern(line.replace(/^!\s*/, '')) }));
  const excluded = (path: string): boolean => {
    const parts = path.split('/');
    const places = parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
    const last = rules.findLast(({ fits }) => places.some((place) => fits.test(place)));
    return last !== undefined && !last.takesBack;
  };
  return Object.assign(excluded, { whole: !rules.some(({ takesBack }) => takesBack) });
}

/** Go's filepath.Match with `**`, of a path from the root of the context. One that cannot be read fits nothing. */
function pattern(line: string): RegExp {
  const clean = line
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  const source = clean.replaceAll(/\*\*\/?|\*|\?|\[\^?[^\]]+\]|\\.|[^\w/]/gs, (piece) => {
    if (piece === '**/') return '(?:.*/)?';
    if (piece === '**') return '.*';
    if (piece === '*') return '[^/]*';
    if (piece === '?') return '[^/]';
    if (piece.length > 1 && piece.startsWith('[')) return piece;
    return `\\${piece.at(-1) ?? ''}`;
  });
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    return /(?!)/;
  }
}
