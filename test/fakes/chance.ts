import type { ChecksTools } from '../../src/engine/checks/run-checks.ts';

/** Chance that is none, and a mask that hides nothing: for checks in which neither matters. */
export const NO_SURPRISE: Pick<ChecksTools, 'random' | 'mask'> = {
  random: { fraction: () => 0.5, token: () => '0123456789abcdef0123456789abcdef' },
  mask: () => undefined,
};
