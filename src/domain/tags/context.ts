import type { Instant } from '../duration.ts';

/** What the tag language looks at: the event of the run and the commit. Read once, at the edge. */
export interface GitContext {
  /** `push`, `pull_request`, `schedule`, `release`, `workflow_dispatch`, ... */
  readonly event: string;
  /** `refs/heads/main`, `refs/tags/v1.2.3`, `refs/pull/7/merge`. */
  readonly ref: string;
  /** 40 hex digits. */
  readonly sha: string;
  /** Absent where neither the event nor the input says it. */
  readonly defaultBranch?: string;
  /** Branch that a pull request is for, or that a tag was pushed from. */
  readonly baseRef?: string;
  readonly now: Instant;
  /** Absent where it is not known. */
  readonly commitDate?: Instant;
}

/** A version of semver.org, 2.0.0. */
export interface Semver {
  /** As it was written, with its `v`. */
  readonly raw: string;
  /** Without `v` and without build. */
  readonly version: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** `rc.1`; empty for a release. */
  readonly prerelease: string;
}

/** The grammar of versions and the hash come from libraries, which the domain does not import. */
export interface TagTools {
  readonly semver: SemverGrammar;
  /** 64 hex digits of UTF-8 text. */
  readonly sha256: (text: string) => string;
}

export interface SemverGrammar {
  /** undefined: not a version. */
  read(text: string): Semver | undefined;
  /** Below 0: the first is older. Both are versions. */
  compare(a: string, b: string): number;
}

export const branchOf = ({ ref }: GitContext): string | undefined => after(ref, 'refs/heads/');
export const tagNameOf = ({ ref }: GitContext): string | undefined => after(ref, 'refs/tags/');
/** `7` of `refs/pull/7/merge`. */
export const pullOf = ({ ref }: GitContext): string | undefined => after(ref, 'refs/pull/')?.replace(/\/merge$/, '');

export const isPullRequest = (context: GitContext): 'yes' | 'no' =>
  pullOf(context) !== undefined || /^pull_request/.test(context.event) ? 'yes' : 'no';

const after = (text: string, prefix: string): string | undefined =>
  text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
