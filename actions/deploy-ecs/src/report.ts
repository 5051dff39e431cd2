import { counted } from '../../../src/domain/counted.ts';
import { type Duration, formatDuration } from '../../../src/domain/duration.ts';
import { revisionName } from '../../../src/domain/ecs/arn.ts';
import type { RolloutOutcome, RolloutResult } from '../../../src/domain/ecs/result.ts';
import type { EcsServiceRef } from '../../../src/domain/ecs/service.ts';
import type { Report, Section } from '../../../src/domain/report.ts';
import { unreachable } from '../../../src/domain/unreachable.ts';
import { type ServiceStatus, describeStatus, rollbackTarget } from '../../../src/domain/ecs/status.ts';
import type { FamilyCleanUp, Plan } from './decide.ts';
import type { CleanUpRequest, DeployRequest, Request, RollbackRequest, ScaleToRequest } from './inputs.ts';

type Changing = DeployRequest | RollbackRequest | ScaleToRequest;

/** Every output is written in every mode, so that none is left over from an earlier step of the same id. */
export const NO_OUTPUTS = {
  'task-definition-arn': '',
  'previous-task-definition-arn': '',
  'service-deployment-arn': '',
  'service-results': '',
  url: '',
  'running-count': '',
  'desired-count': '',
} as const;

export function reportOf(result: RolloutResult, request: Changing, took: Duration): Report {
  const { outcome, taskDefinition, previousTaskDefinition, serviceDeploymentArn } = result;
  const good =
    outcome === 'succeeded' || outcome === 'unchanged' || (outcome === 'rolled-back' && request.mode === 'rollback');
  const headline = HEADLINES[request.mode](result, request, took);
  const next = result.now ?? nextOf(outcome, request);
  return {
    conclusion: good ? 'success' : 'failure',
    outcome,
    headline: next === undefined ? headline : `${headline} ${next}`,
    changed: result.changed,
    outputs: {
      ...NO_OUTPUTS,
      'task-definition-arn': taskDefinition,
      'previous-task-definition-arn': previousTaskDefinition ?? '',
      'service-deployment-arn': serviceDeploymentArn ?? '',
    },
    summary: summaryOf(result, request, { headline: next === undefined ? headline : `${headline} ${next}`, took }),
  };
}

type Headline = (result: RolloutResult, request: Changing, took: Duration) => string;

const clause = (text: string): string => text.replace(/[.\s]+$/, '');

const headlineOfDeploy: Headline = ({ outcome, reason: told, taskDefinition }, { service }, took) => {
  const name = revisionName(taskDefinition);
  const time = formatDuration(took);
  // A post step meets an end that came before it.
  const later = took < 1_000 ? '' : ` after ${time}`;
  const reason = clause(told);
  switch (outcome) {
    case 'succeeded':
      return `${service} runs ${name}${later}: ${reason}.`;
    case 'unchanged':
      return `${service} is unchanged: ${reason}.`;
    case 'rolled-back':
      return `${service} rolled back from ${name}${later}: ${reason}.`;
    case 'failed':
      return `${service} failed to deploy ${name}${later}: ${reason}.`;
    case 'superseded':
      return `${service} was taken over before the release of ${name} was over: ${reason}.`;
    case 'timed-out':
      return `${service} did not come to an end with ${name} in ${time}: ${reason}.`;
    default:
      return unreachable(outcome);
  }
};

const headlineOfRollback: Headline = ({ outcome, reason: told, taskDefinition }, { service }, took) => {
  const name = revisionName(taskDefinition);
  const time = formatDuration(took);
  const reason = clause(told);
  switch (outcome) {
    case 'rolled-back':
      return `${service} runs ${name} again after ${time}: ${reason}.`;
    case 'unchanged':
      return `${service} is unchanged: ${reason}.`;
    case 'succeeded':
    case 'failed':
      return `${service} could not be rolled back to ${name} after ${time}: ${reason}.`;
    case 'superseded':
      return `${service} was taken over on the way back to ${name}: ${reason}.`;
    case 'timed-out':
      return `${service} did not come back to ${name} in ${time}: ${reason}.`;
    default:
      return unreachable(outcome);
  }
};

const headlineOfScale: Headline = ({ outcome, reason: told }, { service }, took) => {
  const reason = clause(told);
  switch (outcome) {
    case 'succeeded':
      return `${service} is scaled after ${formatDuration(took)}: ${reason}.`;
    case 'unchanged':
      return `${service} is unchanged: ${reason}.`;
    case 'superseded':
      return `${service} was scaled by somebody else: ${reason}.`;
    case 'timed-out':
    case 'failed':
    case 'rolled-back':
      return `${service} is not scaled after ${formatDuration(took)}: ${reason}.`;
    default:
      return unreachable(outcome);
  }
};

const HEADLINES = { deploy: headlineOfDeploy, rollback: headlineOfRollback, scale: headlineOfScale } as const;

