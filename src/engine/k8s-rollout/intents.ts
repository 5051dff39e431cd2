import { unpinned } from '../../domain/kubernetes/image-rules.ts';
import { type Completion, type Intent, completeObject, withConfigHash } from '../../domain/kubernetes/intent.ts';
import { type Manifest, duplicates, placeOf } from '../../domain/kubernetes/manifest.ts';
import { type KubeObject, describeObject } from '../../domain/kubernetes/object.ts';
import { RECORD_TYPE } from '../../domain/kubernetes/release-record.ts';
import { whyNotServed } from '../../domain/kubernetes/removed-apis.ts';
import { resourceFor, resourcesDefinedBy } from '../../domain/kubernetes/resource.ts';
import type { InputProblem } from '../../domain/inputs.ts';
import type { AppRef, K8sTools, Policies } from './rollout.ts';

/** Completes the set. Kinds that the server does not serve, and that the set does not define, are problems. */
export async function intentsOf(
  manifests: readonly Manifest[],
  { ref, policies }: { readonly ref: AppRef; readonly policies: Policies },
  { cluster, sha256 }: Pick<K8sTools, 'cluster' | 'sha256'>,
  signal: AbortSignal,
): Promise<{ readonly intents: readonly Intent[]; readonly problems: readonly InputProblem[] }> {
  const served = await cluster.resources(signal);
  const defined = resourcesDefinedBy(manifests.map(({ object }) => object));
  const completion: Completion = { ...ref, restartOnConfig: policies.restartOnConfig, sha256 };
  const problems: InputProblem[] = policies.requireDigest === 'yes' ? [...unpinned(manifests)] : [];
  const intents = manifests.flatMap((manifest): readonly Intent[] => {
    const { object, origin } = manifest;
    const resource = resourceFor(object, served) ?? resourceFor(object, defined);
    if (resource !== undefined) return [{ manifest, resource, object: completeObject(object, resource, completion) }];
    problems.push({
      input: placeOf(origin),
      given: `${object.apiVersion} ${object.kind}`,
      problem: `(${object.metadata.name}) is not served by this cluster: ${whyNotServed(object.apiVersion, object.kind, served)}`,
    });
    return [];
  });
  const all = intents.map(({ object }) => object);
  // Once with its namespace and once without is twice the same.
  problems.push(...duplicates(intents.map(({ manifest: { origin }, object }) => ({ origin, object }))));
  problems.push(...intents.flatMap(({ manifest: { origin }, object }) => keptBySluice(object, placeOf(origin))));
  return {
    intents: intents.map((intent) => ({ ...intent, object: withConfigHash(intent.object, all, completion) })),
    problems,
  };
}

/** The record and the lease are no objects of a set: applied with it they would rule over the release that applies them. */
function keptBySluice(object: KubeObject, input: string): readonly InputProblem[] {
  const { kind, metadata } = object;
  const isRecord = kind === 'Secret' && (object['type'] === RECORD_TYPE || /^sluice\..+\.v\d+$/.test(metadata.name));
  const isLease = kind === 'Lease' && metadata.name.startsWith('sluice-');
  const problem = 'is kept by Sluice itself, and no object of a set';
  return isRecord || isLease ? [{ input, given: describeObject(object), problem }] : [];
}
