import { type Duration, formatDuration } from '../../../../src/domain/duration.ts';
import { revisionName } from '../../../../src/domain/ecs/arn.ts';
import type { Report, Section } from '../../../../src/domain/report.ts';
import { unreachable } from '../../../../src/domain/unreachable.ts';
import type { GroupResult, MemberOutcome, MemberResult, Node } from '../decide/group.ts';
import { NO_OUTPUTS } from '../report.ts';
import type { GroupRequest } from '../request.ts';

/** What a group did, for people and for the steps that follow. */
export function groupReport(result: GroupResult, request: GroupRequest, took: Duration): Report {
  const { outcome, members } = result;
  const good = outcome === 'succeeded' || outcome === 'unchanged';
  const headline = headlineOf(result, took);
  return {
    conclusion: good ? 'success' : 'failure',
    outcome,
    headline,
    changed: result.changed,
    outputs: { ...NO_OUTPUTS, 'service-results': JSON.stringify(Object.fromEntries(members.map(outputOf))) },
    summary: summaryOf(result, request, { headline, took }),
  };
}

const outputOf = (member: MemberResult): readonly [string, Readonly<Record<string, string>>] => [
  member.name,
  {
    outcome: member.outcome,
    'task-definition-arn': member.taskDefinition ?? '',
    'previous-task-definition-arn': member.previousTaskDefinition ?? '',
    'service-deployment-arn': member.serviceDeploymentArn ?? '',
  },
];

function headlineOf({ outcome, because, members }: GroupResult, took: Duration): string {
  const time = formatDuration(took);
  const names = (...wanted: readonly MemberOutcome[]): string =>
    members.flatMap(({ name, outcome: one }) => (wanted.includes(one) ? name : [])).join(', ');
  const why = (because ?? 'ECS says no more').replace(/[.\s]+$/, '');
  const stuck = names('rollback-failed');
  const left = stuck === '' ? '' : ` Not back: ${stuck}. Look at them in ECS: they may still run the new revision.`;
  switch (outcome) {
    case 'succeeded':
      return `${members.length} services are deployed after ${time}: ${names('succeeded')}.`;
    case 'unchanged':
      return `${members.length} services are unchanged: all of them run this release already.`;
    case 'rolled-back':
      return `The release of ${members.length} services was rolled back after ${time}: ${why}. Back: ${names('rolled-back')}.`;
    case 'failed':
    case 'superseded':
    case 'timed-out':
      return `The release of ${members.length} services failed after ${time}: ${why}.${left}${listOf('Left with it', names('succeeded'))}${listOf('Not touched', names('not-started'))}`;
    default:
      return unreachable(outcome);
  }
}

const listOf = (what: string, names: string): string => (names === '' ? '' : ` ${what}: ${names}.`);

interface Shown {
  readonly headline: string;
  readonly took: Duration;
}

function summaryOf(
  { members, diagnosis }: GroupResult,
  { cluster, members: asked }: GroupRequest,
  { headline }: Shown,
): readonly Section[] {
  const revision = (arn: string | undefined): string => (arn === undefined ? '' : revisionName(arn));
  const rows = members.map(({ name, outcome, taskDefinition, previousTaskDefinition, reason }) => [
    name,
    outcome,
    revision(taskDefinition),
    revision(previousTaskDefinition),
    reason,
  ]);
  const nodes = asked.map(({ deploy, dependsOn }) => ({ name: deploy.service, dependsOn }));
  const seen = [
    ...members.flatMap(({ name, diagnosis: lines }) => lines.map((line) => `${name}: ${line}`)),
    ...diagnosis,
  ];
  return [
    { kind: 'heading', text: `ECS: ${members.length} services in ${cluster}` },
    { kind: 'text', text: headline },
    { kind: 'table', columns: ['service', 'outcome', 'revision', 'revision before', ''], rows },
    { kind: 'mermaid', source: pictureOf(nodes, members) },
    ...(seen.length === 0 ? [] : [{ kind: 'verbatim', text: seen.join('\n') } as const]),
  ];
}

/** Who waits for whom, and how each ended. Names of services are letters, digits, - and _ alone. */
export function pictureOf(nodes: readonly Node[], members: readonly Pick<MemberResult, 'name' | 'outcome'>[]): string {
  const id = (name: string): string => `s${nodes.findIndex((node) => node.name === name)}`;
  return [
    'flowchart LR',
    ...members.map(({ name, outcome }) => `  ${id(name)}["${name.replaceAll(/[^\w:/-]/g, ' ')}<br/>${outcome}"]`),
    ...nodes.flatMap(({ name, dependsOn }) => dependsOn.map((other) => `  ${id(other)} --> ${id(name)}`)),
  ].join('\n');
}
