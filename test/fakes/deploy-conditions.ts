import type { DeployConditions } from '../../src/ports/deploy-conditions.ts';

/** Everything that a deployment needs is there, with plenty of room. */
export const goodConditions = (): DeployConditions => ({
  reference: () => Promise.resolve({ kind: 'there' }),
  image: () => Promise.resolve({ kind: 'there' }),
  alarms: () => Promise.resolve([]),
  role: () => Promise.resolve({ kind: 'there' }),
  freeAddresses: () => Promise.resolve({ kind: 'known', free: 100 }),
  fargateQuota: () => Promise.resolve({ kind: 'known', quota: 100, used: 10, code: 'L-1' }),
});
