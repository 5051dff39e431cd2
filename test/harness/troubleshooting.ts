import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { calls, expectedTexts } from './expected-texts.ts';

const ROOT = join(import.meta.dirname, '../..');

/** First cells of the table in an action's README: `access denied for ...` is the text `access denied for `. */
export function troublesOf(action: string): readonly string[] {
  const readme = readFileSync(join(ROOT, 'actions', action, 'README.md'), 'utf8');
  const table = readme.slice(readme.indexOf('## Troubleshooting'));
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, message = '']) => message);
}

/** What the tests in these folders expect, of those that run an action as a process: by functions that only those call. */
export const processExpectations = (folders: readonly string[], runs: readonly string[]): readonly string[] =>
  folders
    .flatMap((folder) => readdirSync(join(ROOT, 'test', folder)).map((name) => join(ROOT, 'test', folder, name)))
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
    .filter(({ path, text }) => calls(path, text, runs))
    .flatMap(({ path, text }) => expectedTexts(path, text));

const partsOf = (message: string): readonly string[] => message.split('...').map((each) => each.trim());

/** Whether the text has the parts of the message in their order. */
export function expects(line: string, message: string): boolean {
  let from = 0;
  for (const part of partsOf(message)) {
    const at = line.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}

/** What the README has, as a text of the process shows it. */
export const shownAs = (message: string): RegExp =>
  new RegExp(
    partsOf(message)
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*'),
  );
