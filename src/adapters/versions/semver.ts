import { compare, parse } from 'semver';
import type { SemverGrammar } from '../../domain/tags/context.ts';

/** Versions by npm's own library, which docker/metadata-action uses as well. */
export const semverGrammar: SemverGrammar = {
  read(text) {
    const version = parse(text);
    if (version === null) return undefined;
    const { major, minor, patch, prerelease } = version;
    return { raw: text, version: version.version, major, minor, patch, prerelease: prerelease.join('.') };
  },
  compare,
};
