import { expect, test } from '@jest/globals';
import { expects, processLines, rowsOf } from '../../harness/troubleshooting.ts';

const lines = processLines(['actions/deploy-ecs'], /runBundle|mainThenPost/);
const messages = rowsOf('deploy-ecs');

test('the troubleshooting table is not empty', () => {
  expect(messages.length).toBeGreaterThan(15);
});

test.each(messages)('the message "%s" is expected of a process', (message) => {
  expect(lines.some((line) => expects(line, message))).toBe(true);
});

test('a row that nobody provokes is found', () => {
  expect(lines.some((line) => expects(line, 'no such ... message'))).toBe(false);
});
