// Builds what `uses:` runs: TypeScript -> JavaScript (tsc), one graph of chunks (ncc), each of them minified (esbuild),
// and two one-line stubs per action. The same sources and lockfile give the same bytes in any folder.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { transform } from 'esbuild';
import { parse } from 'yaml';
import { addLicences, bundleShare } from './bundle/share.mjs';
import { withLock } from './setup/lock.mjs';

const root = resolve(import.meta.dirname, '..');
const packaged = (path) => join(root, 'node_modules', path);
const PHASES = ['main', 'post'];
/**
 * Modules that re-export a few names of a large package; see bundle/share.mjs. `external` stays an import, because the graph
 * has it anyway.
 */
const SHARES = [
  { path: 'src/runtime/core.js', external: [] },
  { path: 'src/adapters/kubernetes/kubeconfig-client.js', external: ['undici'] },
];

const { values } = parseArgs({ options: { out: { type: 'string' } } });
const out = resolve(values.out ?? root);
async function buildAll() {
  const started = Date.now();
  // A file that is no longer built must not stay behind: it would be shipped, and the comparison of bytes would miss it.
  for (const stale of [
    join(root, 'build'),
    join(out, 'dist'),
    ...actionNames().map((name) => join(out, 'actions', name, 'dist')),
  ]) {
    rmSync(stale, { recursive: true, force: true });
  }
  run(packaged('typescript-native/bin/tsc'), ['-p', 'tsconfig.build.json']);
  const shared = await Promise.all(
    SHARES.map(({ path, external }) => bundleShare(root, join('build', path), external)),
  );
  // ncc keeps every dynamic import() as a chunk of its own, which is what makes the start quick. Its cache would make the
  // result depend on earlier builds.
  run(packaged('@vercel/ncc/dist/ncc/cli.js'), [
    'build',
    'build/actions/run.js',
    '-o',
    join(out, 'dist'),
    '--no-cache',
    '--quiet',
    '--target',
    'es2022',
    '--license',
    'licenses.txt',
  ]);
  addLicences(root, join(out, 'dist', 'licenses.txt'), shared.flat());
  await minifyFolder(join(out, 'dist'));
  writeFileSync(join(out, 'dist', 'package.json'), '{ "type": "module" }\n');
  for (const name of actionNames()) writeStubs(name);
  const files = readdirSync(join(out, 'dist')).filter((file) => file.endsWith('.js'));
  const bytes = files.reduce((sum, file) => sum + readFileSync(join(out, 'dist', file)).length, 0);
  console.log(
    `Built ${files.length} files, ${(bytes / 1e6).toFixed(2)} MB of JavaScript, in ${((Date.now() - started) / 1000).toFixed(1)} s`,
  );
}

function run(script, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: root, encoding: 'utf8' });
  if (status === 0) return;
  console.error(`${stdout}${stderr}`.trimEnd());
  console.error(`The build stopped: ${script.slice(root.length + 1)} ended with ${status}.`);
  process.exit(1);
}

/** ncc's own --minify reaches the entry only. Names are kept because errors and SDK commands are known by theirs. */
async function minifyFolder(folder) {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) {
    const path = join(folder, name);
    // Licence texts stand in licenses.txt, once.
    const { code } = await transform(readFileSync(path, 'utf8'), {
      minify: true,
      keepNames: true,
      format: 'esm',
      target: 'node24',
      legalComments: 'none',
    });
    writeFileSync(path, code);
  }
}

function actionNames() {
  return readdirSync(join(root, 'actions')).filter((name) => existsSync(join(root, 'actions', name, 'action.yml')));
}

/** main and post are two entries, never one that tells them apart by a saved state: killed before it is saved, post would run main again. */
function writeStubs(name) {
  const { runs } = parse(readFileSync(join(root, 'actions', name, 'action.yml'), 'utf8'));
  const folder = join(out, 'actions', name, 'dist');
  mkdirSync(folder, { recursive: true });
  for (const phase of PHASES.filter((entry) => runs[entry] !== undefined)) {
    writeFileSync(
      join(folder, `${phase}.mjs`),
      `import { run } from '../../../dist/index.js';\nawait run('${name}', '${phase}');\n`,
    );
  }
}

await withLock(join(root, '.cache', 'build.lock'), buildAll);
