import type { Manifest } from '../../../../src/domain/kubernetes/manifest.ts';
import type { Report } from '../../../../src/domain/report.ts';
import { wayBackLines } from '../../../../src/engine/k8s-rollout/put-back.ts';
import type { ActionTools } from '../../../../src/runtime/action.ts';
import { type Context, plan, planRollback } from '../execute.ts';
import { lineReport, planReport } from '../report.ts';
import type { Request } from '../request.ts';

/** What a deployment would do: of `mode: diff`, and of a dry run. */
export async function shownPlan(
  request: Extract<Request, { mode: 'deploy' | 'diff' | 'rbac' }>,
  manifests: readonly Manifest[],
  context: Context,
  { log, signal }: ActionTools,
): Promise<Report> {
  const planned = await plan(request, manifests, context, signal);
  for (const warning of planned.warnings) log.warning(warning);
  const report = planReport(planned, request);
  log.verbatim('Plan', report.lines.join('\n'));
  return report;
}

/** Where a roll back would lead, and each object that it would change or take away. */
export async function plannedBack(
  request: Extract<Request, { mode: 'rollback' }>,
  context: Context,
  { log, signal }: ActionTools,
): Promise<Report> {
  const { way, planned } = await planRollback(request, context, signal);
  const { release, revision } = way.record;
  const what = { 'take-back': 'take back', repeat: 'go back to', unchanged: 'do nothing: it serves' }[way.kind];
  const left = 'leaves' in way ? way.leaves : undefined;
  const why = left === undefined ? '' : `: release ${left.release} (revision ${left.revision}) failed and stands`;
  const start = `would ${what} release ${release} (revision ${revision})${why}`;
  if (planned === undefined) {
    const lines = way.kind === 'take-back' ? wayBackLines(way) : [];
    if (lines.length > 0) log.verbatim('Plan', lines.join('\n'));
    return lineReport(lines, request, start);
  }
  for (const warning of planned.warnings) log.warning(warning);
  const report = planReport(planned, request, `${start}; `);
  log.verbatim('Plan', report.lines.join('\n'));
  return report;
}
