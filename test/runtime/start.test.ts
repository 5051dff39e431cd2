import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readImports } from '../rules/imports.ts';
import { ROOT } from '../rules/tracked.ts';

/** Everything that is loaded with `file`, without what is imported later; packages by their names. */
function loadedWith(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const { to, form } of readImports(ROOT, join(ROOT, file))) {
    if (form !== 'static') continue;
    if (to.kind === 'file') loadedWith(to.path, seen);
    else seen.add(to.name);
  }
  return seen;
}

test('a step without a configuration file starts without the YAML parser and the keys of all actions', () => {
  const loaded = loadedWith('src/runtime/run-action.ts');
  expect(loaded).toContain('src/runtime/read-inputs.ts');
  expect([...loaded].filter((name) => /^yaml$|read-(yaml|config)\.ts$|stage-keys\.ts$/.test(name))).toEqual([]);
  expect(loadedWith('src/runtime/read-config.ts')).toContain('yaml');
});
