import { readCheckSecrets } from '../../../src/domain/checks/target-inputs.ts';
import { readAddressSource } from '../../../src/domain/ecs/address-source.ts';
import { tagOf } from '../../../src/domain/image-inputs.ts';
import { type Checked, bad, good } from '../../../src/domain/inputs.ts';
import { steadyPolicyOf } from '../../../src/domain/policy/steady-inputs.ts';
import type { Values } from './inputs.ts';
import type { Address, ChecksWish } from './request.ts';

export const addressOf = (values: Pick<Values, 'url' | 'url-from'>): Address => ({
  url: values.url,
  from: values['url-from'] === undefined ? undefined : readAddressSource(values['url-from']),
});

/** undefined: neither checks nor rules are asked for. */
export function checksOf(values: Values): Checked<ChecksWish | undefined> {
  const secrets = readCheckSecrets(values['check-secrets'] ?? '');
  const policy = steadyPolicyOf(values);
  const address = addressOf(values);
  const problems = [secrets, policy].flatMap((each) => (each.ok ? [] : each.problems));
  if (address.url !== undefined && address.from !== undefined)
    problems.push({ input: 'url-from', problem: 'excludes url', accepted: 'one of the two' });
  if (values.rules !== undefined && address.url === undefined && address.from === undefined)
    problems.push({ input: 'rules', problem: 'need an address to measure', accepted: 'url or url-from' });
  if (problems.length > 0 || !secrets.ok || !policy.ok) return bad(...problems);
  if (values.checks === undefined && policy.value === undefined) return good(undefined);
  return good({
    file: values.checks,
    policy: policy.value,
    recheck: values.recheck,
    ...address,
    host: values.host,
    expectVersion: values['expect-version'] ?? tagOf(values),
    secrets: secrets.value,
  });
}
