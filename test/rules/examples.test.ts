import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { actionNames, readContract } from '../../tools/docs/action-contract.ts';
import { exampleProblems } from './examples.ts';
import { ROOT, sourceFiles } from './tracked.ts';

describe('the examples in the documentation', () => {
  test('use actions and inputs that exist', async () => {
    const contracts = await Promise.all(actionNames(ROOT).map((name) => readContract(ROOT, name)));
    const known = Object.fromEntries(contracts.map(({ name, spec }) => [name, new Set(Object.keys(spec))]));
    const pages = sourceFiles().filter((path) => path.endsWith('.md'));
    expect(pages).toContain('README.md');
    const problems = pages.flatMap((path) =>
      exampleProblems(readFileSync(join(ROOT, path), 'utf8'), known).map((problem) => `${path}: ${problem}`),
    );
    expect(problems).toEqual([]);
  });
});

describe('the check of examples finds what it forbids', () => {
  const known = { 'deploy-ecs': new Set(['stage']) };
  const page = (step: string): string => `# A\n\n\`\`\`yaml\njobs:\n  a:\n    steps:\n      - ${step}\n\`\`\`\n`;

  test.each([
    ['an action that is not there', 'uses: acme/sluice/actions/deploy-moon@v0', ['no action is called deploy-moon']],
    [
      'an input that is not there',
      'uses: acme/sluice/actions/deploy-ecs@v0\n        with: { stagge: dev }',
      ['deploy-ecs has no input stagge'],
    ],
    ['an input of its own', 'uses: $/actions/deploy-ecs\n        with: { stage: dev }', []],
    ['an action of others', 'uses: actions/checkout@v6\n        with: { ref: x }', []],
  ])('%s', (_, step, problems) => {
    expect(exampleProblems(page(step), known)).toEqual(problems);
  });

  test('YAML that cannot be read', () => {
    expect(exampleProblems(page('uses: [a'), known).length).toBeGreaterThan(0);
  });
});
