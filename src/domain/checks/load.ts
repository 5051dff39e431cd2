import { type Checked, type InputProblem, bad, good } from '../inputs.ts';
import type { Matchers, Path, ResolvedChecks, Template } from './document.ts';
import { type Environment, fillHeaders, newFilling } from './fill-in.ts';
import { type Fallbacks, FALLBACKS, parseChecks } from './parse.ts';
import { type DocumentProblem, formatPath, rootOf } from './place.ts';
import { readHeaders } from './request-parts.ts';
import { resolveChecks } from './resolve.ts';

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
}

export interface LoadedChecks {
  readonly document: ResolvedChecks;
  /** Line of each of `document.checks`, in its order. */
  readonly lines: readonly number[];
  /** Line of any place of the file: of a step of a flow, of a load. */
  lineAt(path: Path): number;
}

/** PURE. A checks file as it can be run, or every problem of it with line and column. Its `secrets` are to be masked first of all. */
export function loadChecks(
  file: { readonly path: string; readonly text: string },
  tools: LoadTools,
): Checked<LoadedChecks> {
  const yaml = tools.readYaml(file.text, file.path);
  if (!yaml.ok) return yaml;
  const parsed = parseChecks(yaml.value.value, tools.matchers, tools.fallbacks ?? FALLBACKS);
  const resolved = parsed.ok ? resolveChecks(parsed.value, tools.environment, { target: tools.target }) : parsed;
  if (!resolved.ok) return bad(...resolved.problems.map((problem) => located(problem, yaml.value)));
  const lines = resolved.value.checks.map(({ at }) => yaml.value.at(at).line);
  return good({ document: resolved.value, lines, lineAt: (path) => yaml.value.at(path).line });
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
