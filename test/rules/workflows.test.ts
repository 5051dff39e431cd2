import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, sourceFiles } from './tracked.ts';
import { workflowProblems } from './workflows.ts';

describe('the workflows', () => {
  test('keep to the house: pinned, without rights, with an end', () => {
    const workflows = sourceFiles().filter((path) => /(^|\/)\.github\/workflows\/[^/]+\.ya?ml$/.test(path));
    expect(workflows).toContain('.github/workflows/ci.yml');
    const problems = workflows.flatMap((path) =>
      workflowProblems(readFileSync(join(ROOT, path), 'utf8')).map((problem) => `${path}: ${problem}`),
    );
    expect(problems).toEqual([]);
  });
});

const SHA = '0123456789012345678901234567890123456789';
const good = `
permissions: {}
jobs:
  a:
    timeout-minutes: 5
    permissions:
      contents: read # checkout
    steps:
      - uses: actions/checkout@${SHA} # v6.0.0
        with: { persist-credentials: false }
      - uses: $/actions/deploy-ecs
      - uses: ./actions/deploy-ecs
      - uses: acme/sluice/actions/deploy-ecs@v0
      - run: echo "$NAME"
  b:
    uses: ./.github/workflows/x.yml
`;

describe('the workflow check finds what it forbids', () => {
  test('a workflow of the house has no problem', () => {
    expect(workflowProblems(good)).toEqual([]);
  });

  test.each([
    ['rights at the top', 'permissions: {}', 'permissions: { contents: read }', 'permissions at the top are not {}'],
    ['no word on rights', 'permissions: {}', '', 'permissions at the top are not {}'],
    ['a right without a reason', ' # checkout', '', 'the permission contents has no reason beside it'],
    ['no end', '    timeout-minutes: 5\n', '', 'job a has no timeout-minutes'],
    [
      'a tag instead of a SHA',
      `actions/checkout@${SHA} # v6.0.0`,
      'actions/checkout@v6',
      'actions/checkout@v6 is not pinned by SHA',
    ],
    ['a SHA without its version', ' # v6.0.0', '', `actions/checkout@${SHA} has no comment with its version`],
    [
      'kept credentials',
      'persist-credentials: false',
      'fetch-depth: 1',
      'job a: checkout keeps its credentials (persist-credentials: false)',
    ],
    [
      'an expression inside run',
      'echo "$NAME"',
      'echo "${{ github.actor }}"',
      'job a: an expression inside run; give it through env',
    ],
  ])('%s', (_, text, instead, problem) => {
    expect(workflowProblems(good.replace(text, instead))).toEqual([problem]);
  });
});
