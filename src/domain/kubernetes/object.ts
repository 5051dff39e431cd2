/** A JSON value as the API server reads and writes it. */
export type Fields = { readonly [key: string]: unknown };

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly { readonly uid: string; readonly kind: string; readonly name: string }[];
  readonly managedFields?: readonly ManagedFields[];
  readonly [key: string]: unknown;
}

export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly [key: string]: unknown;
}

/** Raw: a field that this code does not know is kept and sent (a typed client drops it, and server-side apply then removes it). */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [key: string]: unknown;
}

/** Names one object. `namespace` is absent for what belongs to the cluster. */
export interface Ref {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export const refOf = ({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): Ref => ({
  apiVersion,
  kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
});

/** `apps` of `apps/v1`; empty for the core group. */
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';

export const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf('/') + 1);

/** Same text for the same object, in whatever version it is written. */
export const keyOf = ({ apiVersion, kind, namespace = '', name }: Ref): string =>
  [groupOf(apiVersion), kind, namespace, name].join('/');

/** `Deployment shop/web`, `ClusterRole reader`: how messages name an object. */
export const describeRef = ({ kind, namespace, name }: Omit<Ref, 'apiVersion'>): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

/** Kinds whose loss cannot be made good again: never deleted. */
export const isKept = ({ kind }: Pick<Ref, 'kind'>): boolean =>
  /^(?:Namespace|CustomResourceDefinition|PersistentVolume|PersistentVolumeClaim)$/.test(kind);

export const describeObject = (object: KubeObject): string => describeRef(refOf(object));

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What stands at `path`; undefined where a step is missing or is no object. */
export function fieldAt(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (at, step) =>
      Array.isArray(at) && typeof step === 'number' ? (at[step] as unknown) : isFields(at) ? at[step] : undefined,
    value,
  );
}

export const textAt = (value: unknown, ...path: readonly (string | number)[]): string | undefined => {
  const found = fieldAt(value, ...path);
  return typeof found === 'string' ? found : undefined;
};

export const numberAt = (value: unknown, ...path: readonly (string | number)[]): number | undefined => {
  const found = fieldAt(value, ...path);
  return typeof found === 'number' ? found : undefined;
};

export const listAt = (value: unknown, ...path: readonly (string | number)[]): readonly unknown[] => {
  const found = fieldAt(value, ...path);
  return Array.isArray(found) ? (found as readonly unknown[]) : [];
};

/** A copy with `value` at `path`; objects that are missing on the way are made, `undefined` takes the key away. */
export function withField<T extends Fields>(object: T, path: readonly (string | number)[], value: unknown): T {
  return setAt(object, path, value) as T;
}

function setAt(at: unknown, [step, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(at) && typeof step === 'number')
    return at
      .map((entry: unknown, index) => (index === step ? setAt(entry, rest, value) : entry))
      .filter((entry, index) => index !== step || entry !== undefined);
  // To take away what is not there makes nothing on the way.
  if (value === undefined && !isFields(at)) return at;
  const fields = isFields(at) ? at : {};
  const inner = setAt(fields[step], rest, value);
  if (inner !== undefined) return { ...fields, [step]: inner };
  return Object.fromEntries(Object.entries(fields).filter(([key]) => key !== String(step)));
}
