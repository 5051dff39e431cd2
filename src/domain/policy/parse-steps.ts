import { type Duration, minutes } from '../duration.ts';
import { printable } from '../inputs.ts';
import { type Mapping, durationAt, isMapping, refuse, refuseUnknownKeys } from './document.ts';
import type { StepGate } from './policy.ts';

export const STEP_KEYS = ['to', 'approve', 'within'] as const;

/** As long as people are given who were not told beforehand. */
export const DEFAULT_WITHIN: Duration = minutes(10);
const SHORTEST_WITHIN: Duration = minutes(1);

interface Steps {
  readonly steps: readonly number[];
  readonly gates: readonly StepGate[];
}

/** `10%, 50%, 100%` as text or list; an entry of a list may be `{ to: 50%, approve: FILE, within: 10m }`. */
export function readSteps(document: Mapping): Steps {
  const given = document.values['steps'];
  if (given === undefined) return { steps: [10, 50, 100], gates: [] };
  const accepted = 'rising percentages that end with 100%: [10%, 50%, 100%]';
  const entries: readonly unknown[] = Array.isArray(given)
    ? given
    : typeof given === 'string'
      ? given.split(',')
      : [given];
  const read = entries.map((entry, index) => readStep(document, entry, index));
  const steps = read.map(({ percent }) => percent);
  const rising = steps.every((step, index) => step >= 1 && step <= 100 && step > (steps[index - 1] ?? 0));
  if (!rising) refuse(document, 'steps', { problem: 'does not rise in whole percent from 1 to 100', accepted });
  else if (steps.at(-1) !== 100) refuse(document, 'steps', { problem: 'does not end with 100%', accepted });
  return { steps, gates: read.flatMap(({ gate }) => (gate === undefined ? [] : [gate])) };
}

interface Step {
  readonly percent: number;
  readonly gate: StepGate | undefined;
}

function readStep(document: Mapping, entry: unknown, index: number): Step {
  if (!isMapping(entry)) return { percent: percentOf(entry), gate: undefined };
  const step: Mapping = { path: `steps[${index}]`, values: entry, problems: document.problems };
  refuseUnknownKeys(step, STEP_KEYS);
  const percent = percentOf(entry['to']);
  if (entry['to'] === undefined)
    refuse(step, 'to', { problem: 'is missing', accepted: '{ to: 50%, approve: production-approvers.yml }' });
  return { percent, gate: readGate(step, percent, index) };
}

function readGate(step: Mapping, before: number, index: number): StepGate | undefined {
  const file = step.values['approve'];
  const within = durationAt(step, 'within', { fallback: DEFAULT_WITHIN, min: SHORTEST_WITHIN });
  if (file === undefined) {
    if (step.values['within'] !== undefined) refuse(step, 'within', { problem: 'says nothing without approve' });
    return undefined;
  }
  if (typeof file !== 'string' || file.trim() === '')
    return refuse(step, 'approve', {
      problem: 'is not the path of a file with the rules of the approval',
      accepted: 'production-approvers.yml',
    });
  if (index === 0)
    return refuse(step, 'approve', {
      problem: `cannot stand at the first step (${printable(step.values['to'] ?? '')}): nothing of the release is judged yet`,
      accepted: 'approval-gate in a job before this one, or a later step',
    });
  return { before, file: file.trim(), within };
}

function percentOf(entry: unknown): number {
  const text = typeof entry === 'string' || typeof entry === 'number' ? String(entry).trim() : '';
  const percent = /^(\d{1,3}) ?%?$/.exec(text);
  return percent ? Number(percent[1]) : Number.NaN;
}
