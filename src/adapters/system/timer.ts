/** Bounds real input and output; whatever the product itself waits for goes through the Clock. The answer stops it. */
export function startTimer(milliseconds: number, run: () => void): () => void {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
}

/** A timer that is set again and again; the process does not stay for it. */
export interface Deadline {
  restart(): void;
  stop(): void;
}

/** `run` is called so many milliseconds after the last `restart`, the first of which is this call. */
export function startDeadline(milliseconds: number, run: () => void): Deadline {
  const timer = setTimeout(run, milliseconds).unref();
  return { restart: () => void timer.refresh(), stop: () => clearTimeout(timer) };
}

/** `run` is called when everything that is ready now has been taken up. */
export const atEndOfTurn = (run: () => void): void => void setImmediate(run);
