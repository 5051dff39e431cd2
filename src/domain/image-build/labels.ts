import { type Instant, formatInstant } from '../duration.ts';
import { type Checked, type InputProblem, bad, good } from '../inputs.ts';

/** What the event says of the repository; what it does not say is left out. */
export interface RepositoryFacts {
  readonly name: string;
  readonly url?: string;
  readonly description?: string;
  readonly license?: string;
}

/** The label by which a later run knows that an image was built of the same inputs. */
export const INPUTS_LABEL = 'sluice.inputs-sha256';
export const REVISION_LABEL = 'org.opencontainers.image.revision';

/**
 * The labels of the OCI image specification that docker/metadata-action sets. `created` is the date of the commit, not of
 * the build: two builds of one commit should be one digest.
 */
export function imageLabels(
  facts: RepositoryFacts,
  { commit, commitDate, version }: { readonly commit: string; readonly commitDate?: Instant; readonly version: string },
): Readonly<Record<string, string>> {
  const labels: Record<string, string | undefined> = {
    'org.opencontainers.image.title': facts.name,
    'org.opencontainers.image.description': facts.description,
    'org.opencontainers.image.url': facts.url,
    'org.opencontainers.image.source': facts.url,
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.created': commitDate === undefined ? undefined : formatInstant(commitDate),
    [REVISION_LABEL]: commit,
    'org.opencontainers.image.licenses': facts.license,
  };
  return present(labels);
}

const present = (values: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => !!entry[1]));

/** Reads `key=value` lines; later lines win, and the keys are sorted. */
export function readPairs(
  lines: readonly string[],
  input: string,
  before: Readonly<Record<string, string>> = {},
): Checked<Readonly<Record<string, string>>> {
  const problems: InputProblem[] = [];
  const pairs: Record<string, string> = { ...before };
  for (const line of lines) {
    const [, key, value] = /^([^=\s][^=]*)=([\s\S]*)$/.exec(line) ?? [];
    if (key === undefined)
      problems.push({ input, given: line, problem: 'is not key=value', accepted: 'one key=value a line' });
    else pairs[key.trim()] = value ?? '';
  }
  if (problems.length > 0) return bad(...problems);
  return good(Object.fromEntries(Object.entries(pairs).sort(([a], [b]) => (a < b ? -1 : 1))));
}
