import type { AwsError } from './ecs/types.ts';
import { awsError } from './wire/answer.ts';

/** An error of the API on its way out of a validation; whoever serves the call turns it into the answer. */
export class Refused extends Error {
  readonly error: AwsError;
  constructor(code: string, message: string, status = 400) {
    super(`${code}: ${message}`);
    this.error = awsError(code, message, status);
  }
}

/** The sentence in which AWS reports a value outside its bounds. */
export function inRange(
  given: string | undefined,
  at: string,
  bounds: { readonly min: number; readonly max: number },
): void {
  if (given === undefined) return;
  const value = Number(given);
  const fails = (rule: string): never => {
    const message = `1 validation error detected: Value '${given}' at '${at}' failed to satisfy constraint: Member must have value ${rule}`;
    throw new Refused('ValidationError', message);
  };
  if (!(value >= bounds.min)) fails(`greater than or equal to ${bounds.min}`);
  if (value > bounds.max) fails(`less than or equal to ${bounds.max}`);
}
