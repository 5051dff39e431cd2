/** One line of `tags`, in the language of docker/metadata-action. */
export type TagRule = RuleBase & RuleKind;

interface RuleBase {
  /** As it is written; messages name it. */
  readonly line: string;
  readonly enable: string;
  readonly priority: number;
  /** undefined: that of the flavor. */
  readonly prefix?: string;
  readonly suffix?: string;
}

export type RuleKind =
  | { readonly type: 'schedule'; readonly pattern: string }
  | { readonly type: 'semver' | 'pep440'; readonly pattern: string; readonly value: string; readonly match: string }
  | { readonly type: 'match'; readonly pattern: string; readonly group: number; readonly value: string }
  | { readonly type: 'edge'; readonly branch: string }
  | { readonly type: 'ref'; readonly event: 'branch' | 'tag' | 'pr' }
  | { readonly type: 'raw'; readonly value: string }
  | { readonly type: 'sha'; readonly format: 'short' | 'long' };

/** The highest is made first, and the first tag is the version. */
export const PRIORITIES = {
  schedule: 1000,
  semver: 900,
  pep440: 900,
  match: 800,
  edge: 700,
  ref: 600,
  raw: 200,
  sha: 100,
} as const satisfies Record<RuleKind['type'], number>;

export interface Flavor {
  readonly latest: 'auto' | 'true' | 'false';
  readonly prefix: string;
  readonly suffix: string;
  /** Whether `latest` gets prefix and suffix as well. */
  readonly prefixLatest: 'yes' | 'no';
  readonly suffixLatest: 'yes' | 'no';
  /** `hash`: a tag whose text had to be changed gets 6 hex digits of the text, so that no two texts give one tag. */
  readonly changed: 'hash' | 'keep';
}

export const PLAIN_FLAVOR: Flavor = {
  latest: 'auto',
  prefix: '',
  suffix: '',
  prefixLatest: 'no',
  suffixLatest: 'no',
  changed: 'hash',
};
