import type { HookMoment } from '../../../../src/domain/shift/hooks.ts';
import { hadTraffic } from '../../../../src/domain/shift/record.ts';
import type { Goal } from './goal.ts';
import { type Decision, type Held, move } from './moves.ts';

/**
 * The next command of the team's, while the shift is still held: a run that goes on with it after a kill goes on with the
 * list. undefined: all have ended, or nothing happened that users could have seen. How one ends changes nothing else.
 */
export function runHooks(goal: Goal, { record }: Held, moment: HookMoment): Decision | undefined {
  if (moment === 'after-rollback' && !hadTraffic(record)) return undefined;
  const index = record.hooks.ended;
  return index < goal.hooks[moment].length ? move({ kind: 'hook', moment, index }) : undefined;
}
