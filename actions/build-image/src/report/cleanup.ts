import { formatInstant } from '../../../../src/domain/duration.ts';
import type { Report } from '../../../../src/domain/report.ts';
import type { CleanupRequest } from '../inputs.ts';
import { NOTHING } from '../report.ts';
import type { Cleaned } from '../result.ts';

export function cleanupReport(request: CleanupRequest, all: readonly Cleaned[]): Report {
  const sum = (of: (each: Cleaned) => number): number => all.reduce((total, each) => total + of(each), 0);
  const [planned, removed, kept] = [
    sum(({ plan }) => plan.remove.length),
    sum((each) => each.removed.length),
    sum(({ plan }) => plan.kept),
  ];
  const refused = all.flatMap((each) => each.refused);
  const isPlan = request.dryRun === 'plan';
  const names = all.map(({ repository }) => repository).join(', ');
  const headline = isPlan
    ? `Would remove ${planned} images of ${names}, keep ${kept}`
    : `Removed ${removed} images of ${names}, kept ${kept}${refused.length === 0 ? '' : `; ${refused.length} could not be removed`}`;
  return {
    conclusion: refused.length === 0 ? 'success' : 'failure',
    outcome: isPlan ? 'planned' : removed === 0 && refused.length === 0 ? 'unchanged' : 'cleaned',
    headline,
    changed: removed > 0,
    outputs: { ...NOTHING, 'removed-images': String(removed) },
    summary: [
      { kind: 'heading', text: headline },
      {
        kind: 'table',
        columns: ['Repository', 'Digest', 'Tags', 'Pushed'],
        rows: all.flatMap(({ repository, plan }) =>
          plan.remove.map(({ digest, tags, pushedAt }) => [
            repository,
            digest,
            tags.join(', '),
            formatInstant(pushedAt),
          ]),
        ),
      },
      ...(refused.length === 0 ? [] : [{ kind: 'verbatim', text: refused.join('\n') } as const]),
    ],
  };
}
