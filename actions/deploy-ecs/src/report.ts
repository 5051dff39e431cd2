import { type Duration, formatDuration } from '../../../src/domain/duration.ts';
import { revisionName } from '../../../src/domain/ecs/arn.ts';
import type { RolloutOutcome, RolloutResult } from '../../../src/domain/ecs/result.ts';
import type { Report, Section } from '../../../src/domain/report.ts';
import { unreachable } from '../../../src/domain/unreachable.ts';
import type { Plan } from './decide.ts';
import type { Request } from './inputs.ts';

export function reportOf(result: RolloutResult, request: Request, took: Duration): Report {
  const { outcome, taskDefinition, previousTaskDefinition, serviceDeploymentArn } = result;
  const good = outcome === 'succeeded' || outcome === 'unchanged';
  const headline = headlineOf(result, request, took);
  const next = nextOf(outcome, request);
  return {
    conclusion: good ? 'success' : 'failure',
    outcome,
    headline: next === undefined ? headline : `${headline} ${next}`,
    changed: result.changed,
    outputs: {
      'task-definition-arn': taskDefinition,
      'previous-task-definition-arn': previousTaskDefinition ?? '',
      'service-deployment-arn': serviceDeploymentArn ?? '',
    },
    summary: summaryOf(result, request, { headline, took }),
  };
}

function headlineOf(
  { outcome, reason: told, taskDefinition }: RolloutResult,
  { service }: Request,
  took: Duration,
): string {
  const name = revisionName(taskDefinition);
  const time = formatDuration(took);
  const reason = told.replace(/[.\s]+$/, '');
  switch (outcome) {
    case 'succeeded':
      return `${service} runs ${name} after ${time}: ${reason}.`;
    case 'unchanged':
      return `${service} is unchanged: ${reason}.`;
    case 'rolled-back':
      return `${service} rolled back from ${name} after ${time}: ${reason}.`;
    case 'failed':
      return `${service} failed to deploy ${name} after ${time}: ${reason}.`;
    case 'superseded':
      return `${service} was not left to ${name}: ${reason}.`;
    case 'timed-out':
      return `${service} did not come to an end with ${name} in ${time}: ${reason}.`;
    default:
      return unreachable(outcome);
  }
}

/** What is true now and what to do, where the headline alone leaves it open. */
function nextOf(outcome: RolloutOutcome, { cluster, service, onFailure }: Request): string | undefined {
  const look = `Look at service ${service} in cluster ${cluster}`;
  switch (outcome) {
    case 'succeeded':
    case 'unchanged':
    case 'rolled-back':
      return undefined;
    case 'failed':
      return onFailure === 'leave' ? 'It was left as it is (on-failure: leave).' : `${look}: ECS may still be trying.`;
    case 'superseded':
      return 'Nothing of the other deployment was touched; re-run to deploy this image again.';
    case 'timed-out':
      return `${look}: ECS may still be working on it.`;
    default:
      return unreachable(outcome);
  }
}

interface Shown {
  readonly headline: string;
  readonly took: Duration;
}

function summaryOf(result: RolloutResult, request: Request, { headline, took }: Shown): readonly Section[] {
  const rows = [
    ['service', `${request.cluster}/${request.service}`],
    ['image', request.image],
    ['revision', revisionName(result.taskDefinition)],
    [
      'revision before',
      result.previousTaskDefinition === undefined ? 'none' : revisionName(result.previousTaskDefinition),
    ],
    ['outcome', result.outcome],
    ['time', formatDuration(took)],
  ];
  return [
    { kind: 'heading', text: `ECS: ${request.service}` },
    { kind: 'text', text: headline },
    { kind: 'table', columns: ['', ''], rows },
    ...(result.diagnosis.length === 0 ? [] : [{ kind: 'verbatim', text: result.diagnosis.join('\n') } as const]),
  ];
}

export function planReport(plan: Plan, request: Request): Report {
  const refused =
    plan.start === 'refuse' || (plan.start === 'conflict' && plan.lines.some((line) => line.startsWith('Refuse')));
  return {
    conclusion: refused ? 'failure' : 'success',
    outcome: 'planned',
    headline: `${request.service}: would ${refused ? 'be refused' : plan.start}; nothing was changed.`,
    changed: false,
    outputs: { 'task-definition-arn': '', 'previous-task-definition-arn': '', 'service-deployment-arn': '' },
    summary: [
      { kind: 'heading', text: `ECS: plan for ${request.service}` },
      { kind: 'verbatim', text: plan.lines.join('\n') },
    ],
  };
}
