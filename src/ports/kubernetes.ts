import type { Duration } from '../domain/duration.ts';
import type { Fields, KubeObject } from '../domain/kubernetes/object.ts';
import type { Resource } from '../domain/kubernetes/resource.ts';

export interface Place {
  /** Absent for what belongs to the cluster. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

export interface Scope {
  /** Absent: all namespaces, or the cluster. */
  readonly namespace?: string | undefined;
  /** `app=web,tier!=db` */
  readonly labels?: string;
  /** `metadata.name=web` */
  readonly fields?: string;
}

export interface Listed {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
}

export interface ApplyOptions {
  readonly manager: string;
  /** `take`: fields of other managers become ours; `refuse`: the call fails and names them. */
  readonly conflicts: 'refuse' | 'take';
  readonly dryRun: 'yes' | 'no';
}

export interface Applied {
  readonly object: KubeObject;
  readonly created: boolean;
}

export type WatchEvent =
  | { readonly kind: 'there' | 'gone'; readonly object: KubeObject }
  /** Nothing happened up to here; a watch that goes on may start from this. */
  | { readonly kind: 'bookmark'; readonly resourceVersion: string };

/** How a watch came to its end. Broken connections are thrown as transient KubeFailures. */
export type WatchEnd = 'closed' | 'expired';

export interface LogWish {
  readonly container: string;
  readonly previous: 'yes' | 'no';
  readonly lines: number;
}

/**
 * One cluster, as raw JSON. Failures are KubeFailures (domain/kubernetes/failure.ts), with what the server said in
 * `status`; those that may pass were repeated by the adapter. Warnings of the server are told by the adapter, once each.
 */
export interface Kubernetes {
  /** `https://10.0.0.1:6443` */
  readonly server: string;
  /** What the server serves, all groups and versions. Asked once; `fresh` after a CustomResourceDefinition was made. */
  resources(signal: AbortSignal, wish?: 'fresh'): Promise<readonly Resource[]>;
  get(resource: Resource, place: Place, signal: AbortSignal): Promise<KubeObject | undefined>;
  /** All pages. */
  list(resource: Resource, scope: Scope, signal: AbortSignal): Promise<Listed>;
  apply(resource: Resource, object: KubeObject, options: ApplyOptions, signal: AbortSignal): Promise<Applied>;
  create(resource: Resource, object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /** PUT: `metadata.resourceVersion` of the object guards it. */
  replace(resource: Resource, object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /**
   * JSON Patch (a list) or merge patch (an object), of the object or a subresource of it; `manager` becomes the owner of the fields. With
   * `dryRun` what it would become is answered, and nothing is written.
   */
  patch(
    resource: Resource,
    place: Place & { readonly subresource?: string; readonly manager?: string; readonly dryRun?: 'yes' },
    change: readonly Fields[] | Fields,
    signal: AbortSignal,
  ): Promise<KubeObject>;
  /** Only the object with this uid; one that is gone is no error. */
  delete(
    resource: Resource,
    place: Place,
    options: { readonly uid: string; readonly children: 'background' | 'foreground' },
    signal: AbortSignal,
  ): Promise<void>;
  /** Tells every change after `resourceVersion` until the server ends it. */
  watch(
    resource: Resource,
    scope: Scope & { readonly resourceVersion: string; readonly length: Duration },
    tell: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<WatchEnd>;
  /** Last lines of a container; empty when there is none. */
  podLog(place: Place, wish: LogWish, signal: AbortSignal): Promise<string>;
}
