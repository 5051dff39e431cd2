import { type Checked, type InputProblem, bad, good } from '../inputs.ts';
import { unusableCertificates } from './certificates.ts';
import type { ChecksDocument, Matchers, Path, ResolvedChecks, Template } from './document.ts';
import { type Environment, fillHeaders, newFilling } from './fill-in.ts';
import { type Fallbacks, FALLBACKS, parseChecks } from './parse.ts';
import { type DocumentProblem, formatPath, isWithin, rootOf } from './place.ts';
import { readHeaders } from './request-parts.ts';
import { resolveReadable } from './resolve.ts';
import { looksForVersion, missingVersions } from './version.ts';

/** A YAML text as a value that knows its lines; the runtime's readYaml gives it. */
export interface LocatedValue {
  readonly value: unknown;
  at(path: Path): { readonly line: number };
  /** `checks.yml:7:3` */
  where(path: Path): string;
}

export interface LoadTools {
  readYaml(text: string, path: string): Checked<LocatedValue>;
  readonly matchers: Matchers;
  readonly environment: Environment;
  /** What stands where the file says nothing. */
  readonly fallbacks?: Fallbacks;
  /** `elsewhere`: another target is used, so that the file's own need not be known. */
  readonly target: 'of-document' | 'elsewhere';
  /** The other target, when it is known already. */
  readonly url?: string;
  /** What a check's `version` is compared with where it does not say so itself. */
  readonly expectVersion?: string | undefined;
}

export interface LoadedChecks {
  readonly document: ResolvedChecks;
  /** Line of each of `document.checks`, in its order. */
  readonly lines: readonly number[];
  /** Line of any place of the file: of a step of a flow, of a load. */
  lineAt(path: Path): number;
  /** Whether any of it looks for a version. */
  readonly looksForVersion: boolean;
}

/** A checks file with its problems, for whoever has further ones to tell in the same message. */
export interface InspectedChecks {
  /** With line and column, all of them. */
  readonly problems: readonly InputProblem[];
  /** What can be read of it, which may be run when there is no problem; undefined when it is no YAML at all. */
  readonly loaded: LoadedChecks | undefined;
  /** Whether the grammar takes the place and all that stands inside it. */
  isSound(path: Path): boolean;
  locate(problem: DocumentProblem): InputProblem;
}

/** PURE. A checks file as it can be run, or every problem of it with line and column. Its `secrets` are to be masked first of all. */
export function loadChecks(
  file: { readonly path: string; readonly text: string },
  tools: LoadTools,
): Checked<LoadedChecks> {
  const { problems, loaded } = inspectChecks(file, tools);
  return loaded === undefined || problems.length > 0 ? bad(...problems) : good(loaded);
}

/** PURE. All that is wrong with a checks file: its grammar, what it needs of the environment and of the inputs. */
export function inspectChecks(
  file: { readonly path: string; readonly text: string },
  tools: LoadTools,
): InspectedChecks {
  const yaml = tools.readYaml(file.text, file.path);
  if (!yaml.ok) return { problems: yaml.problems, loaded: undefined, isSound: () => false, locate: (same) => same };
  const { value } = yaml;
  const parsed = parseChecks(value.value, tools.matchers, tools.fallbacks ?? FALLBACKS);
  const written = parsed.ok ? parsed.value : parsed.readable;
  const { document, found } = inspectDocument(written, tools);
  const own = parsed.ok ? [] : parsed.problems;
  const problems = [...own, ...found];
  return {
    problems: problems.map((problem) => located(problem, value)),
    loaded: {
      document,
      lines: document.checks.map(({ at }) => value.at(at).line),
      lineAt: (path) => value.at(path).line,
      looksForVersion: looksForVersion(written),
    },
    isSound: (path) => !own.some((each) => isWithin(each.path, path)),
    locate: (problem) => located(problem, value),
  };
}

function inspectDocument(written: ChecksDocument, { environment, target, url, expectVersion }: LoadTools) {
  const { value: document, problems } = resolveReadable(written, environment, { target });
  const found = [
    ...problems,
    ...missingVersions(written, expectVersion),
    ...unusableCertificates(written, url ?? document.target),
  ];
  return { document, found };
}

function located({ path, ...problem }: DocumentProblem, yaml: LocatedValue): InputProblem {
  return { ...problem, input: `${yaml.where(path)} ${problem.input}` };
}

/**
 * Headers of a target, as the input `headers` gives them: `{ X-Route: green, Authorization: "Bearer ${TOKEN}" }`. The
 * problems never repeat a value, because it may be a secret.
 */
export function readTargetHeaders(value: unknown): Checked<Readonly<Record<string, Template>>> {
  const root = rootOf(value);
  const headers = readHeaders(root, { variables: {} });
  if (root.problems.length === 0) return good(headers);
  return bad(
    ...root.problems.map(({ path, given: _given, ...problem }) => ({
      ...problem,
      input: formatPath(['headers', ...path]),
    })),
  );
}

export interface TargetHeaders {
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

export function fillTargetHeaders(
  headers: Readonly<Record<string, Template>>,
  environment: Environment,
): Checked<TargetHeaders> {
  const filling = newFilling(environment);
  const filled = fillHeaders(filling, headers, { path: ['headers'] });
  return filling.problems.length === 0
    ? good({ headers: filled, secrets: [...filling.secrets] })
    : bad(...filling.problems);
}
