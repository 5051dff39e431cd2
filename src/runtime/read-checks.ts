import type { ResolvedChecks } from '../domain/checks/document.ts';
import { type LoadTools, loadChecks } from '../domain/checks/load.ts';
import { InvalidInput } from '../domain/inputs.ts';
import type { ActionTools } from './action.ts';

/** A checks file as it can be run, with its secrets masked; else every problem in it at once. */
export async function readChecks(
  path: string,
  sources: Omit<LoadTools, 'readYaml'>,
  tools: Pick<ActionTools, 'readFile' | 'mask'>,
): Promise<ResolvedChecks> {
  const { readYaml } = await import('./read-yaml.ts');
  const loaded = loadChecks({ path, text: await tools.readFile(path, 'checks') }, { ...sources, readYaml });
  if (!loaded.ok) throw new InvalidInput(`The checks of ${path}`, loaded.problems);
  const { document } = loaded.value;
  for (const secret of document.secrets) tools.mask(secret);
  return document;
}
