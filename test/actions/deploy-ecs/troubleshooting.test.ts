import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../../..');

/** Lines of the tests that run the action as a process. */
const lines = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.test.ts') && name !== 'troubleshooting.test.ts')
  .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
  .filter((text) => /runBundle|mainThenPost/.test(text))
  .flatMap((text) => text.split('\n'));

/** First cells of the table: `access denied for ...` is the text `access denied for `. */
function messages(): readonly string[] {
  const readme = readFileSync(join(ROOT, 'actions/deploy-ecs/README.md'), 'utf8');
  const table = readme.slice(readme.indexOf('## Troubleshooting'));
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, message = '']) => message);
}

/** A line that has the parts of the message in their order. */
function expects(line: string, message: string): boolean {
  let from = 0;
  for (const part of message.split('...').map((each) => each.trim())) {
    const at = line.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}

test('the troubleshooting table is not empty', () => {
  expect(messages().length).toBeGreaterThan(15);
});

test.each(messages())('the message "%s" is expected of a process', (message) => {
  expect(lines.some((line) => expects(line, message))).toBe(true);
});

test('a row that nobody provokes is found', () => {
  expect(lines.some((line) => expects(line, 'no such ... message'))).toBe(false);
});
