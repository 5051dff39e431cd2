import { describe, expect, test } from '@jest/globals';
import { type BundleRun, runBundle } from '../harness/run-bundle.ts';

type Inputs = Readonly<Record<string, string>>;

const scenario = (name: string, more: Inputs = {}): BundleRun => ({
  action: { fixture: 'scenario.ts' },
  inputs: { scenario: name, cluster: 'web', ...more },
});

const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const COMMANDS_WITHOUT_MASKS = (stdout: string): string => stdout.replaceAll(/^::add-mask::.*$/gm, '');

describe('a run with bad inputs', () => {
  test('names every problem in one annotation, with accepted values and the nearest match, and touches nothing', async () => {
    const result = await runBundle({
      action: { fixture: 'scenario.ts' },
      inputs: {
        scenario: 'succeed',
        clustr: 'web',
        mode: 'shfit',
        timeout: '5',
        retries: '11',
        token: 'hunter22',
        'allowed-account-ids': '12, 34',
      },
    });
    expect(result.exitCode).toBe(1);
    expect(result.annotations).toHaveLength(1);
    expect(result.annotations[0]).toMatchObject({ level: 'error', title: 'scenario: unusable input' });
    expect(result.annotations[0]?.message.split('\n')).toEqual([
      'The inputs of scenario cannot be used, 5 problems:',
      '  clustr: is not an input of scenario. Did you mean cluster?',
      '  allowed-account-ids: "12, 34" has the entry "12". Accepted: 12-digit account ids, one a line or separated by commas; in YAML a list.',
      '  mode: "shfit" is not one of the accepted values. Accepted: run, prepare, shift. Did you mean shift?',
      '  timeout: "5" is not a duration. Accepted: a number with a unit: 90s, 5m, 1h30m.',
      '  retries: "11" is not a whole number in the range. Accepted: 0 to 10.',
      'Nothing was touched.',
    ]);
    expect(result.outputs).toEqual({
      outcome: 'invalid-input',
      changed: 'false',
      'started-at': ISO,
      'finished-at': ISO,
    });
    expect(result.summary).toContain('| timeout | "5" is not a duration.');
  });

  test('names problems between inputs, which only the action knows', async () => {
    const result = await runBundle(scenario('succeed', { mode: 'shift' }));
    expect(result.exitCode).toBe(1);
    expect(result.annotations[0]?.message).toContain('hosts: is required when mode is shift');
  });

  test('says the same for a file that an input names', async () => {
    const result = await runBundle(scenario('invalid-file'));
    expect(result.exitCode).toBe(1);
    expect(result.outputs['outcome']).toBe('invalid-input');
    expect(result.annotations[0]?.message).toContain('policy.yml:7:3 rules[2]: is not a rule');
  });

  test('names the input when its file is missing', async () => {
    const result = await runBundle(scenario('read-missing-file'));
    expect(result.exitCode).toBe(1);
    expect(result.annotations[0]?.message).toMatch(/policy: "policy\.yml" is not in the workspace \/\S+\./);
  });
});

describe('the values of a run', () => {
  const sluiceYml = `
stages:
  defaults:
    cluster: "{stage}-cluster"
    timeout: 10m
    retries: 3
    allowed-account-ids: [012345678901]
  staging: {}
  production:
    timeout: 20m
    hosts: [a.example, "{stage}.example"]
    checks: { version: 1, http: [{ url: "https://{stage}.example" }] }
`;

  test.each([
    ['an input', { cluster: 'from-input', timeout: '1m' }, { cluster: 'from-input', timeout: 60_000 }],
    ['the stage, where no input is given', {}, { cluster: 'production-cluster', timeout: 1_200_000, retries: 3 }],
    [
      'the stage, where the input is given empty',
      { cluster: '', timeout: ' ' },
      { cluster: 'production-cluster', timeout: 1_200_000 },
    ],
    [
      'defaults of the file, where the stage is silent',
      { stage: 'staging' },
      { cluster: 'staging-cluster', timeout: 600_000 },
    ],
    ['the default, where nobody says anything', { stage: 'staging' }, { mode: 'run' }],
  ])('come from %s', async (_name, inputs: Inputs, expected) => {
    const result = await runBundle({
      action: { fixture: 'scenario.ts' },
      inputs: { scenario: 'succeed', stage: 'production', ...inputs },
      files: { 'sluice.yml': sluiceYml },
    });
    expect(result.annotations).toEqual([]);
    expect(JSON.parse(result.outputs['values'] ?? '')).toMatchObject(expected);
  });

  test('keep the digits of an account id and expand {stage} in lists and structures', async () => {
    const result = await runBundle({
      action: { fixture: 'scenario.ts' },
      inputs: { scenario: 'succeed', stage: 'production' },
      files: { 'sluice.yml': sluiceYml },
    });
    expect(JSON.parse(result.outputs['values'] ?? '')).toMatchObject({
      'allowed-account-ids': ['012345678901'],
      hosts: ['a.example', 'production.example'],
      checks: { version: 1, http: [{ url: 'https://production.example' }] },
    });
  });

  test('are printed with their origin in a dry run, a secret never', async () => {
    const result = await runBundle({
      action: { fixture: 'scenario.ts' },
      inputs: {
        scenario: 'succeed',
        stage: 'production',
        config: 'deploy/sluice.yml',
        retries: '7',
        token: 'hunter22',
        'dry-run': 'true',
      },
      files: { 'deploy/sluice.yml': sluiceYml },
    });
    expect(result.stdout).toContain('\ncluster: production-cluster  (deploy/sluice.yml:4:5 stages.defaults.cluster)\n');
    expect(result.stdout).toContain('\ntimeout: 20m  (deploy/sluice.yml:10:5 stages.production.timeout)\n');
    expect(result.stdout).toContain('\nretries: 7  (input)\n');
    expect(result.stdout).toContain('\nmode: run  (default)\n');
    expect(result.stdout).toContain('\nregion: not given\n');
    expect(result.stdout).toContain('\ntoken: ***  (input)\n');
    expect(COMMANDS_WITHOUT_MASKS(result.stdout)).not.toContain('hunter22');
  });
});

