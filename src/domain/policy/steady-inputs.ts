import { type Duration, formatDuration, hours, minutes } from '../duration.ts';
import { type Checked, bad, duration, good, list } from '../inputs.ts';
import { parsePolicy } from './parse-policy.ts';
import type { Policy } from './policy.ts';

/** Inputs of every action that judges a release once it is steady, in the same words. */
export const steadyInputs = {
  rules: list({
    description:
      'Rules that judge the steady release by requests to the address, after the checks, one a line: `METRIC > LIMIT for DURATION` or `health fails N in a row`; `warn:` before one that only warns. A failed one counts as a failed deployment. Example: `p95 > 2000ms for 1m`.',
  }),
  recheck: duration({
    description: 'How long `rules` judge. Example: `5m`.',
    fallback: '2m',
    min: minutes(1),
    max: hours(1),
  }),
};

/** undefined: none are given. A rolling update has one arm, so nothing can be compared. */
export function steadyPolicyOf({
  rules,
  recheck,
}: {
  readonly rules: readonly string[] | undefined;
  readonly recheck: Duration;
}): Checked<Policy | undefined> {
  if (rules === undefined) return good(undefined);
  const policy = parsePolicy({ rules });
  if (!policy.ok) return policy;
  const compared = policy.value.rules.filter(({ kind }) => kind === 'comparison');
  const endless = policy.value.rules.filter((rule) => rule.kind === 'threshold' && rule.hold > recheck);
  if (compared.length + endless.length === 0) return policy;
  return bad(
    ...endless.map(({ text: given }) => ({
      input: 'rules',
      given,
      problem: `can never fail: it has to hold for longer than recheck (${formatDuration(recheck)})`,
      accepted: 'a shorter time in the rule, or a longer recheck',
    })),
    ...compared.map(({ text: given }) => ({
      input: 'rules',
      given,
      problem: 'compares with stable, which a rolling update has not',
      accepted: 'rules against a number; blue-green compares',
    })),
  );
}
