import type { Report } from '../../../src/domain/report.ts';
import { formatHook } from '../../../src/domain/shift/hooks.ts';
import type { Hooked } from './moves.ts';

/** PURE: what the team's commands did, beside what the shift came to, which they do not change. */
export function withHooks(report: Report, hooked: readonly Hooked[]): Report {
  if (hooked.length === 0) return report;
  const bad = hooked.filter(({ end }) => end === 'failed');
  return {
    ...report,
    summary: [
      ...report.summary,
      {
        kind: 'table',
        columns: ['after it', 'end', 'what'],
        rows: hooked.map(({ hook, end, says }) => [formatHook(hook), end, says]),
      },
    ],
    annotations: [
      ...(report.annotations ?? []),
      ...bad.map(({ hook, says }) => ({
        level: 'warning' as const,
        title: 'blue-green',
        message: `The command ${formatHook(hook)} failed: ${says}. The outcome is ${report.outcome} all the same; run the command by hand`,
      })),
    ],
  };
}
