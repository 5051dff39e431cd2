import { type Series, allSeries } from '../../../src/domain/analysis/sample.ts';
import type { Policy } from '../../../src/domain/policy/policy.ts';

/** What is asked about the candidate alone: nothing is known of stable. */
export const candidateSeries = (policy: Policy): readonly Series[] =>
  allSeries(policy).filter(({ arm }) => arm === 'candidate');
