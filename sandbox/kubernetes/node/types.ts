import type { KubeObject } from '../kube-api.ts';

export interface Probe {
  readonly httpGet?: { readonly path?: string; readonly port: number | string };
  readonly initialDelaySeconds?: number;
}

interface Reference {
  readonly name: string;
  readonly optional?: boolean;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: {
      readonly secretKeyRef?: Reference & { readonly key: string };
      readonly configMapKeyRef?: Reference & { readonly key: string };
    };
  }[];
  readonly envFrom?: readonly { readonly secretRef?: Reference; readonly configMapRef?: Reference }[];
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
}

export interface Pod extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly namespace: string; readonly uid: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly volumes?: readonly {
      readonly name: string;
      readonly secret?: { readonly secretName: string; readonly optional?: boolean };
      readonly configMap?: Reference;
    }[];
    readonly affinity?: unknown;
  };
  readonly status?: { readonly phase?: string };
}

export type ContainerState =
  | { readonly waiting: { readonly reason: string; readonly message?: string } }
  | { readonly running: { readonly startedAt: string } }
  | { readonly terminated: Terminated };

export interface Terminated {
  readonly exitCode: number;
  readonly reason: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly containerID: string;
}

/** A moment in the life of one container: what is true from then on, until the next one. */
export interface Moment {
  /** Milliseconds since the moment before. */
  readonly after: number;
  readonly state: 'pulling' | 'waiting' | 'running' | 'terminated';
  readonly reason?: string;
  readonly message?: string;
  readonly exitCode?: number;
  readonly ready?: boolean;
  /** A warning event of the kubelet, counted when it comes again. */
  readonly event?: { readonly reason: string; readonly message: string };
  /** Printed by the container. */
  readonly log?: readonly string[];
}