describe('a run that ends by itself', () => {
  test('is green, says its headline and sets its own outputs beside the four of every action', async () => {
    const result = await runBundle(scenario('succeed'));
    expect(result).toMatchObject({ exitCode: 0, signal: null, annotations: [], stderr: '' });
    expect(result.stdout).toContain('Ended as done\n');
    expect(result.outputs).toMatchObject({
      outcome: 'done',
      changed: 'true',
      'started-at': ISO,
      'finished-at': ISO,
      values: expect.any(String),
    });
    expect(result.summary).toBe('### done\n');
  });

  test('is red with its headline when the report says failure', async () => {
    const result = await runBundle(scenario('report-failure'));
    expect(result.exitCode).toBe(1);
    expect(result.outputs).toMatchObject({ outcome: 'rolled-back', changed: 'true' });
    expect(result.annotations).toEqual([
      { level: 'error', title: 'scenario: rolled-back', message: 'p95 2140 ms > 2000 ms for 5m (n=3120)' },
    ]);
  });

  test('is red with the whole message when it throws a Failure, and keeps the cause for debugging', async () => {
    const result = await runBundle(scenario('fail'));
    expect(result.exitCode).toBe(1);
    expect(result.annotations).toEqual([
      {
        level: 'error',
        title: 'scenario',
        message: 'Could not set weight 50: access denied. Traffic is still 10/90. Grant it, then re-run.',
      },
    ]);
    expect(result.outputs).toMatchObject({ outcome: 'failed', changed: 'true' });
    expect(result.commands.filter(({ name }) => name === 'debug').map(({ data }) => data)).toEqual([
      expect.stringContaining('Caused by Error: AccessDenied'),
    ]);
    expect(result.summary).toContain('Traffic is still 10/90.');
  });

  test('says that nothing was changed when it failed before its first write', async () => {
    expect((await runBundle(scenario('fail-early'))).outputs).toMatchObject({ outcome: 'failed', changed: 'false' });
  });

  test('does not stay alive for what it left open', async () => {
    const result = await runBundle({ ...scenario('leave-handles-open'), timeout: 10_000 });
    expect(result).toMatchObject({ exitCode: 0, timedOut: false });
    expect(result.outputs['outcome']).toBe('done');
  });

  test('knows who runs it, and writes into the workspace', async () => {
    const run = scenario('show-run');
    const result = await runBundle({
      ...run,
      env: { GITHUB_TRIGGERING_ACTOR: 'bob', GITHUB_RUN_ATTEMPT: '3', EMPTY: '' },
    });
    expect(JSON.parse(result.written['out/run.json'] ?? '')).toMatchObject({
      repository: 'acme/shop',
      runId: '4711',
      attempt: 3,
      job: 'deploy',
      actor: 'bob',
      commit: '0123456789abcdef0123456789abcdef01234567',
      saved: 'b',
      unset: null,
    });
  });

  test('works without the runner’s files, for whoever tries a bundle by hand', async () => {
    const run = scenario('succeed');
    const result = await runBundle({
      ...run,
      env: { GITHUB_OUTPUT: undefined, GITHUB_STATE: undefined, GITHUB_STEP_SUMMARY: undefined },
    });
    expect(result).toMatchObject({ exitCode: 0, outputs: {}, summary: '' });
    expect(result.stdout).toBe('Ended as done\n');
  });

  test('is red when its outputs cannot be written', async () => {
    const result = await runBundle({ ...scenario('succeed'), env: { GITHUB_OUTPUT: '/nowhere/output' } });
    expect(result.exitCode).toBe(1);
    expect(result.annotations[0]?.message).toContain(
      'Could not write output values: Missing file at path: /nowhere/output',
    );
  });
});

