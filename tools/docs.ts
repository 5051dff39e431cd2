// `npm run docs` writes what is generated from the code; with --check it names what has drifted and writes nothing.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { generateDocs } from './docs/generate.ts';

const root = resolve(import.meta.dirname, '..');
const drifted = (await generateDocs(root)).filter(({ path, text }) => {
  const file = join(root, path);
  return !existsSync(file) || readFileSync(file, 'utf8') !== text;
});

if (process.argv.includes('--check')) {
  for (const { path } of drifted) console.log(`${path} differs from the code it describes`);
  process.exitCode = drifted.length === 0 ? 0 : 1;
} else {
  for (const { path, text } of drifted) writeFileSync(join(root, path), text);
  console.log(drifted.length === 0 ? 'Nothing to write' : `Wrote ${drifted.map(({ path }) => path).join(', ')}`);
}
