#!/usr/bin/env node
// What `npm start`, `npm test` and the other scripts begin with. Node's own modules and Node 20 syntax alone, because it
// is the first thing typed in a fresh clone: it sets up what is missing, once, and hands over to Node 24.
// There are no pre-scripts on purpose: a user's `ignore-scripts=true` would skip them without a word.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupProblem, ready } from './setup/ready.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packaged = (path) => join(root, 'node_modules', path);
const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', packaged('jest/bin/jest.js')];

/** Suites that look at values and files only, so that they run before Python is there. */
const WITHOUT_SANDBOX = /^(\.\/)?test\/(domain|engine|runtime|rules|tools)(\/|$)/;
/** Minutes, not seconds: they run when they are named, and in .ci/run. */
const SLOW_SUITES = ['test/e2e/', 'test/faults/'];

/** Each verb: what it does in one line, whether it needs the sandbox's Python, and what Node 24 is given. */
const VERBS = {
  start: {
    says: 'rehearse a release in the sandbox',
    python: () => 'needed',
    node: (args) => ['sandbox/rehearse/main.ts', ...args],
  },
  test: { says: 'unit and bundle tests; arguments go to jest', python: pythonForTests, node: jestCommand },
  check: {
    says: 'types, lint, format, rules, docs and dist',
    python: () => 'none',
    node: (args) => ['tools/check.ts', ...args],
  },
  build: {
    says: 'build dist; --out DIR builds a copy elsewhere',
    python: () => 'none',
    node: (args) => ['tools/build.mjs', ...args],
  },
  bench: { says: 'run one benchmark by name', python: () => 'wanted', node: (args) => ['bench/main.ts', ...args] },
  docs: {
    says: 'write what is generated from the code',
    python: () => 'none',
    node: (args) => ['tools/docs.ts', ...args],
  },
  format: {
    says: 'format every file',
    python: () => 'none',
    node: (args) => [
      packaged('prettier/bin/prettier.cjs'),
      '--write',
      '--log-level=warn',
      ...(args.length ? args : ['.']),
    ],
  },
};

function pythonForTests(args) {
  const paths = args.filter((arg) => !arg.startsWith('-'));
  return paths.length > 0 && paths.every((path) => WITHOUT_SANDBOX.test(path)) ? 'none' : 'wanted';
}

function jestCommand(args) {
  const named = SLOW_SUITES.some((suite) => args.some((arg) => arg.includes(suite.replace(/\/$/, ''))));
  const skipped = named ? [] : ['/node_modules/', ...SLOW_SUITES].flatMap((path) => ['--testPathIgnorePatterns', path]);
  return [...jest, ...args, ...skipped];
}

async function main([verb, ...args]) {
  const task = Object.hasOwn(VERBS, verb ?? '') ? VERBS[verb] : undefined;
  if (task === undefined) {
    const lines = Object.entries(VERBS).map(([name, { says }]) => `  ${name.padEnd(7)} ${says}`);
    console.error(`Usage: node tools/run.mjs VERB [ARGUMENTS]\n${lines.join('\n')}`);
    return 2;
  }
  const { node, environment } = await ready(root, task.python(args));
  const command = { node, args: task.node(args), env: { ...process.env, ...environment } };
  return verb === 'test' ? countedTests(command) : handOver(command);
}

/** Jest's own summary names suites and snapshots; whoever adds up several runs needs one line of plain counts. */
async function countedTests({ node, args, env }) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const counts = join(folder, 'counts.json');
  try {
    const code = await handOver({ node, args, env: { ...env, SLUICE_TEST_COUNTS: counts } });
    return reportCounts(counts, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function reportCounts(file, code) {
  let counts;
  try {
    counts = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // Jest ended before its reporters did (--listTests, a bad option, a crash): there is nothing to count.
    if (code !== 0) console.log('0 passed, 1 failed');
    return code;
  }
  for (const line of counts.skippedBecause) console.log(`Skipped: ${line}`);
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  // Jest can end badly with every test green: a worker that leaks, a threshold that is missed.
  const failed = code === 0 ? counts.failed : Math.max(counts.failed, 1);
  console.log(`${counts.passed} passed, ${failed} failed${skipped}`);
  return code;
}

/** Runs Node 24 in our place: its output is ours, signals reach it, and we end as it ends. */
function handOver({ node, args, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, { cwd: root, stdio: 'inherit', env });
    // Ctrl-C at a terminal reaches the whole process group by itself; sending it again would read as "twice: hurry".
    const forward = (signal) => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (problem) {
  console.error(problem instanceof SetupProblem ? problem.message : problem);
  process.exitCode = problem instanceof SetupProblem ? problem.exitCode : 1;
}
