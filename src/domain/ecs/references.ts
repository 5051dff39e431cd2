import type { TaskDefinitionBody } from './task-definition.ts';

/** One place of a task definition that names a secret or a parameter. */
export interface Reference {
  /** `web.secrets.DATABASE_URL` */
  readonly place: string;
  readonly valueFrom: string;
}

type Json = Readonly<Record<string, unknown>>;
const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
const objectOf = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});

/** PURE. Every secret and parameter that the agent fetches before a container starts. */
export function referencesOf(body: TaskDefinitionBody): readonly Reference[] {
  return listOf(body['containerDefinitions']).flatMap((container) => {
    const name = String(container['name']);
    const secrets = (entries: unknown, kind: string): readonly Reference[] =>
      listOf(entries).flatMap(({ name: variable, valueFrom }) =>
        typeof valueFrom === 'string' ? [{ place: `${name}.${kind}.${String(variable)}`, valueFrom }] : [],
      );
    const pull = objectOf(container['repositoryCredentials'])['credentialsParameter'];
    return [
      ...secrets(container['secrets'], 'secrets'),
      ...secrets(objectOf(container['logConfiguration'])['secretOptions'], 'logConfiguration.secretOptions'),
      ...(typeof pull === 'string' ? [{ place: `${name}.repositoryCredentials`, valueFrom: pull }] : []),
    ];
  });
}

/** What `valueFrom` names. A secret may be followed by `:json-key:version-stage:version-id` (developerguide: secrets-envvar). */
export type ReferenceTarget =
  | { readonly kind: 'secret'; readonly arn: string; readonly region: string }
  | { readonly kind: 'parameter'; readonly name: string; readonly region?: string }
  | { readonly kind: 'none'; readonly why: string };

export function targetOf(valueFrom: string): ReferenceTarget {
  if (!valueFrom.startsWith('arn:')) return { kind: 'parameter', name: valueFrom };
  const parts = valueFrom.split(':');
  const [, , service = '', region = ''] = parts;
  if (service === 'secretsmanager') return { kind: 'secret', arn: parts.slice(0, 7).join(':'), region };
  if (service === 'ssm') return { kind: 'parameter', name: valueFrom, region };
  return { kind: 'none', why: `${service || 'it'} is neither secretsmanager nor ssm` };
}

/** An image of a private ECR registry by its parts; undefined: of another registry, or without tag and digest. */
export function ecrImageOf(reference: string):
  | {
      readonly registryId: string;
      readonly region: string;
      readonly repository: string;
      readonly id: { readonly imageDigest: string } | { readonly imageTag: string };
    }
  | undefined {
  const [, registryId, region, repository, tag, digest] =
    /^(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([^:@]+)(?::([^@]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(
      reference,
    ) ?? [];
  if (registryId === undefined || region === undefined || repository === undefined) return undefined;
  const id = digest !== undefined ? { imageDigest: digest } : tag === undefined ? undefined : { imageTag: tag };
  return id === undefined ? undefined : { registryId, region, repository, id };
}
