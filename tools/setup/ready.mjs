// Brings a clone into a state in which every verb runs, and remembers it, so that later runs are quick and need no network.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePython } from '../python.mjs';
import { withLock } from './lock.mjs';
import { installPackages, packagesAreReady } from './packages.mjs';
import { SetupProblem } from './problem.mjs';

export { SetupProblem };

const OLDEST_NODE = 20;

/**
 * `python`: `needed` (without it the verb has no sense), `wanted` (tests that need it are skipped and say so) or `none`.
 * Gives the Node to hand over to and the environment variables that tell it what was found.
 */
export async function ready(root, python) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < OLDEST_NODE)
    throw new SetupProblem(
      `Sluice needs Node ${OLDEST_NODE} or newer to start; this is ${process.version} (${process.execPath}).`,
    );
  mkdirSync(join(root, '.cache'), { recursive: true });
  let state = packagesAreReady(root);
  if (state === undefined)
    state = await withLock(join(root, '.cache', 'setup.lock'), () => packagesAreReady(root) ?? installPackages(root));
  return { node: state.node, environment: python === 'none' ? {} : await preparePython(python) };
}

async function preparePython(python) {
  const started = Date.now();
  let said = false;
  try {
    await ensurePython({
      say(line) {
        said = true;
        process.stderr.write(`${line} ... `);
      },
    });
    if (said) process.stderr.write(`${((Date.now() - started) / 1000).toFixed(0)} s\n`);
    return {};
  } catch (problem) {
    if (said) process.stderr.write('failed\n');
    if (python === 'needed') throw new SetupProblem(problem.message, { cause: problem });
    console.error(`${problem.message} Until then, tests that need the sandbox are skipped.`);
    return { SLUICE_NO_PYTHON: problem.message };
  }
}
