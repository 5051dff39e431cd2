import { isPullRequest, type GitContext, type SemverGrammar } from './context.ts';
import type { MadeTag } from './make.ts';

/** Tags that name an environment: they move by promotion of a digest, never by a pull request. */
export const ENVIRONMENTS = ['latest', 'dev', 'development', 'test', 'staging', 'stage', 'prod', 'production'];

export interface Standing {
  readonly name: string;
  readonly why: string;
  /** Name of the version in the registry that has it; absent: it is no question of versions. */
  readonly newer?: string;
}

/** A pull request's run never gets a tag that others deploy from, whatever the rules say. */
export function withoutShared(
  tags: readonly MadeTag[],
  context: GitContext,
): { readonly tags: readonly MadeTag[]; readonly left: readonly Standing[] } {
  if (isPullRequest(context) === 'no') return { tags, left: [] };
  const shared = (tag: MadeTag): boolean => tag.floating === 'latest' || ENVIRONMENTS.includes(tag.name.toLowerCase());
  return {
    tags: tags.filter((tag) => !shared(tag)),
    left: tags.filter(shared).map(({ name }) => ({ name, why: 'a pull request never moves it' })),
  };
}

/** Whether a tag is one version and no other: whoever deploys it expects what it always was. */
export const isExact = (tag: MadeTag, semver: SemverGrammar): boolean =>
  tag.floating === undefined && tag.name !== 'latest' && (tag.of !== undefined || semver.read(tag.name) !== undefined);

/**
 * Floating tags move forward only. `1.9.1` released after `2.0.1` moves `1.9` and `1`, but not `latest`: what a tag
 * would be for each version that is in the registry tells which of them stand against it.
 */
export function standing(
  tags: readonly MadeTag[],
  inRegistry: readonly string[],
  semver: SemverGrammar,
): readonly Standing[] {
  const released = inRegistry.flatMap((name) => {
    const version = semver.read(name);
    return version === undefined || version.prerelease !== '' ? [] : [version];
  });
  const version = tags.find((tag) => tag.of !== undefined)?.of;
  return tags.flatMap((tag) => {
    const { name } = tag;
    // `latest` is what it is, whoever writes it: the flavor or a rule of type=raw.
    const floating = name === 'latest' ? 'latest' : tag.floating;
    const of = tag.of ?? (floating === 'latest' ? version : undefined);
    if (floating === undefined || of === undefined) return [];
    const newer = released
      .filter((each) => floating === 'latest' || floating(each) === name)
      .filter((each) => semver.compare(each.version, of) > 0)
      .sort((a, b) => semver.compare(b.version, a.version))[0];
    return newer === undefined ? [] : [{ name, why: `${newer.raw} is newer than ${of} and has it`, newer: newer.raw }];
  });
}
