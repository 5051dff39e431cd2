import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { parse, stringify } from 'yaml';
import type { InputSpec } from '../../src/domain/inputs.ts';
import {
  type ActionContract,
  type ActionFile,
  actionNames,
  describeInput,
  isRequiredInput,
  readContract,
  runnerDefault,
} from './action-contract.ts';
import { generateSchemas } from './schemas.ts';

/** A file that is generated, wholly or between markers, and its text as it should be. */
export interface Generated {
  readonly path: string;
  readonly text: string;
}

export async function generateDocs(root: string): Promise<Generated[]> {
  const contracts = await Promise.all(actionNames(root).map((name) => readContract(root, name)));
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const withActions = between(readme, 'actions', actionTable(contracts));
  const files = [await formatted(root, 'README.md', between(withActions, 'release', fenced(root, EXAMPLE)))];
  for (const contract of contracts) {
    const { name } = contract;
    const folder = join('actions', name);
    const actionFile = join(folder, 'action.yml');
    files.push(
      await formatted(root, actionFile, withInputs(readFileSync(join(root, actionFile), 'utf8'), contract.spec)),
    );
    if (contract.readme !== '') files.push(await formatted(root, join(folder, 'README.md'), withTables(contract)));
  }
  return [...files, ...generateSchemas(contracts)];
}

/** The caller that the README shows is the file that a test runs. */
const EXAMPLE = 'examples/wesign-charts/.github/workflows/release.yml';
const fenced = (root: string, path: string): string =>
  `\`\`\`yaml\n${readFileSync(join(root, path), 'utf8').trimEnd()}\n\`\`\``;

async function formatted(root: string, path: string, text: string): Promise<Generated> {
  const filepath = join(root, path);
  return { path, text: await format(text, { ...(await resolveConfig(filepath)), filepath }) };
}

/** Replaces the top-level `inputs:` block, or puts one before `outputs:` or `runs:`; everything else stays as it is written. */
export function withInputs(actionFile: string, spec: InputSpec): string {
  const declared = (parse(actionFile) as ActionFile).inputs ?? {};
  const inputs = Object.fromEntries(
    Object.entries(spec).map(([name, field]) => {
      const given = runnerDefault(declared[name]);
      const required = isRequiredInput(field, declared[name]);
      return [
        name,
        { description: describeInput(field), required, ...(given === undefined ? {} : { default: given }) },
      ];
    }),
  );
  const block = `# Generated from src/inputs.ts by \`npm run docs\`.\n${stringify({ inputs }, { lineWidth: 118 })}`;
  const rest = actionFile.replace(/^(# Generated from src\/inputs\.ts.*\n)?inputs:.*\n(?:(?:[ #].*)?\n)*/m, '');
  return rest.replace(/^(?=outputs:|runs:)/m, () => `${block}\n`);
}

export function withTables({ readme, spec, file }: ActionContract): string {
  const outputs = Object.entries(file.outputs ?? {});
  return between(
    between(readme, 'inputs', inputTable(spec)),
    'outputs',
    table(
      ['Output', 'Description'],
      outputs.map(([name, { description }]) => [`\`${name}\``, description ?? '']),
    ),
  );
}

const actionTable = (contracts: readonly ActionContract[]): string =>
  table(
    ['Action', 'What it does'],
    contracts.map(({ name, file }) => [`[${name}](actions/${name}/README.md)`, file.description ?? '']),
  );

function inputTable(spec: InputSpec): string {
  const rows = Object.entries(spec).map(([name, field]) => [
    `\`${name}\``,
    field.description,
    field.accepts,
    defaultCell(field),
    field.from === 'stage' ? 'yes' : '',
  ]);
  return table(['Input', 'Description', 'Accepts', 'Default', 'sluice.yml'], rows);
}

const defaultCell = ({ required, fallback }: InputSpec[string]): string =>
  required ? '**required**' : fallback ? `\`${fallback}\`` : '';

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}

const cell = (text: string): string =>
  text
    .trim()
    .replace(/\s+/g, ' ')
    .replaceAll('|', String.raw`\|`);

function between(text: string, name: string, content: string): string {
  const marker = new RegExp(`(<!-- ${name} -->)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!marker.test(text))
    throw new Error(`A README needs the markers <!-- ${name} --> and <!-- /${name} --> where the table belongs`);
  return text.replace(marker, (_, open: string, close: string) => `${open}\n\n${content}\n\n${close}`);
}
