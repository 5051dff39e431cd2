import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../../..');
const FOLDERS = ['actions/deploy-k8s', 'domain/kubernetes', 'adapters/kubernetes'];

const tests = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, 'test', folder))
    .filter((name) => name.endsWith('.test.ts') && name !== 'troubleshooting.test.ts')
    .map((name) => readFileSync(join(ROOT, 'test', folder, name), 'utf8')),
);

function messages(): readonly string[] {
  const readme = readFileSync(join(ROOT, 'actions/deploy-k8s/README.md'), 'utf8');
  const table = readme.slice(readme.indexOf('## Troubleshooting'));
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, message = '']) => message);
}

test('the troubleshooting table is not empty', () => {
  expect(messages().length).toBeGreaterThan(10);
});

test.each(messages())('the message "%s" is expected by a test', (message) => {
  expect(tests.some((text) => text.includes(message))).toBe(true);
});
