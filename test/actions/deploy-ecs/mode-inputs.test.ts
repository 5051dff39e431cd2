import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MODES, spec, toRequest } from '../../../actions/deploy-ecs/src/inputs.ts';
import { describeProblem } from '../../../src/domain/inputs.ts';
import { problemsBetween } from '../../../src/runtime/between-inputs.ts';
import { readInputs } from '../../../src/runtime/read-inputs.ts';

/** What only a deployment reads, as one step or one stage would say it. */
const RELEASE = {
  'task-definition': 'web:7',
  containers: '{ web: { environment: { LEVEL: info } } }',
  'task-role-arn': 'arn:aws:iam::123456789012:role/web',
  'execution-role-arn': 'arn:aws:iam::123456789012:role/start',
  'service-settings': '{ propagate-tags: service }',
  'pre-deploy-task': '{ command: [npm, run, migrate] }',
  'post-deploy-task': '{ command: [npm, run, warm-up] }',
  'on-failure': 'leave',
  'on-cancel': 'leave',
  environment: 'production',
};
const STAGE = `stages:
  production:
    cluster: shop
    service: web
    desired-count: 3
    keep-revisions: 5
    on-limits: change
    url: https://shop.example.com
${Object.entries(RELEASE)
  .map(([key, value]) => `    ${key}: ${value}\n`)
  .join('')}`;

let workspace = '';
beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'mode-inputs-'));
  await writeFile(join(workspace, 'sluice.yml'), STAGE);
});
afterAll(() => rm(workspace, { recursive: true }));

/** As the runtime tells it; a step that is right is told nothing. */
async function told(inputs: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const environment = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  const read = await readInputs(spec, { action: 'deploy-ecs', environment, workspace, mask: () => undefined });
  if (read.ok) {
    const request = toRequest(read.value.values, read.value.given);
    return request.ok ? [] : request.problems.map(describeProblem);
  }
  const between = 'rest' in read && read.rest !== undefined ? problemsBetween({ toRequest }, read.rest) : [];
  return [...read.problems, ...between].map(describeProblem);
}

const place = { cluster: 'shop', service: 'web' };
const others = MODES.filter((mode) => mode !== 'deploy');
const count = (mode: string) => (mode === 'scale' ? { 'desired-count': '2' } : {});

describe('what a mode does not read', () => {
  test.each(others)('is all told in one message when the step of mode: %s gives it', async (mode) => {
    const problems = await told({ mode, ...place, ...count(mode), ...RELEASE });
    expect(problems.map((each) => each.slice(0, each.indexOf('.')))).toEqual(
      Object.keys(RELEASE).map((input) => `${input}: is not read by mode: ${mode}`),
    );
    expect(problems.slice(0, -1).filter((each) => !each.endsWith('Accepted: mode: deploy.'))).toEqual([]);
  });

  test.each(others)('may stand in a stage, which is for all modes: %s', async (mode) => {
    expect(await told({ mode, stage: 'production' })).toEqual([]);
  });

  const reads = [
    { mode: 'scale', foreign: { to: 'web:7' }, reads: 'desired-count, on-limits' },
    { mode: 'status', foreign: { 'desired-count': '4' }, reads: 'nothing' },
    { mode: 'cleanup', foreign: { 'desired-count': '0' }, reads: 'keep-revisions' },
    {
      mode: 'rollback',
      foreign: { 'desired-count': '0' },
      reads: 'to, checks, url, url-from, host, check-secrets, expect-version, rules, recheck',
    },
  ];
  test.each(reads)('is told with what mode: $mode reads', async ({ mode, foreign, reads: names }) => {
    const problems = await told({ mode, ...place, ...count(mode), ...foreign });
    expect(problems).toEqual([expect.stringContaining(` Beside where the service is, mode: ${mode} reads ${names}.`)]);
  });

  test('is told although another input cannot be read', async () => {
    const problems = await told({
      mode: 'rollback',
      ...place,
      recheck: '5',
      'task-role-arn': RELEASE['task-role-arn'],
    });
    expect(problems).toEqual([
      expect.stringMatching(/^recheck: "5" is not a duration/),
      expect.stringMatching(/^task-role-arn: is not read by mode: rollback/),
    ]);
  });

  test.each([
    {
      name: 'a revision to go back to',
      given: { to: 'web:7' },
      told: /^to: is not read by mode: deploy.*mode: rollback/,
    },
    {
      name: 'how many old ones stay',
      given: { 'keep-revisions': '3' },
      told: /^keep-revisions: is not .*mode: cleanup/,
    },
    { name: 'limits of a count', given: { 'on-limits': 'fail' }, told: /^on-limits: is not read .*mode: scale/ },
  ])('a deployment reads nearly all, but not $name', async ({ given, told: says }) => {
    expect(await told({ ...place, image: 'r.example.com/web:1', ...given })).toEqual([expect.stringMatching(says)]);
  });
});
