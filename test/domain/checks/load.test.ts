import { describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { matchers } from '../../../src/adapters/http/matchers.ts';
import { fillTargetHeaders, loadChecks, readTargetHeaders } from '../../../src/domain/checks/load.ts';
import { describeProblem } from '../../../src/domain/inputs.ts';
import { readYaml } from '../../../src/runtime/read-yaml.ts';

const load = (text: string, environment: Record<string, string> = {}) =>
  loadChecks(
    { path: 'checks.yml', text },
    { readYaml, matchers, environment: (name) => environment[name], target: 'of-document', expectVersion: '1' },
  );

describe('a checks file', () => {
  test('knows the line of each of its checks', () => {
    const loaded = load('version: 1\nchecks:\n  - name: a\n    get: [/a, /b]\n  - name: b\n    get: /c\n');
    expect(loaded.ok && loaded.value.lines).toEqual([4, 4, 6]);
  });

  test.each([
    { name: 'YAML that is none', text: 'version: [1\n', problem: /^checks\.yml:\d+:\d+: is not YAML/ },
    {
      name: 'what the grammar refuses',
      text: 'version: 1\nchecks:\n  - name: a\n    get: a\n',
      problem: /^checks\.yml:4:5 checks\[0\]\.get: "a" is not a path\./,
    },
    {
      name: 'a missing variable',
      text: 'version: 1\nchecks:\n  - name: a\n    get: "/${X}"\n',
      problem: /^checks\.yml:4:5 checks\[0\]\.get: needs the environment variable X/,
    },
  ])('gives line and column of $name', ({ text, problem }) => {
    const loaded = load(text);
    expect(loaded.ok ? [] : loaded.problems.map(describeProblem)).toEqual([expect.stringMatching(problem)]);
  });

  test('of the example can be run', async () => {
    const text = await readFile(join(import.meta.dirname, '../../../examples/wesign-charts/checks.yml'), 'utf8');
    const loaded = load(text, { CHARTS_TOKEN: 'x' });
    expect(loaded).toMatchObject({ ok: true, value: { document: { secrets: ['x'] } } });
  });
});

describe('headers of a target', () => {
  test('are filled in from the environment, and what is secret by its name is masked', () => {
    const read = readTargetHeaders({ 'X-Route': 'green', 'X-Api-Key': '${KEY}', 'X-Shard': 3 });
    const filled = read.ok && fillTargetHeaders(read.value, (name) => ({ KEY: 'k' })[name]);
    expect(filled).toEqual({
      ok: true,
      value: { headers: { 'x-route': 'green', 'x-api-key': 'k', 'x-shard': '3' }, secrets: ['k'] },
    });
  });

  test.each([
    { name: 'a secret in plain text', value: { Cookie: 'session=hunter2' }, input: 'headers.Cookie' },
    { name: 'a list', value: ['hunter2'], input: 'headers' },
    { name: 'a value that is no text', value: { 'X-A': { hunter2: 1 } }, input: 'headers.X-A' },
    {
      name: 'a reference to a variable, of which there are none',
      value: { 'X-A': '{{ hunter2x }} hunter2' },
      input: 'headers.X-A',
    },
  ])('are refused without repeating a value: $name', ({ value, input }) => {
    const read = readTargetHeaders(value);
    expect(read).toMatchObject({ ok: false, problems: [{ input }] });
    expect(read.ok ? [] : read.problems.map(({ given }) => given)).toEqual([undefined]);
  });

  test('name the variable that is missing', () => {
    const read = readTargetHeaders({ 'X-A': '${NOPE}' });
    const filled = read.ok && fillTargetHeaders(read.value, () => undefined);
    expect(filled).toMatchObject({
      ok: false,
      problems: [{ input: 'headers.x-a', problem: 'needs the environment variable NOPE, which is not set' }],
    });
  });
});
