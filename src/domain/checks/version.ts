import type { InputProblem } from '../inputs.ts';
import type { ResolvedCheck } from './document.ts';

/** A check that compares the version needs one to compare with; without it every try would fail for the same reason. */
export function missingVersion(
  checks: readonly ResolvedCheck[],
  expectVersion: string | undefined,
): InputProblem | undefined {
  const open = checks.filter(({ expect, warn }) =>
    [expect, warn].some((each) => each?.version !== undefined && each.version.equals === undefined),
  );
  if (expectVersion !== undefined || open.length === 0) return undefined;
  const names = open.map(({ name }) => name).join(', ');
  return {
    input: 'expect-version',
    problem: `is missing: the version of ${names} is compared with it`,
    accepted: 'a version, or `equals` in the check',
  };
}
