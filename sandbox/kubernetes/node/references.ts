import type { KubeApi } from '../kube-api.ts';
import type { Container, Pod } from './types.ts';

interface Named {
  readonly kind: 'secrets' | 'configmaps';
  readonly name: string;
}

const secret = (name: string): Named => ({ kind: 'secrets', name });
const config = (name: string): Named => ({ kind: 'configmaps', name });

/** What a container's environment is read from. */
function environmentOf({ env = [], envFrom = [] }: Container): readonly Named[] {
  return [
    ...env.flatMap(({ valueFrom }) => [
      ...(valueFrom?.secretKeyRef?.optional === true ? [] : optional(valueFrom?.secretKeyRef?.name, secret)),
      ...(valueFrom?.configMapKeyRef?.optional === true ? [] : optional(valueFrom?.configMapKeyRef?.name, config)),
    ]),
    ...envFrom.flatMap(({ secretRef, configMapRef }) => [
      ...(secretRef?.optional === true ? [] : optional(secretRef?.name, secret)),
      ...(configMapRef?.optional === true ? [] : optional(configMapRef?.name, config)),
    ]),
  ];
}

const volumesOf = ({ spec }: Pod): readonly Named[] =>
  (spec.volumes ?? []).flatMap((volume) => [
    ...(volume.secret?.optional === true ? [] : optional(volume.secret?.secretName, secret)),
    ...(volume.configMap?.optional === true ? [] : optional(volume.configMap?.name, config)),
  ]);

const optional = (name: string | undefined, make: (name: string) => Named): readonly Named[] =>
  name === undefined ? [] : [make(name)];

async function firstMissing(api: KubeApi, namespace: string, all: readonly Named[]): Promise<Named | undefined> {
  for (const named of all) {
    const { status } = await api.request('GET', `/api/v1/namespaces/${namespace}/${named.kind}/${named.name}`);
    if (status === 404) return named;
  }
  return undefined;
}

const wordFor = ({ kind }: Named): string => (kind === 'secrets' ? 'secret' : 'configmap');

/** Why the pod's volumes cannot be mounted, in the kubelet's words. */
export async function mountProblem(api: KubeApi, pod: Pod): Promise<string | undefined> {
  const missing = await firstMissing(api, pod.metadata.namespace, volumesOf(pod));
  return missing && `MountVolume.SetUp failed for volume : ${wordFor(missing)} "${missing.name}" not found`;
}

/** Why a container cannot be made (CreateContainerConfigError). */
export async function configProblem(api: KubeApi, pod: Pod, container: Container): Promise<string | undefined> {
  const missing = await firstMissing(api, pod.metadata.namespace, environmentOf(container));
  return missing && `${wordFor(missing)} "${missing.name}" not found`;
}
