import { canonicalJson } from '../canonical-json.ts';
import type { BuildSpec } from './build-spec.ts';
import { recordOf } from './documents.ts';
import { INPUTS_LABEL, REVISION_LABEL } from './labels.ts';

/**
 * One text for everything that decides what the image is, beside the commit. Labels of our own and caches do not; of
 * secrets only the ids do: a value that is renewed gives no other image. A build argument without a value has that of
 * the step's environment. Files of the context that the commit has not do, by the hash of them all.
 */
export function sourceText(
  spec: BuildSpec,
  environment: (name: string) => string | undefined,
  uncommitted?: string,
): string {
  const { context, file, target, buildArgs, annotations, platforms, secrets, provenance, sbom, extraArgs } = spec;
  const labels = Object.fromEntries(
    Object.entries(spec.labels).filter(([key]) => !key.startsWith('org.opencontainers.')),
  );
  return canonicalJson({
    context,
    file,
    target,
    buildArgs: buildArgs.map((argument) => {
      const value = argument.includes('=') ? undefined : environment(argument);
      return value === undefined ? argument : `${argument}=${value}`;
    }),
    labels,
    annotations,
    platforms,
    secrets: secrets.map(({ id }) => id),
    provenance,
    sbom,
    extraArgs,
    ...(uncommitted === undefined ? {} : { uncommitted }),
  });
}

/** Whether an image with these labels was built of this commit with these inputs. */
export function isSameSource(
  labels: Readonly<Record<string, unknown>>,
  source: { readonly commit: string; readonly inputs: string },
): 'yes' | 'no' {
  return labels[REVISION_LABEL] === source.commit && labels[INPUTS_LABEL] === source.inputs ? 'yes' : 'no';
}

/** Labels of an image's configuration document. */
export function labelsIn(configuration: unknown): Readonly<Record<string, unknown>> {
  const config = recordOf(recordOf(configuration)['config']);
  return recordOf(config['Labels']);
}
