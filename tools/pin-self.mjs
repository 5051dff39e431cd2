#!/usr/bin/env node
// Exports the tracked files of HEAD with every `uses: $/X` rewritten to `uses: OWNER/REPO/X@REF`.
// `$/` is the runner's own way to say "the repository and commit of this file"; GitHub Enterprise Server and act do not
// know it, so a mirror publishes this export, and the tests under act map it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const USAGE = 'Usage: node tools/pin-self.mjs --as OWNER/REPO@REF --out DIR [--working-tree]';
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** PURE. Only the `uses:` key of a step or job is rewritten: the same characters in a script or a comment stay. */
export function pinSelf(yaml, as) {
  const [repository, ref] = as.split('@');
  return yaml.replace(
    /^(\s*(?:-\s+)?uses:\s*)(["']?)\$\/([^\s"'#@]+)\2(?=\s|$)/gm,
    (_, key, quote, path) => `${key}${quote}${repository}/${path}@${ref}${quote}`,
  );
}

function main() {
  const { values } = parseArgs({
    options: { as: { type: 'string' }, out: { type: 'string' }, 'working-tree': { type: 'boolean' } },
  });
  const problem = problemOf(values);
  if (problem) {
    console.error(`${problem}. ${USAGE}`);
    return 2;
  }
  const source = values['working-tree'] ? copyWorkingTree(values.out) : exportHead(values.out);
  let rewritten = 0;
  for (const file of source) {
    if (!/^(\.github\/workflows\/|actions\/[^/]+\/action\.ya?ml$)/.test(file)) continue;
    const path = join(values.out, file);
    const before = readFileSync(path, 'utf8');
    const after = pinSelf(before, values.as);
    if (after !== before) rewritten += 1;
    writeFileSync(path, after);
  }
  console.log(`Exported ${source.length} files to ${values.out}; ${rewritten} of them name ${values.as} now`);
  return 0;
}

function problemOf({ as, out }) {
  if (!as || !/^[\w.-]+\/[\w.-]+@[\w./-]+$/.test(as)) return `--as ${as ?? ''} is not OWNER/REPO@REF`;
  if (!out) return '--out is missing';
  mkdirSync(out, { recursive: true });
  return readdirSync(out).length > 0 ? `--out ${out} is not empty` : undefined;
}

/** git's own archive: exactly the tracked files, with their modes and links. */
function exportHead(out) {
  const archive = execFileSync('git', ['-C', root, 'archive', '--format=tar', 'HEAD'], { maxBuffer: 1 << 30 });
  execFileSync('tar', ['-x', '-C', out], { input: archive });
  return execFileSync('git', ['-C', root, 'ls-tree', '-r', '--name-only', '-z', 'HEAD'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
    .split('\0')
    .filter(Boolean);
}

/** For work in progress: tracked files as they stand in the working tree. */
function copyWorkingTree(out) {
  const files = execFileSync('git', ['-C', root, 'ls-files', '-z'], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const archive = execFileSync('tar', ['-c', '-C', root, '--null', '--ignore-failed-read', '-T', '-'], {
    input: files,
    maxBuffer: 1 << 30,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  execFileSync('tar', ['-x', '-C', out], { input: archive });
  return files.split('\0').filter(Boolean);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main();