/** What is true now and what to do, where the headline alone leaves it open. */
function nextOf(outcome: RolloutOutcome, request: Changing): string | undefined {
  const { cluster, service, mode } = request;
  const look = `Look at service ${service} in cluster ${cluster}`;
  switch (outcome) {
    case 'succeeded':
    case 'unchanged':
    case 'rolled-back':
      return undefined;
    case 'failed':
      return mode === 'deploy' && request.onFailure === 'leave'
        ? 'It was left as it is (on-failure: leave).'
        : `${look}: ECS may still be trying.`;
    case 'superseded':
      return mode === 'scale'
        ? 'The count was left as they set it.'
        : `Nothing of the other deployment was touched; re-run to ${mode === 'deploy' ? 'deploy this image again' : 'go back all the same'}.`;
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

function summaryOf(result: RolloutResult, request: Changing, { headline, took }: Shown): readonly Section[] {
  const { previousTaskDefinition } = result;
  const before = previousTaskDefinition === undefined ? 'none' : revisionName(previousTaskDefinition);
  const rows = [
    ['service', `${request.cluster}/${request.service}`],
    ...(request.mode === 'deploy' && request.image !== undefined ? [['image', request.image]] : []),
    ['revision', revisionName(result.taskDefinition)],
    ...(request.mode === 'scale' ? [] : [['revision before', before]]),
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
  const service = request.mode === 'deploy-group' ? `${request.members.length} services` : request.service;
  const refused = plan.verdict === 'would-be-refused';
  return {
    conclusion: refused ? 'failure' : 'success',
    outcome: 'planned',
    headline: `${service}: would ${refused ? 'be refused' : plan.start}; nothing was changed.`,
    changed: false,
    outputs: NO_OUTPUTS,
    summary: [
      { kind: 'heading', text: `ECS: plan for ${service}` },
      { kind: 'verbatim', text: plan.lines.join('\n') },
    ],
  };
}

/** What is live, for people (`lines`) and for steps that follow (outputs). */
export function statusReport(status: ServiceStatus): Report & { readonly lines: readonly string[] } {
  const { service } = status;
  const lines = describeStatus(status);
  return {
    conclusion: 'success',
    outcome: 'status',
    headline: `${lines[0]}.`,
    changed: false,
    lines,
    outputs: {
      ...NO_OUTPUTS,
      'task-definition-arn': service.taskDefinition,
      'previous-task-definition-arn': rollbackTarget(status) ?? '',
      'service-deployment-arn': service.currentServiceDeployment ?? '',
      'running-count': String(service.running),
      'desired-count': String(service.desired),
    },
    summary: [
      { kind: 'heading', text: `ECS: ${service.ref.service}` },
      { kind: 'verbatim', text: lines.join('\n') },
    ],
  };
}

interface CleanedUp extends FamilyCleanUp {
  readonly taskDefinition: string;
  readonly deregistered: readonly string[];
}

export function cleanUpReport(result: CleanedUp, { keep }: CleanUpRequest): Report {
  const { family, active, deregistered, spared, taskDefinition } = result;
  const names = (arns: readonly string[]): string => arns.map(revisionName).join(', ');
  const left = active - deregistered.length;
  const headline =
    deregistered.length === 0
      ? `${family} keeps its ${counted(active, 'revision')}: none is older than the newest ${keep} and free.`
      : `${deregistered.length} of ${active} revisions of ${family} were deregistered, ${left} stay.`;
  const rows = [
    ...(deregistered.length === 0 ? [] : [['deregistered', names(deregistered)]]),
    ...spared.map(({ arn, why }) => ['kept', `${revisionName(arn)}: ${why}`]),
  ];
  return {
    conclusion: 'success',
    outcome: deregistered.length === 0 ? 'unchanged' : 'succeeded',
    headline,
    changed: deregistered.length > 0,
    outputs: { ...NO_OUTPUTS, 'task-definition-arn': taskDefinition },
    summary: [
      { kind: 'heading', text: `ECS: revisions of ${family}` },
      { kind: 'text', text: headline },
      ...(rows.length === 0 ? [] : [{ kind: 'table', columns: ['', ''], rows } as const]),
    ],
  };
}

interface Moving {
  readonly ref: EcsServiceRef;
  readonly taskDefinition: string;
}

/** Of a cancelled run that leaves its deployments: what goes on. */
export const leftMoving = (moving: readonly Moving[]): string =>
  `${moving.map(({ ref, taskDefinition }) => `The deployment of ${revisionName(taskDefinition)} to ${ref.service}`).join(' and ')} goes on, watched by nobody (on-cancel: leave); the next run follows it.`;

/** What a cancelled run of the other modes leaves as it is. */
export function leftBy(request: Request): string | undefined {
  switch (request.mode) {
    case 'scale':
      return `The desired count of ${request.service} was set to ${request.desired}, or was about to be; it stays so, and nobody waits for its tasks.`;
    case 'rollback':
      return `A way back of ${request.service} that was begun goes on, watched by nobody; the next run follows it.`;
    case 'cleanup':
      return 'Revisions that were deregistered stay so; the next run goes on with the others.';
    default:
      return undefined;
  }
}
