import { type Fault, type Moment, BASE_ERRORS } from './world.ts';

const good = {
  kind: 'good',
  errors: () => BASE_ERRORS,
  slowness: () => 1,
  counted: () => 1,
  metrics: () => 'there',
} as const satisfies Omit<Fault, 'name'>;
const bad = { ...good, kind: 'bad' } as const;

const candidateFrom = (onset: 'start' | 'onset', rate: (moment: Moment) => number) => (moment: Moment) =>
  moment.arm === 'candidate' && (onset === 'start' || moment.second >= moment.onset) ? rate(moment) : BASE_ERRORS;

const during = (moment: Moment, length: number): boolean =>
  moment.second >= moment.onset && moment.second < moment.onset + length;

/** The twelve of the load model, and one that is seen by no error; the onset is drawn from the second minute, so that no rule gains by its phase. */
export const FAULTS = {
  good: { ...good, name: 'good release' },
  blip: { ...good, name: 'both colors: 10 % errors for 90 s', errors: (at) => (during(at, 90) ? 0.1 : BASE_ERRORS) },
  outage: { ...good, name: 'metrics out for 120 s', metrics: (at) => (during(at, 120) ? 'outage' : 'there') },
  missing: {
    ...good,
    kind: 'blind',
    name: 'no series of the candidate',
    metrics: ({ arm }) => (arm === 'candidate' ? 'absent' : 'there'),
  },
  thirty: { ...bad, name: '30 % errors', errors: candidateFrom('onset', () => 0.3) },
  half: {
    ...bad,
    name: '30 % errors at 50 % and more',
    errors: candidateFrom('start', ({ percent }) => (percent >= 50 ? 0.3 : BASE_ERRORS)),
  },
  eight: { ...bad, name: '8 % errors', errors: candidateFrom('onset', () => 0.08) },
  'half-point': { ...bad, name: '+0.5 pp errors', errors: candidateFrom('start', () => BASE_ERRORS + 0.005) },
  'third-point': { ...bad, name: '+0.3 pp errors', errors: candidateFrom('start', () => BASE_ERRORS + 0.003) },
  slow: {
    ...bad,
    name: 'p95 x 2.5',
    slowness: (at) => (at.arm === 'candidate' && at.second >= at.onset ? 2.5 : 1),
  },
  flapping: {
    ...bad,
    name: '30 % errors, 45 s on, 45 s off',
    errors: candidateFrom('onset', (at) => (Math.floor((at.second - at.onset) / 45) % 2 === 0 ? 0.3 : BASE_ERRORS)),
  },
  hanging: {
    ...bad,
    name: 'hangs: 98 % are never answered',
    counted: (at) => (at.arm === 'candidate' && at.second >= at.onset ? 0.02 : 1),
  },
  leak: {
    ...bad,
    name: 'slow leak after 100 %',
    errors: candidateFrom('start', ({ full }) => (full < 0 ? BASE_ERRORS : BASE_ERRORS + Math.min(0.2, full / 1_200))),
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;

/** When users began to suffer: the second of the fault, of its step, or of the first traffic. */
export function onsetOf(
  name: FaultName,
  onset: number,
  steps: { readonly half: number; readonly full: number },
): number {
  switch (name) {
    case 'half':
      return steps.half;
    case 'leak':
      return steps.full;
    case 'half-point':
    case 'third-point':
    case 'missing':
      return 0;
    default:
      return onset;
  }
}
