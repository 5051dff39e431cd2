import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** First cells of an action's table: `access denied for ...` is the text `access denied for ` and whatever follows it. */
export function rowsOf(action: string): readonly string[] {
  const readme = readFileSync(join(ROOT, 'actions', action, 'README.md'), 'utf8');
  const table = readme.slice(readme.indexOf('## Troubleshooting'));
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, message = '']) => message);
}

/** Lines of the tests in these folders that run an action as a process, by a call that only those have. */
export const processLines = (folders: readonly string[], call: RegExp): readonly string[] =>
  folders
    .flatMap((folder) => readdirSync(join(ROOT, 'test', folder)).map((name) => join(ROOT, 'test', folder, name)))
    .filter((path) => path.endsWith('.test.ts') && !path.endsWith('troubleshooting.test.ts'))
    .map((path) => readFileSync(path, 'utf8'))
    .filter((text) => call.test(text))
    .flatMap((text) => text.split('\n'));

/** A line that has the parts of the message in their order. */
export function expects(line: string, message: string): boolean {
  let from = 0;
  for (const part of message.split('...').map((each) => each.trim())) {
    const at = line.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}
