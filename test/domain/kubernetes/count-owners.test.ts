import { describe, expect, test } from '@jest/globals';
import { countLetGo, judgeConflicts } from '../../../src/domain/kubernetes/ownership.ts';
import { deployment } from './objects.ts';

const web = deployment('web', { app: 'a/b:1', proxy: 'c/d:1' });
const context = { policy: 'fail', scaled: 'by-hand', live: web } as const;
const COUNT = { 'f:spec': { 'f:replicas': {} } };
const owned = (...owners: readonly (readonly [manager: string, operation: string, fieldsV1: object])[]) => ({
  ...web,
  metadata: {
    ...web.metadata,
    managedFields: owners.map(([manager, operation, fieldsV1]) => ({ manager, operation, fieldsV1 })),
  },
});

describe('a conflict', () => {
  test.each([
    [
      'of a count that was set by mode: scale is given in to',
      { manager: 'sluice-scale', field: '.spec.replicas' },
      { ...context, live: owned(['sluice-scale', 'Update', COUNT]) },
      'yielded',
    ],
    [
      'of a count that mode: scale set as it was handed over is given in to',
      { manager: 'sluice-scale', field: '.spec.replicas' },
      { ...context, live: owned(['sluice-scale', 'Apply', COUNT], ['sluice-scale', 'Update', COUNT]) },
      'yielded',
    ],
    ...(['fail', 'yield'] as const).map(
      (policy) =>
        [
          `of a count that was handed over to an autoscaler that is gone is none (${policy})`,
          { manager: 'sluice-scale', field: '.spec.replicas' },
          { ...context, policy, live: owned(['sluice-scale', 'Apply', COUNT]) },
          'taken',
        ] as const,
    ),
    [
      'of a count that was handed over to its autoscaler is given in to',
      { manager: 'sluice-scale', field: '.spec.replicas' },
      { ...context, scaled: 'by-autoscaler' as const, live: owned(['sluice-scale', 'Apply', COUNT]) },
      'yielded',
    ],
  ])('%s', (_name, conflict, given, where) => {
    const verdict = judgeConflicts([conflict], given);
    expect(verdict).toEqual({ yielded: [], taken: [], left: [], [where]: [conflict] });
  });
});

describe('a count that an intent does not have', () => {
  const counted = { ...web, spec: { replicas: 6 } };
  const bare = { ...web, spec: {} };
  const of = (...owners: readonly (readonly [string, string])[]) => ({
    ...owned(...owners.map(([manager, operation]) => [manager, operation, COUNT] as const)),
    spec: { replicas: 6 },
  });
  test.each([
    ['is let go where only we have it', of(['sluice-web', 'Apply']), bare, 6],
    [
      'is let go where it is taken over',
      of(['kubectl-client-side-apply', 'Update'], ['sluice-restore', 'Apply']),
      bare,
      6,
    ],
    [
      'is not where an autoscaler has it too',
      of(['sluice-web', 'Apply'], ['kube-controller-manager', 'Update']),
      bare,
      undefined,
    ],
    ['is not where nobody has it', of(), bare, undefined],
    ['is not where the intent has it', of(['sluice-web', 'Apply']), counted, undefined],
  ])('%s', (_name, live, intent, count) => {
    expect(countLetGo(intent, live, 'sluice-web')).toBe(count);
  });
});
