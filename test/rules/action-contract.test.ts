import { describe, expect, test } from '@jest/globals';
import { count, oneOf, text } from '../../src/domain/inputs.ts';
import { type ActionContract, actionNames, contractProblems, readContract } from '../../tools/docs/action-contract.ts';
import { generateDocs, withInputs, withTables } from '../../tools/docs/generate.ts';
import { parse } from 'yaml';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, committedFiles } from './tracked.ts';

describe('the actions', () => {
  test('code, action.yml and README of every action say the same', async () => {
    const contracts = await Promise.all(actionNames(ROOT).map((name) => readContract(ROOT, name)));
    const committed = committedFiles();
    expect(contracts.flatMap((contract) => contractProblems(contract, committed))).toEqual([]);
  });

  test('the same input is described once: one word, one way to accept it', async () => {
    const contracts = await Promise.all(actionNames(ROOT).map((name) => readContract(ROOT, name)));
    expect(differingKinds(contracts)).toEqual([]);
  });

  test('nothing generated has drifted', async () => {
    const drifted = (await generateDocs(ROOT)).filter(
      ({ path, text: wanted }) => readFileSync(join(ROOT, path), 'utf8') !== wanted,
    );
    expect(drifted.map(({ path }) => path)).toEqual([]);
  }, 120_000);
});

/** Inputs that two actions spell alike and read differently; a list of choices may differ (modes do). */
function differingKinds(contracts: readonly ActionContract[]): string[] {
  const seen = new Map<string, string>();
  return contracts.flatMap(({ name, spec }) =>
    Object.entries(spec).flatMap(([input, { accepts }]) => {
      const kind = accepts.includes('|') || accepts.startsWith('whole number') ? 'choice or number' : accepts;
      const known = seen.get(input) ?? kind;
      seen.set(input, known);
      return known === kind ? [] : [`${name}: ${input} accepts ${kind}, elsewhere ${known}`];
    }),
  );
}

const spec = {
  mode: oneOf(['run', 'shift'], { description: 'What to do. Example: `shift`.', fallback: 'run' }),
  cluster: text({ description: 'Name of the cluster.', from: 'stage', required: true }),
  tasks: count({ description: 'Tasks to run.', required: true, min: 1, max: 10 }),
};
const bare =
  'name: A\noutputs:\n  outcome: { description: o }\n  changed: { description: c }\n  started-at: { description: s }\n  finished-at: { description: f }\nruns: { using: node24, main: dist/main.mjs }\n';
const blank = '# A\n\n<!-- inputs -->\n<!-- /inputs -->\n\n<!-- outputs -->\n<!-- /outputs -->\n';

function contractOf(actionFile: string): ActionContract {
  const file = parse(actionFile) as ActionContract['file'];
  return { name: 'a', spec, file, readme: withTables({ name: 'a', spec, file, readme: blank }) };
}
const agreed = contractOf(withInputs(bare, spec));
const committed = new Set(['actions/a/dist/main.mjs']);

describe('the contract check finds what it forbids', () => {
  test('three that agree have no problem', () => {
    expect(contractProblems(agreed, committed)).toEqual([]);
  });

  const { inputs = {}, outputs = {} } = agreed.file;
  const { cluster, ...withoutCluster } = inputs;
  const { changed: _, ...withoutChanged } = outputs;
  test.each([
    [
      'an input that nobody reads',
      { ...agreed.file, inputs: { ...inputs, extra: { description: 'x' } } },
      'input extra is not read by src/inputs.ts',
    ],
    ['an input that action.yml does not offer', { ...agreed.file, inputs: withoutCluster }, 'input cluster is missing'],
    [
      'another description',
      { ...agreed.file, inputs: { ...inputs, cluster: { ...cluster, description: 'Something else' } } },
      'input cluster is described differently from src/inputs.ts',
    ],
    [
      'an input called required that sluice.yml may give',
      { ...agreed.file, inputs: { ...inputs, cluster: { ...cluster, required: true } } },
      'input cluster should say required: false',
    ],
    [
      'a default that would hide sluice.yml',
      { ...agreed.file, inputs: { ...inputs, cluster: { ...cluster, default: 'x' } } },
      'input cluster has a default:, which would hide sluice.yml',
    ],
    ['a standard output left out', { ...agreed.file, outputs: withoutChanged }, 'output changed is missing'],
    [
      'an output without words',
      { ...agreed.file, outputs: { ...outputs, changed: {} } },
      'output changed has no description',
    ],
    ['an old Node', { ...agreed.file, runs: { using: 'node20', main: 'dist/main.mjs' } }, 'runs on node20, not node24'],
    [
      'a bundle that is not committed',
      { ...agreed.file, runs: { ...agreed.file.runs, post: 'dist/post.mjs' } },
      'dist/post.mjs is not committed, so that uses: would fail',
    ],
  ])('%s', (_name, file, problem) => {
    expect(contractProblems({ ...agreed, file }, committed)).toEqual([`actions/a/action.yml: ${problem}`]);
  });

  test('a README without a row for an input', () => {
    expect(
      contractProblems({ ...agreed, readme: agreed.readme.replace('| `cluster`', '| `clutter`') }, committed),
    ).toEqual(['actions/a/README.md: no row for cluster']);
  });

  test('one word for two kinds of input', () => {
    const other = {
      ...agreed,
      name: 'b',
      spec: { ...spec, cluster: count({ description: 'x', fallback: '1', min: 1, max: 2 }) },
    };
    expect(differingKinds([agreed, other])).toEqual(['b: cluster accepts choice or number, elsewhere text']);
  });
});

describe('what is generated', () => {
  test('defaults, choices and sluice.yml stand in the description', () => {
    expect(Object.values(agreed.file.inputs ?? {}).map(({ description }) => description)).toEqual([
      'What to do. Example: `shift`. Accepts: run | shift. Default: `run`.',
      'Name of the cluster. May stand in the stage of sluice.yml.',
      'Tasks to run. Accepts: whole number 1..10.',
    ]);
  });

  test('writing twice changes nothing more', () => {
    const once = withInputs(bare, spec);
    expect(withInputs(once, spec)).toBe(once);
  });

  test('a hand-written block of inputs is replaced, the rest stays', () => {
    const written = bare.replace(
      'outputs:',
      "inputs:\n  old:\n    description: gone\n\n    # a remark\n    default: 'x'\noutputs:",
    );
    expect(withInputs(written, spec)).toBe(withInputs(bare, spec));
  });

  test('a default that only the runner knows is kept, and ends the requirement', () => {
    const token = { token: text({ description: 'A token.', required: true }) };
    const written = bare.replace(
      'outputs:',
      'inputs:\n  token: { description: A token., default: "${{ github.token }}" }\noutputs:',
    );
    expect(parse(withInputs(written, token))).toMatchObject({
      inputs: { token: { description: 'A token.', required: false, default: '${{ github.token }}' } },
    });
  });

  test('a bar in a cell does not end the cell', () => {
    expect(agreed.readme).toContain(String.raw`| run \| shift |`);
  });
});
