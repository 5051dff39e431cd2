import { Failure } from '../../src/domain/failure.ts';

/** How a release of the demo application behaves. Delays are milliseconds; requests are those that are no health checks. */
export type Behaviour =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'error-rate'; readonly afterRequests: number; readonly share: number }
  | { readonly kind: 'slow'; readonly afterRequests: number; readonly delay: number }
  | { readonly kind: 'crash'; readonly afterRequests: number }
  | { readonly kind: 'crash-at-start' }
  | { readonly kind: 'unhealthy-later'; readonly delay: number }
  | { readonly kind: 'never-healthy' }
  | { readonly kind: 'silent-websocket' };

/** Endings of a tag, each with a behaviour of its own; every other tag is a healthy release. */
export const FAULTS = [
  'error-rate',
  'slow',
  'crash',
  'crash-at-start',
  'unhealthy-later',
  'never-healthy',
  'silent-websocket',
] as const satisfies readonly Exclude<Behaviour['kind'], 'healthy'>[];

type Environment = Readonly<Record<string, string>>;

/**
 * The tag names the behaviour: `1.4.1-slow`, or `slow` alone. A tag without a known ending is a healthy release.
 * A small smoke test must pass and real traffic must show the fault: hence the first 60 good requests of each task.
 */
export function behaviourOf(tag: string, environment: Environment): Behaviour {
  const kind = FAULTS.find((name) => tag === name || tag.endsWith(`-${name}`)) ?? 'healthy';
  switch (kind) {
    case 'error-rate':
      return {
        kind,
        afterRequests: numberFrom(environment, 'BEHAVIOUR_AFTER_REQUESTS', 60),
        share: shareFrom(environment, 'BEHAVIOUR_SHARE', 0.3),
      };
    case 'slow':
      return {
        kind,
        afterRequests: numberFrom(environment, 'BEHAVIOUR_AFTER_REQUESTS', 60),
        delay: numberFrom(environment, 'BEHAVIOUR_DELAY_MS', 2_500),
      };
    case 'crash':
      return { kind, afterRequests: numberFrom(environment, 'BEHAVIOUR_AFTER_REQUESTS', 120) };
    case 'unhealthy-later':
      return { kind, delay: numberFrom(environment, 'BEHAVIOUR_DELAY_MS', 12_000) };
    default:
      return { kind };
  }
}

function numberFrom(environment: Environment, name: string, fallback: number): number {
  const given = environment[name];
  if (given === undefined) return fallback;
  const value = Number(given);
  if (given.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new Failure({ what: `Could not read ${name}`, why: `"${given}" is not a number from 0 up` });
  }
  return value;
}

function shareFrom(environment: Environment, name: string, fallback: number): number {
  const value = numberFrom(environment, name, fallback);
  if (value > 1) throw new Failure({ what: `Could not read ${name}`, why: `${value} is not a share from 0 to 1` });
  return value;
}
