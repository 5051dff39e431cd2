import { clusterArn } from '../../core/arn.ts';
import { viewOf } from '../../core/core.ts';
import { isOngoing, isStoppable } from '../../core/service-deployments.ts';
import type { ServiceDeployment, ServiceDeploymentStatus, ServiceRevision, State } from '../../core/types.ts';
import { Refused } from '../refused.ts';
import { serviceIn } from './find.ts';
import { type Input, needText, numberIn, objectIn, pageOf, refuse, seconds, textIn, textsIn } from './input.ts';
import { renderBindings, renderConfiguration } from './render-service.ts';
import type { EcsContext } from './types.ts';

type Output = Readonly<Record<string, unknown>>;

const STATUSES: readonly ServiceDeploymentStatus[] = [
  'PENDING',
  'IN_PROGRESS',
  'STOP_REQUESTED',
  'STOPPED',
  'ROLLBACK_REQUESTED',
  'ROLLBACK_IN_PROGRESS',
  'ROLLBACK_SUCCESSFUL',
  'ROLLBACK_FAILED',
  'SUCCESSFUL',
];

/** Newest first. */
export function listServiceDeployments(input: Input, context: EcsContext): Output {
  const state = context.state();
  const service = serviceIn(state, input, 'service');
  const status = textsIn(input, 'status') ?? [];
  for (const one of status) {
    if (!STATUSES.some((known) => known === one)) refuse(`Invalid service deployment status: ${one}`);
  }
  const created = objectIn(input, 'createdAt') ?? {};
  const after = (numberIn(created, 'after') ?? 0) * 1_000;
  const before = (numberIn(created, 'before') ?? Number.POSITIVE_INFINITY) * 1_000;
  const matching = Object.values(state.serviceDeployments).filter(
    (one) =>
      one.serviceArn === service.arn &&
      (status.length === 0 || status.includes(one.status)) &&
      one.createdAt >= after &&
      one.createdAt <= before,
  );
  const { items, nextToken } = pageOf(matching.toReversed(), input, 20);
  return { serviceDeployments: items.map((one) => renderBrief(state, one)), nextToken };
}

function renderBrief(state: State, one: ServiceDeployment): Output {
  return {
    serviceDeploymentArn: one.arn,
    serviceArn: one.serviceArn,
    clusterArn: clusterArn(state, state.services[one.serviceArn]?.cluster ?? ''),
    startedAt: seconds(one.startedAt),
    createdAt: seconds(one.createdAt),
    finishedAt: seconds(one.finishedAt),
    targetServiceRevisionArn: one.targetRevisionArn,
    status: one.status,
    statusReason: one.statusReason,
  };
}

export function describeServiceDeployments(input: Input, context: EcsContext): Output {
  const state = context.state();
  const arns = arnsIn(input, 'serviceDeploymentArns');
  return {
    serviceDeployments: arns.flatMap((arn) => {
      const one = state.serviceDeployments[arn];
      return one === undefined ? [] : [renderServiceDeployment(state, one)];
    }),
    failures: missing(arns, state.serviceDeployments),
  };
}

function arnsIn(input: Input, member: string): readonly string[] {
  const arns = textsIn(input, member) ?? [];
  if (arns.length === 0) refuse(`${member} cannot be empty.`);
  if (arns.length > 20) refuse(`At most 20 ARNs can be given in ${member}.`);
  return arns;
}

const missing = (arns: readonly string[], known: Readonly<Record<string, unknown>>): readonly Output[] =>
  arns.filter((arn) => known[arn] === undefined).map((arn) => ({ arn, reason: 'MISSING' }));

function renderServiceDeployment(state: State, one: ServiceDeployment): Output {
  const { rollback } = one;
  return {
    ...renderBrief(state, one),
    targetServiceRevisionArn: undefined,
    stoppedAt: seconds(one.stoppedAt),
    updatedAt: seconds(one.updatedAt),
    sourceServiceRevisions: one.sourceRevisionArns.map((arn) => revisionSummary(state, one, arn)),
    targetServiceRevision: revisionSummary(state, one, one.targetRevisionArn),
    deploymentConfiguration: renderConfiguration(one.configuration),
    rollback:
      rollback === undefined
        ? undefined
        : { reason: rollback.reason, startedAt: seconds(rollback.startedAt), serviceRevisionArn: rollback.revisionArn },
    deploymentCircuitBreaker: {
      status: breakerStatus(one),
      failureCount: one.failureCount,
      threshold: one.threshold,
    },
    lifecycleStage: one.native?.stage,
    alarms: renderAlarms(one),
  };
}

