import { type Checked, InvalidInput } from '../domain/inputs.ts';
import type { ActionTools } from './action.ts';

/** A file that users write, parsed; else every problem in it at once, with its line and column. */
export async function documentOf<T>(
  { path, name }: { readonly path: string; readonly name: string },
  parse: (value: unknown) => Checked<T>,
  tools: Pick<ActionTools, 'readFile'>,
): Promise<T> {
  const { readYaml } = await import('./read-yaml.ts');
  const yaml = readYaml(await tools.readFile(path, name), path);
  if (!yaml.ok) throw new InvalidInput(`The ${name} ${path}`, yaml.problems);
  const read = parse(yaml.value.value);
  if (read.ok) return read.value;
  const located = read.problems.map((each) => ({
    ...each,
    input: `${yaml.value.where(pathOf(each.input))} ${each.input}`,
  }));
  throw new InvalidInput(`The ${name} ${path}`, located);
}

/** `rules[2].fail` -> `['rules', 2, 'fail']`: the path of a problem in its YAML. */
const pathOf = (problem: string): readonly (string | number)[] =>
  [...problem.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) =>
    index === undefined ? (name ?? '') : Number(index),
  );
