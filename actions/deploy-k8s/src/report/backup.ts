import { type Duration, formatDuration } from '../../../../src/domain/duration.ts';
import { type KubeObject, describeObject } from '../../../../src/domain/kubernetes/object.ts';
import type { Report } from '../../../../src/domain/report.ts';
import { NO_OUTPUTS, lineReport } from '../report.ts';
import type { Request } from '../request.ts';

/** The dry run of `mode: restore`: what the server would refuse is known before the bad day. */
export function restorePlanReport(
  { name, lines, refused }: Readonly<Record<'lines' | 'refused', readonly string[]>> & { readonly name: string },
  request: Request,
): Report {
  const start =
    refused.length === 0
      ? `would restore ${lines.length} objects of ${name}`
      : `Refuse: ${refused.length} of ${lines.length} objects of ${name} would not come back: ${refused.join('; ')}`;
  return lineReport(lines, request, start);
}

export interface ShownBackup {
  readonly name: string;
  readonly objects: readonly KubeObject[];
  readonly removed: readonly string[];
  readonly ended: readonly KubeObject[];
}

/** Of `mode: backup`, and of its dry run. */
export function backupReport(
  { name, objects, removed, ended }: ShownBackup,
  request: Request,
  { took, where }: { readonly took: Duration; readonly where: string },
): Report {
  const planned = request.dryRun === 'yes';
  const gone = removed.length === 0 ? '' : `, ${removed.length} older ones are gone`;
  const left = ended.length === 0 ? '' : `, without ${ended.length} Jobs that have ended`;
  const headline = planned
    ? `${request.app}: would back up ${objects.length} objects to ${where}/${name}${left}; nothing was changed.`
    : `${request.app} is backed up after ${formatDuration(took)}: ${objects.length} objects in ${where}/${name}${left}${gone}.`;
  return {
    conclusion: 'success',
    outcome: planned ? 'planned' : 'succeeded',
    headline,
    changed: !planned,
    outputs: { ...NO_OUTPUTS, backup: planned ? '' : name },
    summary: [
      { kind: 'heading', text: `Kubernetes: backup for ${request.app}` },
      { kind: 'text', text: headline },
      { kind: 'verbatim', text: objects.map(describeObject).join('\n') },
    ],
  };
}
