import type { InputProblem, InputsOf } from '../../../../src/domain/inputs.ts';
import type { spec } from './fields.ts';

type Values = InputsOf<typeof spec>;

/** By mode: what has a meaning there. Only inputs without a default can be told from those that nobody gave. */
const MODES = {
  source: ['promote'],
  images: ['promote', 'cleanup'],
  'untagged-older-than': ['cleanup'],
  scan: ['build'],
  target: ['build'],
  'build-args': ['build'],
  'public-build-args': ['build'],
  secrets: ['build'],
  'secret-envs': ['build'],
  'secret-files': ['build'],
} as const satisfies Partial<Record<keyof Values, readonly Values['mode'][]>>;

/** What the mode would overlook: whoever gave it believes that it is done. */
export function idleProblems(values: Values): readonly InputProblem[] {
  const modes = Object.entries(MODES) as [keyof typeof MODES, readonly Values['mode'][]][];
  return modes
    .filter(([name, meant]) => isGiven(values[name]) && !meant.includes(values.mode))
    .map(([input, meant]) => ({
      input,
      problem: `has no meaning for mode: ${values.mode}`,
      accepted: `mode: ${meant.join(' or ')}, or leave it out`,
    }));
}

const isGiven = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0);
