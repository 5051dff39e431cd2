/** Bounds real input and output; whatever the product itself waits for goes through the Clock. The answer stops it. */
export function startTimer(milliseconds: number, run: () => void): () => void {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
}
