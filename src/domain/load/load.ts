import type { Check, Path, ResolvedStep, Template } from '../checks/document.ts';
import type { Duration } from '../duration.ts';
import type { LoadRule } from './rule.ts';

/** Arrivals a second at the beginning and at the end of the phase; in between the rate goes evenly from one to the other. */
export interface Phase {
  readonly duration: Duration;
  readonly from: number;
  readonly to: number;
}

export type LoadModel =
  /** So many users, each of whom sends the next request when the last one is answered. At least one of the two ends it. */
  | { readonly kind: 'closed'; readonly concurrency: number; readonly count?: number; readonly duration?: Duration }
  /** Users arrive at a rate, whatever the system does; `concurrency` is the most that are served at the same time. */
  | { readonly kind: 'open'; readonly phases: readonly Phase[]; readonly concurrency: number };

interface LoadParts {
  readonly name: string;
  readonly at: Path;
  readonly model: LoadModel;
  readonly rules: readonly LoadRule[];
  /** Most requests that may be sent; the load ends there. */
  readonly budget: number;
}

export interface Load extends LoadParts {
  readonly scenarios: readonly (
    | { readonly kind: 'flow'; readonly name: string }
    | { readonly kind: 'check'; readonly check: Check; readonly weight: number }
  )[];
  /** Base URL of the release before; it gets the same load in alternation. */
  readonly stable?: Template;
}

export interface ResolvedScenario {
  readonly name: string;
  /** The flow or the check. */
  readonly at: Path;
  readonly weight: number;
  readonly steps: readonly ResolvedStep[];
}

export interface ResolvedLoad extends LoadParts {
  readonly scenarios: readonly ResolvedScenario[];
  readonly stable?: string;
}

/** Requests that one user makes at most. */
export const longestOf = (scenarios: readonly ResolvedScenario[]): number =>
  Math.max(1, ...scenarios.map(({ steps }) => steps.filter(({ kind }) => kind === 'request').length));

export const MOST_REQUESTS = 100_000_000;
export const USUAL_BUDGET = 1_000_000;
