/** What is built, as the inputs say it; no engine is known yet. */
export interface BuildSpec {
  readonly context: string;
  readonly file?: string;
  readonly target?: string;
  /** `NAME=value`, or `NAME` alone: from the environment of the step. */
  readonly buildArgs: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly platforms: readonly string[];
  readonly pull: 'always' | 'missing';
  readonly cache: 'use' | 'none';
  readonly secrets: readonly BuildSecret[];
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  readonly provenance: 'none' | 'min' | 'max';
  readonly sbom: 'none' | 'attach';
  /** Each one argument of the engine's build. */
  readonly extraArgs: readonly string[];
}

export interface BuildSecret {
  readonly id: string;
  readonly from:
    | { readonly kind: 'value'; readonly value: string }
    | { readonly kind: 'environment'; readonly name: string }
    | { readonly kind: 'file'; readonly path: string };
}

/** A secret as the engine gets it: by a file of our own, mode 0600. */
export interface SecretFile {
  readonly id: string;
  readonly path: string;
}
