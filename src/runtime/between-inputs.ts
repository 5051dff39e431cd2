import type { InputProblem, InputSpec, InputsOf } from '../domain/inputs.ts';
import type { ActionDefinition } from './action.ts';
import type { Rest } from './read-inputs.ts';

/** Inputs that decide which others are read at all: without them nothing can be told of the others. */
const DECIDING = ['mode'];

/**
 * What is wrong between the inputs that could be read, so that it does not wait for the next run. What has to do with one that
 * could not be read is left out: with its true value it might be right.
 */
export function problemsBetween<S extends InputSpec, Request>(
  { toRequest }: Pick<ActionDefinition<S, Request>, 'toRequest'>,
  { values, unread, given }: Rest,
): readonly InputProblem[] {
  if (DECIDING.some((name) => unread.includes(name))) return [];
  const request = tried(() => toRequest(values as InputsOf<S>, given));
  if (request === undefined || request.ok) return [];
  return request.problems.filter((problem) => !unread.some((name) => speaksOf(problem, name)));
}

/** undefined: it relies on a value that is not there. */
function tried<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

/** `image` is neither in `images` nor in `image-name`. */
const speaksOf = ({ input, problem, accepted = '' }: InputProblem, name: string): boolean =>
  `${input} ${problem} ${accepted}`.split(/[^a-z0-9-]+/).includes(name);
