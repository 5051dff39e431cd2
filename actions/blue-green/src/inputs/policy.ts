import type { InputProblem } from '../../../../src/domain/inputs.ts';
import type { Duration } from '../../../../src/domain/duration.ts';
import { parsePolicy } from '../../../../src/domain/policy/parse-policy.ts';
import type { Policy } from '../../../../src/domain/policy/policy.ts';

/** A policy by its file, by the inputs that make one, or none where a mode judges nothing. */
export type PolicyRequest =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'given'; readonly policy: Policy }
  | { readonly kind: 'none' };

interface PolicyInputs {
  readonly mode: string;
  readonly 'on-stale': string;
  readonly policy: string | undefined;
  readonly steps: string | undefined;
  readonly bake: Duration | undefined;
  readonly rules: readonly string[] | undefined;
}

export function policyOf(values: PolicyInputs, problems: InputProblem[]): PolicyRequest {
  const { policy, steps, bake, rules, mode } = values;
  const parts = Object.entries({ steps, bake, rules }).filter(([, value]) => value !== undefined);
  if (policy !== undefined) {
    for (const [input] of parts)
      problems.push({ input, problem: 'is given beside policy', accepted: 'one of the two' });
    return { kind: 'file', path: policy };
  }
  if (parts.length === 0) {
    const resumes = (mode === 'watch' || mode === 'reconcile') && values['on-stale'] === 'resume';
    if (mode === 'run' || mode === 'shift' || resumes)
      problems.push({
        input: 'policy',
        problem: `is missing: mode ${mode}${resumes ? ' with on-stale: resume' : ''} judges by one`,
        accepted: 'policy, or rules',
      });
    return { kind: 'none' };
  }
  // Durations are read already; the policy reads its own text again, so that file and inputs go one way.
  const read = parsePolicy({
    ...(steps === undefined ? {} : { steps }),
    ...(bake === undefined ? {} : { bake: `${bake}ms` }),
    ...(rules === undefined ? {} : { rules }),
  });
  if (read.ok) return { kind: 'given', policy: read.value };
  problems.push(...read.problems);
  return { kind: 'none' };
}
