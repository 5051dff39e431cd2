// Brings a clone into a state in which every verb runs, and remembers it, so that later runs are quick and need no network.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
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
  return { node: state.node, environment: python === 'none' ? {} : await preparePython(root, python) };
}

async function preparePython(root, python) {
  if (!existsSync(join(root, 'tools', 'python.mjs'))) return {};
  const { ensurePython } = await import('../python.mjs');
  try {
    const path = await ensurePython();
    return { SLUICE_PYTHON: path };
  } catch (problem) {
    if (python === 'needed') throw new SetupProblem(problem.message, { cause: problem });
    console.error(`${problem.message} What needs the sandbox is skipped.`);
    return { SLUICE_PYTHON_PROBLEM: problem.message };
  }
}
