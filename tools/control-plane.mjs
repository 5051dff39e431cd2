// The programs of a Kubernetes control plane for tests: those of KUBEBUILDER_ASSETS, or built once from tools/control-plane.
// As a program (`node tools/control-plane.mjs`) it builds them and says where they are.
import { existsSync, linkSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureGoTool, goToolPath } from './go-tools.mjs';

export const PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager'];

/**
 * The folder with etcd, kube-apiserver and kube-controller-manager. The first call builds them, which takes minutes.
 *
 * @param {{ say?: (line: string) => void }} [options]
 * @returns {string}
 * @throws {Error} one line that says what is missing and what to do
 */
export function ensureControlPlane(options = {}) {
  const given = process.env.KUBEBUILDER_ASSETS;
  if (given) return complete(given);
  return linked(ensureGoTool('control-plane', options));
}

/**
 * Why no control plane can be started at once, or undefined. It builds nothing: nobody should wait for minutes because of
 * a test that can be left out.
 *
 * @returns {string | undefined}
 */
export function controlPlaneProblem() {
  try {
    if (process.env.KUBEBUILDER_ASSETS) complete(process.env.KUBEBUILDER_ASSETS);
    else if (!existsSync(goToolPath('control-plane')))
      return 'etcd, kube-apiserver and kube-controller-manager are not built; `node tools/control-plane.mjs` builds them once, by Go, in about 10 minutes';
    return undefined;
  } catch (problem) {
    return problem.message;
  }
}

function complete(folder) {
  const missing = PROGRAMS.filter((name) => !existsSync(join(folder, name)));
  if (missing.length === 0) return folder;
  throw new Error(
    `KUBEBUILDER_ASSETS is ${folder}, which has no ${missing.join(' and no ')} (setup-envtest brings no controller manager). Put it there in the same version, or unset KUBEBUILDER_ASSETS to build all three`,
  );
}

/** One file under three names: it is each program by the name that it is called by. */
function linked(program) {
  const folder = `${program}.d`;
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  for (const name of PROGRAMS) linkSync(program, join(unfinished, name));
  try {
    renameSync(unfinished, folder);
  } catch (problem) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another process was quicker.
    if (!existsSync(folder)) throw problem;
  }
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const started = Date.now();
    const folder = ensureControlPlane();
    process.stdout.write(`${PROGRAMS.join(', ')} are in ${folder} (${((Date.now() - started) / 1000).toFixed(0)} s)\n`);
  } catch (problem) {
    process.stderr.write(`${problem.message}\n`);
    process.exitCode = 1;
  }
}
