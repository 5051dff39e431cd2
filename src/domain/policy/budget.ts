import { type Duration, milliseconds } from '../duration.ts';
import type { Policy } from './policy.ts';

type Timed = Pick<Policy, 'steps' | 'bake' | 'recheck' | 'rules'>;

/** Judged time when no rule is ever in doubt: what a policy takes at least, apart from starting the candidate. */
export const shortestTime = ({ steps, bake, recheck }: Timed): Duration =>
  milliseconds(steps.length * bake + (recheck ? recheck.after + recheck.for : 0));

/** What waiting for people takes at most. */
export const longestWait = ({ gates }: Pick<Policy, 'gates'>): Duration =>
  milliseconds(gates.reduce((sum, { within }) => sum + within, 0));

/** Judged time when the longest hold opens at the end of every step, and of the recheck, and closes without failing. */
export function longestTime(policy: Timed): Duration {
  const holds = policy.rules.map((rule) => (rule.kind === 'threshold' && rule.level === 'fail' ? rule.hold : 0));
  const pauses = policy.steps.length + (policy.recheck ? 1 : 0);
  return milliseconds(shortestTime(policy) + pauses * Math.max(0, ...holds));
}
