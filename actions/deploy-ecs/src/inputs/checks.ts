import { steadyChecksOf } from '../../../../src/domain/checks/steady-checks.ts';
import { readAddressSource } from '../../../../src/domain/ecs/address-source.ts';
import { type Checked, bad, good } from '../../../../src/domain/inputs.ts';
import type { Values } from '../inputs.ts';
import type { Address, ChecksWish } from '../request.ts';

export const addressOf = (values: Pick<Values, 'url' | 'url-from'>): Address => ({
  url: values.url,
  from: values['url-from'] === undefined ? undefined : readAddressSource(values['url-from']),
});

/** undefined: neither checks nor rules are asked for. */
export function checksOf(values: Values): Checked<ChecksWish | undefined> {
  const { url, from } = addressOf(values);
  const excluded = url !== undefined && from !== undefined;
  const checks = steadyChecksOf(values, {
    elsewhere: from === undefined ? 'not-given' : 'given',
    accepted: 'url or url-from',
    problems: excluded ? [{ input: 'url-from', problem: 'excludes url', accepted: 'one of the two' }] : [],
  });
  if (!checks.ok) return bad(...checks.problems);
  return good(checks.value === undefined ? undefined : { ...checks.value, from });
}
