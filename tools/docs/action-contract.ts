import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'yaml';
import type { InputField, InputSpec } from '../../src/domain/inputs.ts';

/** action.yml as far as we use it. */
export interface ActionFile {
  readonly name?: string;
  readonly description?: string;
  readonly inputs?: Readonly<
    Record<string, { readonly description?: string; readonly required?: boolean; readonly default?: unknown }>
  >;
  readonly outputs?: Readonly<Record<string, { readonly description?: string }>>;
  readonly runs: { readonly using: string; readonly main: string; readonly post?: string; readonly 'post-if'?: string };
}

/** What an action promises in three places: the code that reads its inputs, action.yml and the README. */
export interface ActionContract {
  readonly name: string;
  readonly spec: InputSpec;
  readonly file: ActionFile;
  readonly readme: string;
}

/** Written by the runtime for every action. */
export const STANDARD_OUTPUTS = ['outcome', 'changed', 'started-at', 'finished-at'] as const;

export const actionNames = (root: string): string[] =>
  readdirSync(join(root, 'actions')).filter((name) => existsSync(join(root, 'actions', name, 'action.yml')));

export async function readContract(root: string, name: string): Promise<ActionContract> {
  const folder = join(root, 'actions', name);
  const inputs = (await import(pathToFileURL(join(folder, 'src', 'inputs.ts')).href)) as { readonly spec: InputSpec };
  return {
    name,
    spec: inputs.spec,
    file: parse(readFileSync(join(folder, 'action.yml'), 'utf8')) as ActionFile,
    readme: existsSync(join(folder, 'README.md')) ? readFileSync(join(folder, 'README.md'), 'utf8') : '',
  };
}

/**
 * The text of action.yml and of the table. Defaults are words here and never `default:`, because the runner would pass
 * that on as if the user had given it: it would hide sluice.yml, and dry-run would name the wrong origin.
 */
export function describeInput(field: InputField<unknown>): string {
  const description = field.description.trim().replace(/\s+/g, ' ');
  return [
    description,
    field.accepts === 'text' ? undefined : `Accepts: ${field.accepts}.`,
    defaultOf(field),
    field.from === 'stage' ? 'May stand in the stage of sluice.yml.' : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(' ');
}

const defaultOf = ({ fallback }: InputField<unknown>): string | undefined =>
  fallback === undefined || fallback === '' ? undefined : `Default: \`${fallback}\`.`;

type DeclaredInput = NonNullable<ActionFile['inputs']>[string];

/** `${{ github.token }}` is known to the runner alone, so that it is the one kind of default that action.yml gives. */
export const runnerDefault = (declared: DeclaredInput | undefined): string | undefined =>
  typeof declared?.default === 'string' && /^\$\{\{.*\}\}$/.test(declared.default) ? declared.default : undefined;

/** A required value that sluice.yml may hold, or that the runner fills in, is not required of the `with:` block. */
export const isRequiredInput = (field: InputField<unknown>, declared: DeclaredInput | undefined): boolean =>
  field.required && field.from === 'input' && runnerDefault(declared) === undefined;

/** Every way in which the three differ, each as a line that says where; none when they agree. */
export function contractProblems(
  { name, spec, file, readme }: ActionContract,
  committed: ReadonlySet<string>,
): string[] {
  const where = `actions/${name}/action.yml`;
  const inputs = file.inputs ?? {};
  const outputs = file.outputs ?? {};
  return [
    ...Object.keys(inputs)
      .filter((input) => !(input in spec))
      .map((input) => `${where}: input ${input} is not read by src/inputs.ts`),
    ...Object.entries(spec).flatMap(([input, field]) =>
      inputProblems(field, inputs[input]).map((problem) => `${where}: input ${input} ${problem}`),
    ),
    ...STANDARD_OUTPUTS.filter((output) => !(output in outputs)).map(
      (output) => `${where}: output ${output} is missing`,
    ),
    ...Object.entries(outputs)
      .filter(([, { description }]) => !description)
      .map(([output]) => `${where}: output ${output} has no description`),
    ...runsProblems(name, file, committed).map((problem) => `${where}: ${problem}`),
    ...[...Object.keys(spec), ...Object.keys(outputs)]
      .filter((word) => !readme.includes(`| \`${word}\``))
      .map((word) => `actions/${name}/README.md: no row for ${word}`),
  ];
}

function inputProblems(field: InputField<unknown>, declared: DeclaredInput | undefined): string[] {
  if (declared === undefined) return ['is missing'];
  const required = isRequiredInput(field, declared);
  return [
    ...(declared.description === describeInput(field) ? [] : [`is described differently from src/inputs.ts`]),
    ...((declared.required ?? false) === required ? [] : [`should say required: ${required}`]),
    ...('default' in declared && runnerDefault(declared) === undefined
      ? ['has a default:, which would hide sluice.yml']
      : []),
  ];
}

function runsProblems(name: string, { runs }: ActionFile, committed: ReadonlySet<string>): string[] {
  const entries = [runs.main, runs.post].filter((entry) => entry !== undefined);
  return [
    ...(runs.using === 'node24' ? [] : [`runs on ${runs.using}, not node24`]),
    ...(runs.main === 'dist/main.mjs' ? [] : ['main is not dist/main.mjs']),
    ...(runs.post === undefined || runs.post === 'dist/post.mjs' ? [] : ['post is not dist/post.mjs']),
    ...entries
      .filter((entry) => !committed.has(`actions/${name}/${entry}`))
      .map((entry) => `${entry} is not committed, so that uses: would fail`),
  ];
}
