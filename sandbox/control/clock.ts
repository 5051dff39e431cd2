export interface RealClock {
  readonly kind: 'real';
  now(): number;
}

export interface LockStepClock {
  readonly kind: 'lock-step';
  now(): number;
  /** Never back. */
  moveTo(moment: number): void;
}

/** The sandbox's time. Real: the wall clock. Lock-step: it stands still until someone moves it. */
export type SandboxClock = RealClock | LockStepClock;

export const realClock: RealClock = { kind: 'real', now: () => Date.now() };

export function lockStepClock(start: number): LockStepClock {
  let now = start;
  return {
    kind: 'lock-step',
    now: () => now,
    moveTo(moment) {
      now = Math.max(now, moment);
    },
  };
}

/** Works one after the other, in the order of asking. */
export function mutex(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work, work);
    last = result.catch(() => undefined);
    return result;
  };
}
