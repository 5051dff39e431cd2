import { type ImageValues, tagOf } from '../image-inputs.ts';
import type { Duration } from '../duration.ts';
import { type Checked, type InputProblem, bad, good } from '../inputs.ts';
import type { Policy } from '../policy/policy.ts';
import { steadyPolicyOf } from '../policy/steady-inputs.ts';
import { readCheckSecrets } from './target-inputs.ts';

/** Checks and rules of the user's, once a release is steady. */
export interface SteadyChecks {
  readonly file: string | undefined;
  /** Rules, and how long they judge. */
  readonly policy: Policy | undefined;
  readonly recheck: Duration;
  readonly url: string | undefined;
  readonly host: string | undefined;
  readonly expectVersion: string | undefined;
  /** By name; they win over the environment. */
  readonly secrets: ReadonlyMap<string, string>;
}

interface SteadyValues extends ImageValues {
  readonly checks: string | undefined;
  readonly rules: readonly string[] | undefined;
  readonly recheck: Duration;
  readonly url: string | undefined;
  readonly host: string | undefined;
  readonly 'expect-version': string | undefined;
  readonly 'check-secrets': string | undefined;
}

/** Where the address that is measured comes from, beside `url`. */
interface Addressing {
  readonly elsewhere: 'given' | 'not-given';
  /** `url or url-from` */
  readonly accepted: string;
  /** What else is wrong with it. */
  readonly problems: readonly InputProblem[];
}

const BY_URL: Addressing = { elsewhere: 'not-given', accepted: 'url', problems: [] };

/** undefined: neither checks nor rules are asked for. */
export function steadyChecksOf(
  values: SteadyValues,
  { elsewhere, accepted, problems: others }: Addressing = BY_URL,
): Checked<SteadyChecks | undefined> {
  const secrets = readCheckSecrets(values['check-secrets'] ?? '');
  const policy = steadyPolicyOf(values);
  const problems = [...[secrets, policy].flatMap((each) => (each.ok ? [] : each.problems)), ...others];
  if (values.rules !== undefined && values.url === undefined && elsewhere === 'not-given')
    problems.push({ input: 'rules', problem: 'need an address to measure', accepted });
  if (problems.length > 0 || !secrets.ok || !policy.ok) return bad(...problems);
  if (values.checks === undefined && policy.value === undefined) return good(undefined);
  return good({
    file: values.checks,
    policy: policy.value,
    recheck: values.recheck,
    url: values.url,
    host: values.host,
    expectVersion: values['expect-version'] ?? tagOf(values),
    secrets: secrets.value,
  });
}
