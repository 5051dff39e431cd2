export declare function ensureEngine(): {
  readonly dockerd: string | undefined;
  readonly registry: string;
  readonly busybox: string;
};
export declare function ensureBuildx(): string;
