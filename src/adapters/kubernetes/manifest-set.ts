import { InvalidInput, type InputProblem } from '../../domain/inputs.ts';
import { type ImageChange, type ImageRule, applyImageRules } from '../../domain/kubernetes/image-rules.ts';
import { type Manifest, duplicates, placeOf } from '../../domain/kubernetes/manifest.ts';
import { describeObject } from '../../domain/kubernetes/object.ts';
import { type Placeholders, fillPlaceholders } from '../../domain/kubernetes/placeholders.ts';
import { fillSecrets, unfilledNames } from '../../domain/kubernetes/secret-values.ts';
import { readManifestFiles } from './manifest-files.ts';
import { readManifests } from './manifest-yaml.ts';
import { renderHelm, renderKustomize } from './render.ts';

export interface SetRequest {
  readonly files: readonly string[];
  readonly kustomize: string | undefined;
  readonly helm: { readonly chart: string; readonly values: readonly string[]; readonly name: string } | undefined;
  readonly namespace: string | undefined;
  readonly rules: readonly ImageRule[];
  readonly placeholders: Placeholders;
  readonly secretValues: ReadonlyMap<string, string>;
  readonly secretEnv: readonly string[];
}

export interface SetTools {
  readonly workspace: string;
  mask(value: string): void;
}

export interface ManifestSet {
  readonly manifests: readonly Manifest[];
  readonly images: readonly ImageChange[];
  readonly warnings: readonly string[];
}

/** From paths to objects: read, filled, parsed, with the images in. Everything that is wrong is said at once. */
export async function readManifestSet(request: SetRequest, tools: SetTools, signal: AbortSignal): Promise<ManifestSet> {
  const problems: InputProblem[] = [];
  const used = new Set<string>();
  const parsed = (text: string, file: string): readonly Manifest[] => {
    const filled = fillPlaceholders(text, file, request.placeholders, used);
    if (!filled.ok) problems.push(...filled.problems);
    const read = readManifests(filled.ok ? filled.value : text, file);
    if (!read.ok) problems.push(...read.problems);
    return read.ok ? read.value : [];
  };
  const files = await readManifestFiles(tools.workspace, request.files);
  if (!files.ok) problems.push(...files.problems);
  const written = files.ok ? files.value.flatMap(({ file, text }) => parsed(text, file)) : [];
  const rendered = await renderAll(request, tools, signal);
  // Lines of what a tool wrote are no lines of the user's.
  const made = rendered.flatMap(({ from, text }) =>
    parsed(text, from).map((manifest) => ({ ...manifest, origin: { file: from } })),
  );
  const warnings: string[] = [];
  const all = [...written, ...made].filter((manifest) => !isHook(manifest, warnings));
  problems.push(...duplicates(all));
  if (all.length === 0 && problems.length === 0)
    problems.push({
      input: 'manifests',
      problem: 'have no object in them',
      accepted: 'at least one Kubernetes object',
    });
  const unused = [...request.placeholders.keys()].filter((name) => !used.has(name));
  for (const name of unused) warnings.push(`Placeholder ${name} stands nowhere in the manifests`);
  warnings.push(...unfilledNames(all, new Set(request.secretValues.keys())));
  if (problems.length > 0) throw new InvalidInput('The manifests', problems);
  const imaged = applyImageRules(all, request.rules);
  // A value that is empty counts as not set.
  const lookUp = (name: string): string | undefined => request.secretValues.get(name) || undefined;
  const encode = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
  const filled = fillSecrets(imaged.ok ? imaged.value.manifests : all, {
    lookUp,
    isAsked: (name) => request.secretValues.has(name) || request.secretEnv.includes(name),
    encode,
    seen(value) {
      tools.mask(value);
      tools.mask(encode(value));
    },
  });
  if (!imaged.ok || !filled.ok)
    throw new InvalidInput(
      'The manifests',
      [imaged, filled].flatMap((each) => (each.ok ? [] : each.problems)),
    );
  return { manifests: filled.value, images: imaged.value.changes, warnings };
}

async function renderAll({ kustomize, helm, namespace }: SetRequest, { workspace }: SetTools, signal: AbortSignal) {
  return [
    ...(kustomize === undefined
      ? []
      : [{ from: `kustomize ${kustomize}`, text: await renderKustomize(kustomize, workspace, signal) }]),
    ...(helm === undefined
      ? []
      : [{ from: `helm ${helm.chart}`, text: await renderHelm({ ...helm, namespace }, workspace, signal) }]),
  ];
}

/** Helm runs hooks at moments that only Helm has; applied with the rest they would run at the wrong one. */
function isHook({ object, origin }: Manifest, warnings: string[]): boolean {
  const hook = object.metadata.annotations?.['helm.sh/hook'];
  if (hook === undefined) return false;
  warnings.push(
    `${describeObject(object)} (${placeOf(origin)}) is a Helm hook (${hook}) and is not applied; give it sluice.dev/phase: before in place of the hook if it shall run first`,
  );
  return true;
}
