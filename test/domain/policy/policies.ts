import { expect } from '@jest/globals';
import { parsePolicy } from '../../../src/domain/policy/parse-policy.ts';
import type { Policy } from '../../../src/domain/policy/policy.ts';

export function policyOf(rules: readonly unknown[], more: Record<string, unknown> = {}): Policy {
  const read = parsePolicy({ rules, ...more });
  expect(read).toMatchObject({ ok: true });
  return (read as { value: Policy }).value;
}
