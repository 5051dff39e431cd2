import type { GivenInputs, InputProblem } from './inputs.ts';

/** Which modes read an input; one that stands in no row is not judged. */
export type ReadBy<Mode extends string> = Readonly<Partial<Record<string, readonly Mode[]>>>;

/** PURE. Inputs that the step gives and its mode does not read: a misunderstanding. A stage is for all modes, so it may hold them. */
export const foreignInputs = <Mode extends string>(
  readBy: ReadBy<Mode>,
  mode: Mode,
  given: GivenInputs,
): readonly InputProblem[] =>
  Object.entries(readBy).flatMap(([input, modes = []]) =>
    !given.has(input) || modes.includes(mode)
      ? []
      : [
          {
            input,
            problem: `is not read by mode: ${mode}`,
            accepted: modes.map((each) => `mode: ${each}`).join(', '),
          },
        ],
  );
