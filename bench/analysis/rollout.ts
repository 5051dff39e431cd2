import { type FaultName, FAULTS, onsetOf } from './faults.ts';
import { type World, worldOf } from './world.ts';

/** What a rule does with a rollout, second by second. */
export type Step =
  | { readonly kind: 'serve'; readonly percent: number }
  /** `because`: in the rule's own words, where it has some. */
  | { readonly kind: 'roll-back'; readonly because?: string }
  | { readonly kind: 'promote'; readonly certainty: 'sure' | 'inconclusive' | 'blind' };

/** A decision rule: a new one for each rollout. */
export interface Rule {
  readonly name: string;
  start(world: World): { next(): Step };
}

/** From the decision to traffic that was seen on stable alone: the same for every rule. */
export const RESTORE_SECONDS = 5;
/** Nobody watches longer than the deadline. */
const DEADLINE = 1_800;

export interface Ended {
  readonly end: 'rolled-back' | 'promoted';
  readonly certainty: 'sure' | 'inconclusive' | 'blind';
  /** From the onset to restored traffic. */
  readonly restored: number;
  readonly failed: number;
  /** Why it was rolled back, where the rule says so. */
  readonly because?: string;
}

export function rollOut(
  rule: Rule,
  fault: FaultName,
  { rps, seed }: { readonly rps: number; readonly seed: number },
): Ended {
  const world = worldOf(FAULTS[fault], rps, seed);
  const running = rule.start(world);
  const steps = { half: 0, full: 0 };
  let percent = 0;
  for (;;) {
    const step: Step = world.second >= DEADLINE ? { kind: 'roll-back', because: 'the deadline' } : running.next();
    if (step.kind === 'promote') return { ...ended(world), end: 'promoted', certainty: step.certainty };
    if (step.kind === 'roll-back') {
      for (let second = 0; second < RESTORE_SECONDS; second++) world.serve(percent);
      const restored = world.second - onsetOf(fault, world.onset, steps);
      const { because } = step;
      return { ...ended(world), end: 'rolled-back', certainty: 'sure', restored, ...(because && { because }) };
    }
    ({ percent } = step);
    if (percent >= 50 && steps.half === 0) steps.half = world.second;
    if (percent === 100 && steps.full === 0) steps.full = world.second;
    world.serve(percent);
  }
}

const ended = (world: World): Pick<Ended, 'restored' | 'failed'> => ({ restored: Infinity, failed: world.failed });
