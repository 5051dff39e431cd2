import type { Check, ChecksDocument, Path } from './document.ts';
import { everyCheck } from './every-check.ts';
import { type DocumentProblem, formatPath } from './place.ts';

interface Looked {
  readonly check: Check;
  readonly path: Path;
  readonly compared: 'here' | 'with-the-input';
}

const lookedFor = (document: ChecksDocument): readonly Looked[] =>
  everyCheck(document).flatMap((check) =>
    (['expect', 'warn'] as const).flatMap((part) => {
      const version = check[part]?.version;
      if (version === undefined) return [];
      const compared = version.equals === undefined ? 'with-the-input' : 'here';
      return [{ check, path: [...check.at, part, 'version'], compared }];
    }),
  );

export const looksForVersion = (document: ChecksDocument): boolean => lookedFor(document).length > 0;

/** A check that compares the version needs one to compare with; without it every try would fail for the same reason. */
export function missingVersions(
  document: ChecksDocument,
  expectVersion: string | undefined,
): readonly DocumentProblem[] {
  if (expectVersion !== undefined) return [];
  return lookedFor(document)
    .filter(({ compared }) => compared === 'with-the-input')
    .map(({ check: { name }, path }) => ({
      path,
      input: formatPath(path),
      problem: `is compared with the input expect-version, which is missing${name === '' ? '' : ` (check ${name})`}`,
      accepted: 'a version as expect-version, or `equals` here',
    }));
}