function renderAlarms(one: ServiceDeployment): Output {
  const { alarms } = one.configuration;
  if (alarms === undefined) return { status: 'DISABLED' };
  const { triggeredAlarms } = one;
  const status = triggeredAlarms.length > 0 ? 'TRIGGERED' : isOngoing(one) ? 'MONITORING' : 'MONITORING_COMPLETE';
  return { status, alarmNames: alarms.names, triggeredAlarmNames: triggeredAlarms };
}

/** Percent of the traffic that a revision gets, by the strategy's own idea of it. */
function weightsOf({ native, targetRevisionArn }: ServiceDeployment, arn: string): Output {
  if (native === undefined) return {};
  const share = (candidate: number): number => (arn === targetRevisionArn ? candidate : 100 - candidate);
  return {
    requestedProductionTrafficWeight: share(native.production),
    requestedTestTrafficWeight: share(native.test),
  };
}

function breakerStatus(one: ServiceDeployment): string {
  if (!one.configuration.circuitBreaker.enable) return 'DISABLED';
  if (one.failureCount >= one.threshold) return 'TRIGGERED';
  return isOngoing(one) ? 'MONITORING' : 'MONITORING_COMPLETE';
}

/** The counts of now, of all deployments of the revision; zero once it is gone from the service. */
function revisionSummary(state: State, one: ServiceDeployment, arn: string): Output {
  const service = state.services[one.serviceArn];
  const deployments = service === undefined ? [] : viewOf(state, service).deployments;
  const own = deployments.filter(({ revisionArn }) => revisionArn === arn);
  const total = (count: 'desired' | 'running' | 'pending') => own.reduce((sum, entry) => sum + entry[count], 0);
  return {
    arn,
    requestedTaskCount: total('desired'),
    runningTaskCount: total('running'),
    pendingTaskCount: total('pending'),
    ...weightsOf(one, arn),
  };
}

export function stopServiceDeployment(input: Input, context: EcsContext): Output {
  const arn = needText(input, 'serviceDeploymentArn', 'serviceDeploymentArn cannot be empty.');
  const stopType = textIn(input, 'stopType') ?? 'ROLLBACK';
  // The enum has ABORT too, but the service names ROLLBACK as the only valid value.
  if (stopType !== 'ROLLBACK') refuse(`Invalid stopType: ${stopType}. The valid values are ROLLBACK.`);
  const one = context.state().serviceDeployments[arn];
  if (one === undefined) throw new Refused('ServiceDeploymentNotFoundException', 'Service deployment not found.');
  if (!isOngoing(one) || (one.native !== undefined && !isStoppable(one))) {
    const stage = one.native === undefined ? '' : ` and its lifecycle stage ${one.native.stage}`;
    const message = `The service deployment cannot be stopped: its status is ${one.status}${stage}.`;
    throw new Refused('ConflictException', message);
  }
  context.apply({ kind: 'service-deployment-stop-requested', serviceDeploymentArn: arn });
  return { serviceDeploymentArn: arn };
}

export function describeServiceRevisions(input: Input, context: EcsContext): Output {
  const state = context.state();
  const arns = arnsIn(input, 'serviceRevisionArns');
  return {
    serviceRevisions: arns.flatMap((arn) => {
      const revision = state.revisions[arn];
      return revision === undefined ? [] : [renderRevision(state, revision)];
    }),
    failures: missing(arns, state.revisions),
  };
}

function renderRevision(state: State, revision: ServiceRevision): Output {
  return {
    serviceRevisionArn: revision.arn,
    serviceArn: revision.serviceArn,
    clusterArn: clusterArn(state, state.services[revision.serviceArn]?.cluster ?? ''),
    taskDefinition: revision.template.taskDefinitionArn,
    launchType: revision.settings['launchType'] ?? 'FARGATE',
    capacityProviderStrategy: revision.settings['capacityProviderStrategy'],
    platformVersion: '1.4.0',
    platformFamily: 'Linux',
    loadBalancers: renderBindings(revision.loadBalancers),
    resolvedConfiguration: {
      loadBalancers: revision.loadBalancers.map(({ targetGroupArn, swap }) => ({
        targetGroupArn,
        productionListenerRule: swap?.productionListenerRule,
      })),
    },
    networkConfiguration: revision.settings['networkConfiguration'],
    serviceRegistries: revision.settings['serviceRegistries'],
    volumeConfigurations: revision.settings['volumeConfigurations'],
    containerImages: revision.template.containers.map(({ name, image }) => ({
      containerName: name,
      image,
      imageDigest: image.split('@')[1],
    })),
    guardDutyEnabled: false,
    createdAt: seconds(revision.createdAt),
  };
}