describe('a bug', () => {
  test('is reported as ours with one line of what to do, and its stack at debug', async () => {
    const result = await runBundle(scenario('bug'));
    expect(result.exitCode).toBe(1);
    expect(result.annotations).toEqual([
      {
        level: 'error',
        title: 'scenario: bug',
        message:
          "Unexpected error in scenario: Cannot read properties of undefined (reading 'weights'). Nothing was changed. This is a bug in Sluice, not in your workflow: please report it at https://github.com/acme/sluice/issues; a re-run with debug logging shows the stack.",
      },
    ]);
    const stack = result.commands.filter(({ name }) => name === 'debug').map(({ data }) => data);
    expect(stack).toEqual([expect.stringMatching(/^TypeError: Cannot read[\s\S]*scenario\.ts:\d+/)]);
    expect(result.outputs).toMatchObject({ outcome: 'failed', changed: 'false' });
  });

  test('in the middle of a change restores the safe state at once', async () => {
    const result = await runBundle(scenario('bug-while-shifting'));
    expect(result.exitCode).toBe(1);
    expect(result.annotations[0]?.message).toContain('Traffic is 100/0 again. The post step verifies it.');
    expect(result.outputs).toMatchObject({ outcome: 'failed', changed: 'true' });
  });

  test.each([
    ['a rejection that nobody awaits', 'stray-rejection', 'nobody awaits me'],
    [
      'a promise that cannot settle any more',
      'wait-for-nothing',
      'the run waits for something that cannot happen any more',
    ],
  ])('is seen in %s', async (_name, name, message) => {
    const result = await runBundle(scenario(name));
    expect(result.exitCode).toBe(1);
    expect(result.annotations[0]?.message).toContain(`Unexpected error in scenario: ${message}.`);
    expect(result.outputs['outcome']).toBe('failed');
  });
});

describe('what leaves the run', () => {
  test('cannot set other outputs, whatever the values contain', async () => {
    const result = await runBundle(scenario('inject-outputs'));
    expect(result.outputs).toEqual({
      outcome: 'done\nchanged=false',
      changed: 'true',
      'started-at': ISO,
      'finished-at': ISO,
      verdict: 'pass\nEOF\noutcome<<EOF\nstolen\nEOF',
    });
    expect(result.commands).toEqual([]);
  });

  test('cannot set other outputs by their names; the good ones are set, and the step is red', async () => {
    const result = await runBundle(scenario('name-outputs-badly'));
    expect(result.exitCode).toBe(1);
    expect(Object.keys(result.outputs).sort()).toEqual(['changed', 'fine', 'finished-at', 'outcome', 'started-at']);
    expect(result.outputs['outcome']).toBe('done');
    expect(result.annotations.map(({ message }) => message)).toEqual([
      'Could not write output outcome=stolen: "outcome=stolen" is not the name of an output',
      'Could not write output a\nb: "a\\nb" is not the name of an output',
    ]);
  });

  test('never shows a secret: not in the log, outputs, summary or annotations', async () => {
    const result = await runBundle(scenario('use-secret', { token: 'hunter22' }));
    expect(result.exitCode).toBe(0);
    const everything = [
      COMMANDS_WITHOUT_MASKS(result.stdout),
      result.stderr,
      JSON.stringify(result.outputs),
      result.summary,
      JSON.stringify(result.annotations),
    ].join('\n');
    expect(everything).not.toContain('hunter22');
    expect(everything.slice(everything.indexOf('sending'))).not.toContain('minted-by-the-cloud');
    expect(result.outputs['echo']).toBe('token ***, ***');
  });

  test('tells the runner of a secret before anything else is said', async () => {
    const failing = await runBundle(scenario('fail-with-secret', { token: 'hunter22' }));
    expect(failing.commands[0]).toEqual({ name: 'add-mask', properties: {}, data: 'hunter22' });
    expect(failing.annotations[0]?.message).toBe('Could not log in with ***.');
    const invalid = await runBundle(scenario('succeed', { token: 'hunter22', mode: 'hunter22' }));
    expect(invalid.commands[0]?.name).toBe('add-mask');
    expect(COMMANDS_WITHOUT_MASKS(invalid.stdout)).not.toContain('hunter22');
  });

  test('keeps the summary within the 1 MiB that GitHub shows', async () => {
    const { summary, exitCode } = await runBundle(scenario('huge-summary'));
    expect(exitCode).toBe(0);
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(1024 * 1024);
    expect(Buffer.byteLength(summary)).toBeGreaterThan(1024 * 1000);
    expect(summary).toContain('This summary is cut');
  });
});
