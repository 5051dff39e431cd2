import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { actionNames } from '../../tools/docs/action-contract.ts';
import { ROOT, sourceFiles } from './tracked.ts';
import { type ActionNames, type CallSources, callProblems } from './workflow-calls.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

function namesOf(action: string): ActionNames {
  const { inputs = {}, outputs = {} } = parse(read(`actions/${action}/action.yml`)) as {
    inputs?: Record<string, { description: string }>;
    outputs?: object;
  };
  const described = Object.entries(inputs).map(([name, { description }]) => [name, description]);
  return { inputs: Object.fromEntries(described) as Record<string, string>, outputs: Object.keys(outputs) };
}

describe('the workflows of the suite and of the examples', () => {
  test('fit the actions and the workflows that they use', () => {
    const paths = sourceFiles().filter((path) => /(^|\/)\.github\/workflows\/[^/]+\.ya?ml$/.test(path));
    expect(paths).toEqual(
      expect.arrayContaining([
        '.github/workflows/pipeline.yml',
        'examples/wesign-charts/.github/workflows/release.yml',
      ]),
    );
    const workflows = Object.fromEntries(paths.map((path) => [path, read(path)]));
    const actions = Object.fromEntries(actionNames(ROOT).map((name) => [name, namesOf(name)]));
    expect(callProblems({ workflows, actions })).toEqual([]);
  });
});

describe('the actions', () => {
  test('have expressions in defaults alone: a runner refuses the whole action for one in a description', () => {
    const found = actionNames(ROOT).flatMap((name) => {
      const { inputs, ...rest } = parse(read(`actions/${name}/action.yml`)) as { inputs: Record<string, object> };
      const described = Object.entries(inputs).map(([input, each]) => [input, { ...each, default: '' }]);
      return [...described, ...Object.entries(rest)].flatMap(([key, each]) =>
        JSON.stringify(each).includes('${{') ? [`${name}: ${String(key)}`] : [],
      );
    });
    expect(found).toEqual([]);
  });
});

const stage = `
on:
  workflow_call:
    inputs: { stage: { description: s, type: string, required: true } }
    secrets: { key: { description: k } }
    outputs: { arn: { description: a, value: "\${{ jobs.one.outputs.arn }}" } }
jobs:
  one:
    permissions: { contents: read, id-token: write }
    environment: x
    concurrency: { group: x, cancel-in-progress: false }
    outputs: { arn: "\${{ steps.deploy.outputs.arn }}" }
    steps:
      - id: deploy
        uses: $/actions/deploy
        with: { stage: "\${{ inputs.stage }}", mode: back, key: "\${{ secrets.key }}" }
      - id: count
        run: echo "tasks=3" >> "$GITHUB_OUTPUT"
      - run: echo "$TASKS"
        env: { TASKS: "\${{ steps.count.outputs.tasks }}" }
`;
const caller = `
jobs:
  first:
    permissions: { contents: write, id-token: write }
    uses: acme/sluice/.github/workflows/stage.yml@v0
    with: { stage: staging }
    secrets: { key: k }
  second:
    needs: first
    steps:
      - run: echo "$ARN"
        env: { ARN: "\${{ needs.first.outputs.arn }}" }
`;
const sources = (change: { stage?: string; caller?: string } = {}): CallSources => ({
  workflows: { '.github/workflows/stage.yml': change.stage ?? stage, 'caller.yml': change.caller ?? caller },
  actions: {
    deploy: {
      inputs: { stage: 's', key: 'k', mode: 'What to do. Accepts: go\n | back. Default: `go`.' },
      outputs: ['arn'],
    },
  },
});

describe('the check of calls finds what it forbids', () => {
  test('workflows that fit have no problem', () => {
    expect(callProblems(sources())).toEqual([]);
  });

  test.each([
    ['an action that is not there', '$/actions/deploy', '$/actions/deplyo', 'job one: no action is called deplyo'],
    ['an input that is not there', '{ stage: "', '{ stagge: "', 'job one: deploy has no input stagge'],
    ['a choice that is not there', 'mode: back', 'mode: forth', 'job one: deploy does not accept mode: forth'],
    [
      'an output that the action lacks',
      'deploy.outputs.arn',
      'deploy.outputs.url',
      'job one: step deploy gives no output url',
    ],
    [
      'an output that no script writes',
      'count.outputs.tasks',
      'count.outputs.task',
      'job one: step count gives no output task',
    ],
    ['a step that is not there', 'steps.count.outputs', 'steps.sum.outputs', 'job one: no step has the id sum'],
    ['a step id twice', 'id: count', 'id: deploy', 'the step id deploy is there twice'],
    [
      'no lock',
      'cancel-in-progress: false',
      'cancel-in-progress: true',
      'job one: has an environment and no lock on it',
    ],
    ['no description', 'description: a, ', '', 'arn has no description'],
    ['an input that nobody reads', 'stage: "${{ inputs.stage }}", ', '', 'the input stage is not used'],
    ['a secret that nobody reads', ', key: "${{ secrets.key }}"', '', 'the secret key is not used'],
    ['an output from nowhere', 'jobs.one.outputs.arn', 'jobs.one.outputs.id', 'the output arn comes from nowhere'],
    [
      'a dispatch that asks for less',
      'on:\n',
      'on:\n  workflow_dispatch: { inputs: {} }\n',
      'the input stage differs between call and dispatch',
    ],
  ])('in a stage: %s', (_name, text, instead, problem) => {
    expect(callProblems(sources({ stage: stage.replace(text, instead) }))).toContain(
      `.github/workflows/stage.yml: ${problem}`,
    );
  });

  test.each([
    [
      'a workflow that is not there',
      'stage.yml@v0',
      'stages.yml@v0',
      'first: stages.yml is no workflow that can be called',
    ],
    ['an input that the workflow lacks', '{ stage: staging }', '{ stage: a, b: c }', 'first: stage.yml has no input b'],
    ['a required input left out', '{ stage: staging }', '{}', 'first: stage.yml needs the input stage'],
    ['a secret that the workflow lacks', '{ key: k }', '{ other: k }', 'first: stage.yml has no secret other'],
    ['a right too few', 'id-token: write', 'id-token: read', 'first: stage.yml needs the permission id-token: write'],
    ['no rights at all', /permissions:.*\n/, '\n', 'first: stage.yml needs the permission contents: read'],
    ['an output that the workflow lacks', 'outputs.arn', 'outputs.url', 'second: job first gives no output url'],
    ['a job that it does not wait for', 'needs: first', 'needs: []', 'second: first is not among its needs'],
    [
      'outputs of a job that may be skipped',
      '    uses:',
      '    if: github.actor\n    uses:',
      'second: reads outputs of first, which may be skipped',
    ],
  ])('in a caller: %s', (_name, text, instead, problem) => {
    expect(callProblems(sources({ caller: caller.replace(text, instead) }))).toContain(`caller.yml: job ${problem}`);
  });
});
