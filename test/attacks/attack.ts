import type { Plot } from './scene.ts';

/** One attempt on the gate (or an honest vote beside one), what must come of it, and why. */
export interface Attack extends Plot {
  readonly name: string;
  readonly expected: 'approved' | 'overridden' | 'denied' | 'expired' | 'error' | 'outside-window' | 'refused';
  /** Somewhere in what was said: outcome, log, hints in the request. */
  readonly because?: RegExp;
}

export const YES: readonly Attack['expected'][] = ['approved', 'overridden'];
