import { glob, readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { type Checked, type InputProblem, bad, good } from '../../domain/inputs.ts';
import { readText } from '../system/files.ts';

export interface ManifestText {
  /** From the workspace. */
  readonly file: string;
  readonly text: string;
}

const MANIFEST = /\.(?:ya?ml|json)$/;
const MOST_FILES = 2_000;

/**
 * Texts of files, folders (what lies directly in them, by name) and globs. Nothing outside of the workspace is read, also
 * not through a link: a pull request must not be able to name a file of the runner.
 */
export async function readManifestFiles(
  workspace: string,
  paths: readonly string[],
): Promise<Checked<readonly ManifestText[]>> {
  const problems: InputProblem[] = [];
  const files: string[] = [];
  const root = await realpath(workspace);
  for (const path of paths) {
    const found = await filesOf(root, path);
    if (typeof found === 'string') problems.push({ input: 'manifests', given: path, problem: found });
    else files.push(...found.filter((file) => !files.includes(file)));
  }
  if (files.length > MOST_FILES)
    problems.push({ input: 'manifests', problem: `names ${files.length} files`, accepted: `at most ${MOST_FILES}` });
  if (problems.length > 0) return bad(...problems);
  const texts: ManifestText[] = [];
  for (const file of files) {
    const read = await readText(root, file);
    if (read.kind === 'text') texts.push({ file, text: read.text });
    else problems.push({ input: 'manifests', given: file, problem: read.kind === 'missing' ? 'is gone' : read.why });
  }
  return problems.length > 0 ? bad(...problems) : good(texts);
}

async function filesOf(root: string, path: string): Promise<readonly string[] | string> {
  if (/^[a-z]+:\/\//i.test(path)) return 'is an address; manifests are read from the workspace alone';
  if (/[*?[{]/.test(path)) {
    const found: string[] = [];
    for await (const each of glob(path, { cwd: root })) if (MANIFEST.test(each)) found.push(each);
    const inside = await Promise.all(found.map((each) => confined(root, each)));
    if (inside.includes(undefined)) return 'leads out of the workspace';
    return found.length === 0 ? 'matches no .yaml, .yml or .json file' : found.sort();
  }
  const whole = await confined(root, path);
  if (whole === undefined) return 'leads out of the workspace';
  const facts = await stat(whole).catch(() => undefined);
  if (facts === undefined) return `is not in the workspace ${root}`;
  const named = relative(root, resolve(root, path)) || '.';
  if (!facts.isDirectory()) return [named];
  const entries = (await readdir(whole)).sort();
  if (entries.includes('Chart.yaml')) return 'is a Helm chart; name it by the input helm';
  if (entries.some((entry) => /^kustomization\.ya?ml$|^Kustomization$/.test(entry)))
    return 'is a kustomization; name it by the input kustomize';
  const manifests = entries.filter((entry) => MANIFEST.test(entry));
  return manifests.length === 0
    ? 'has no .yaml, .yml or .json file directly in it'
    : manifests.map((entry) => join(named, entry));
}

/** The real path, when it lies inside; a missing file lies where its name says. */
async function confined(root: string, path: string): Promise<string | undefined> {
  const whole = resolve(root, path);
  const real = await realpath(whole).catch(() => whole);
  const way = relative(root, real);
  return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way) ? undefined : real;
}
