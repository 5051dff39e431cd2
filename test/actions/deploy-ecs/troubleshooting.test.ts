import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../../..');
const FOLDERS = ['actions/deploy-ecs', 'adapters/aws', 'domain/approval', 'domain/ecs', 'engine/ecs-rollout'];

const tests = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, 'test', folder))
    .filter((name) => name.endsWith('.test.ts') && name !== 'troubleshooting.test.ts')
    .map((name) => readFileSync(join(ROOT, 'test', folder, name), 'utf8')),
);

/** First cells of the table: `access denied for ...` is the text `access denied for `. */
function messages(): readonly string[] {
  const readme = readFileSync(join(ROOT, 'actions/deploy-ecs/README.md'), 'utf8');
  const table = readme.slice(readme.indexOf('## Troubleshooting'));
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, message = '']) => message);
}

test('the troubleshooting table is not empty', () => {
  expect(messages().length).toBeGreaterThan(15);
});

test.each(messages())('the message "%s" is produced and expected by a test', (message) => {
  const parts = message.split('...').map((part) => part.trim());
  expect(tests.some((text) => parts.every((part) => text.includes(part)))).toBe(true);
});
