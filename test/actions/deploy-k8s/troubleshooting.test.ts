import { expect, test } from '@jest/globals';
import { expects, processLines, rowsOf } from '../../harness/troubleshooting.ts';

const lines = processLines(['actions/deploy-k8s', 'examples'], /openScene|openPlace/);
const messages = rowsOf('deploy-k8s');

test('the troubleshooting table is not empty', () => {
  expect(messages.length).toBeGreaterThan(20);
});

test.each(messages)('the message "%s" is expected of a process', (message) => {
  expect(lines.some((line) => expects(line, message))).toBe(true);
});

test('a row that nobody provokes is found', () => {
  expect(lines.some((line) => expects(line, 'no such ... message'))).toBe(false);
});
