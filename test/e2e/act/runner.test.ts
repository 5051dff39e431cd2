import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from '../../harness/needs.ts';
import { type Repositories, SUITE, makeRepositories } from './repositories.ts';
import { readRun, runWorkflow } from './runner.ts';

const IMAGE = { repository: 'acme/web', digest: `sha256:${'a'.repeat(64)}`, tag: '1.4.0' };
const head = 'on: { workflow_dispatch: { inputs: { images: { type: string } } } }\npermissions: {}\n';
const [name = '', ref = ''] = SUITE.split('@');
const build = (images: string): string =>
  `uses: ${name}/.github/workflows/build.yml@${ref}\n    with: { images: "${images}" }`;

/** What the harness is asked to tell apart, one workflow each. */
const WORKFLOWS = {
  'good.yml': `${head}jobs:
  images:
    name: Images of the release
    ${build('${{ inputs.images }}')}
  after:
    needs: images
    runs-on: ubuntu-latest
    steps:
      - id: show
        env: { HASH: "\${{ needs.images.outputs.images-sha256 }}" }
        run: echo "hash=$HASH" >> "$GITHUB_OUTPUT"
      - id: never
        if: failure()
        run: echo "never printed"
`,
  'red.yml': `${head}jobs:
  images:
    ${build('{}')}
  after:
    needs: images
    runs-on: ubuntu-latest
    steps: [{ run: echo "after printed" }]
`,
  'no-runner.yml': `${head}jobs: { a: { runs-on: windows-2019, steps: [{ run: echo }] } }\n`,
  'from-the-network.yml': `${head}jobs: { a: { runs-on: ubuntu-latest, steps: [{ uses: acme/other@v1 }] } }\n`,
  'never.yml': `${head}jobs: { a: { if: false, runs-on: ubuntu-latest, steps: [{ run: echo }] } }\n`,
};

needs('act', 'jq')('workflows run by act', () => {
  let repositories: Repositories;
  beforeAll(() => {
    const files = Object.entries(WORKFLOWS).map(([file, text]) => [`.github/workflows/${file}`, text]);
    repositories = makeRepositories('acme/shop', Object.fromEntries(files) as Record<string, string>);
  }, 60_000);
  afterAll(() => repositories.remove());

  const run = (workflow: keyof typeof WORKFLOWS) =>
    runWorkflow({
      repositories,
      workflow,
      inputs: { images: JSON.stringify({ web: IMAGE }) },
      run: { id: '7', attempt: 1, actor: 'dave' },
      limit: 20_000,
    });

  test('a called workflow and the job after it: results, steps, outputs', async () => {
    const { exitCode, jobs, steps, outputs, printed } = await run('good.yml');
    expect({ exitCode, jobs }).toEqual({
      exitCode: 0,
      jobs: { 'Images of the release / Images': 'success', after: 'success' },
    });
    expect(steps['after']).toEqual({ show: 'success' });
    const hash = outputs['Images of the release / Images']?.['join-images']?.['images-sha256'];
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(outputs['after']).toEqual({ show: { hash } });
    expect(printed).toContain(`1 image(s), hash ${hash}`);
  });

  test('a red stage: its reason, and nothing after it', async () => {
    const { exitCode, jobs, errors, printed } = await run('red.yml');
    expect({ exitCode, jobs }).toEqual({ exitCode: 1, jobs: { 'images / Images': 'failure' } });
    expect(errors).toEqual(['images has no entry. Nothing was deployed.']);
    expect(printed).not.toContain('after printed');
  });

  test.each<[string, keyof typeof WORKFLOWS, string]>([
    ['a job that no runner takes', 'no-runner.yml', 'Skipping unsupported platform'],
    ['an action from the network', 'from-the-network.yml', 'LocalRepositoryCache not matched'],
    ['nothing that runs', 'never.yml', 'no job ran'],
  ])('%s is no result', async (_name, workflow, said) => {
    await expect(run(workflow)).rejects.toThrow(said);
  });
});

test.each([
  ['green with a red job', 0, 'failure', 'act ended with 0'],
  ['red with green jobs', 1, 'success', 'act ended with 1'],
  ['red without a reason', 1, 'failure', 'nothing says why'],
  ['ended by force', null, 'success', 'act ended with null'],
])('an ending that does not fit is no result: %s', (_name, exitCode, jobResult, said) => {
  const stdout = JSON.stringify({ job: 'x/a', jobResult });
  expect(() => readRun({ exitCode, stdout, stderr: '', seconds: 1 })).toThrow(said);
});

test('an output that was never evaluated is no result', () => {
  const lines = [
    { job: 'x/a', stepID: ['one'], command: 'set-output', name: 'images', arg: '${{ needs.b.outputs.images }}' },
    { job: 'x/a', jobResult: 'success' },
  ];
  const stdout = lines.map((line) => JSON.stringify(line)).join('\n');
  expect(() => readRun({ exitCode: 0, stdout, stderr: '', seconds: 1 })).toThrow(
    'the output images holds an expression',
  );
});
