// `npm run check`: everything that can be said of the tree without running the product. Every step runs, also after a
// failure, and a failed one names the command that mends it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { distProblems } from './dist-problems.ts';

const root = resolve(import.meta.dirname, '..');
const packaged = (path: string): string => join(root, 'node_modules', path);

interface Verdict {
  readonly passed: boolean;
  readonly output: string;
}
interface Step {
  readonly name: string;
  readonly mend: string;
  run(): Promise<Verdict>;
}

const STEPS: readonly Step[] = [
  {
    name: 'types',
    mend: 'npx tsc -p . in an editor shows the same errors',
    run: () => node(packaged('typescript-native/bin/tsc'), '-p', 'tsconfig.json'),
  },
  { name: 'lint', mend: 'npx eslint --fix .', run: () => node(packaged('eslint/bin/eslint.js'), '.') },
  {
    name: 'format',
    mend: 'npm run format',
    run: () => node(packaged('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.'),
  },
  {
    name: 'rules',
    mend: 'npm test -- test/rules',
    run: () =>
      node(
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        packaged('jest/bin/jest.js'),
        'test/rules',
        '--reporters=default',
      ),
  },
  { name: 'docs', mend: 'npm run docs', run: () => node('tools/docs.ts', '--check') },
  { name: 'dist', mend: 'npm run build, and commit dist', run: checkDist },
];

function node(...args: readonly string[]): Promise<Verdict> {
  return new Promise((settle, fail) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
    child.on('error', fail);
    child.on('close', (code) => settle({ passed: code === 0, output }));
  });
}

async function checkDist(): Promise<Verdict> {
  const built = mkdtempSync(join(root, '.cache', 'dist-'));
  try {
    const build = await node('tools/build.mjs', '--out', built);
    if (!build.passed) return build;
    const problems = distProblems(root, built);
    return { passed: problems.length === 0, output: problems.join('\n') };
  } finally {
    rmSync(built, { recursive: true, force: true });
  }
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !STEPS.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`No check is called ${unknown.join(', ')}; there are ${STEPS.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}

let failed = 0;
const steps = STEPS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));

/** Two at once: each is one process that computes, and the longest of them is half of them all. */
const queue = [...steps];
async function work(): Promise<void> {
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) report(step, Date.now(), await step.run());
}

function report({ name, mend }: Step, started: number, { passed, output }: Verdict): void {
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (passed) return;
  failed += 1;
  console.log(`${output.trim()}\nTo mend: ${mend}`);
}

await Promise.all([work(), work()]);
console.log(`${steps.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
