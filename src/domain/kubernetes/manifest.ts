import { type InputProblem } from '../inputs.ts';
import { type KubeObject, describeObject, keyOf, refOf } from './object.ts';

/** Where an object is written. */
export interface Origin {
  /** Path from the workspace, or `kustomize deploy/overlay`. */
  readonly file: string;
  /** From 1; absent where the text is no file of the user's. */
  readonly line?: number;
}

/** One object of the set, with its place. */
export interface Manifest {
  readonly object: KubeObject;
  readonly origin: Origin;
}

export const placeOf = ({ file, line }: Origin): string => (line === undefined ? file : `${file}:${line}`);

export const withObject = (manifest: Manifest, object: KubeObject): Manifest => ({ ...manifest, object });

/** The same object twice: whichever is applied last would win, and nobody sees which. */
export function duplicates(manifests: readonly Manifest[]): readonly InputProblem[] {
  const seen = new Map<string, Manifest>();
  const problems: InputProblem[] = [];
  for (const manifest of manifests) {
    const key = keyOf(refOf(manifest.object));
    const first = seen.get(key);
    if (first === undefined) seen.set(key, manifest);
    else
      problems.push({
        input: placeOf(manifest.origin),
        given: describeObject(manifest.object),
        problem: `stands a second time in the set; the first is at ${placeOf(first.origin)}`,
      });
  }
  return problems;
}
