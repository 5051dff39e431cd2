import { serviceArn } from '../../core/arn.ts';
import { viewOf } from '../../core/core.ts';
import type { Service, ServiceSpec, ServiceView, State, TaskTemplate } from '../../core/types.ts';
import { Refused } from '../refused.ts';
import { activeServiceIn, clusterIn, serviceArnOf } from './find.ts';
import { flagIn, type Input, objectIn, pageOf, picked, refuse, tagsIn, textIn, textsIn } from './input.ts';
import { checkLaunch, checkTagSettings, checkVolumes, launchTypeOf } from './launch.ts';
import { renderService } from './render-service.ts';
import {
  checkBindings,
  checkStrategy,
  configurationIn,
  desiredCountIn,
  gracePeriodIn,
  loadBalancersIn,
  notModelled,
  USUAL_CONFIGURATION,
} from './service-spec.ts';
import { findTaskDefinition, type FoundTaskDefinition } from './task-definition.ts';
import type { EcsContext } from './types.ts';

/** Members that are kept and shown; a change of one starts a deployment (SDK documentation of UpdateService). */
const DEPLOYED_SETTINGS = [
  'networkConfiguration',
  'platformVersion',
  'serviceRegistries',
  'serviceConnectConfiguration',
  'volumeConfigurations',
  'vpcLatticeConfigurations',
] as const;
/** A change of these does not. */
const OTHER_SETTINGS = [
  'launchType',
  'capacityProviderStrategy',
  'enableECSManagedTags',
  'propagateTags',
  'enableExecuteCommand',
  'availabilityZoneRebalancing',
  'placementConstraints',
  'placementStrategy',
] as const;
const SETTINGS = [...DEPLOYED_SETTINGS, ...OTHER_SETTINGS];

type Output = Readonly<Record<string, unknown>>;

export async function createService(input: Input, context: EcsContext): Promise<Output> {
  const cluster = clusterIn(context.state(), input);
  const name = textIn(input, 'serviceName') ?? '';
  if (!/^[\w-]{1,255}$/.test(name))
    refuse('Service name must have between 1 and 255 letters, numbers, hyphens, underscores.');
  refuseKinds(input);
  const ref = textIn(input, 'taskDefinition') ?? refuseTaskDefinition();
  const definition = await findTaskDefinition(context, ref);
  // From here on without waiting: what is checked is what the event changes.
  const state = context.state();
  refuseDuplicate(state.services[serviceArn(state, cluster.name, name)]);
  checkDefinition(definition, input);
  const loadBalancers = loadBalancersIn(input) ?? [];
  checkBindings(state, loadBalancers, definition.template);
  const configuration = configurationIn(input, USUAL_CONFIGURATION);
  checkStrategy(state, configuration, loadBalancers);
  const spec: ServiceSpec = {
    desiredCount: desiredCountIn(input) ?? refuse('desiredCount is required for the scheduling strategy REPLICA.'),
    template: definition.template,
    configuration,
    healthCheckGracePeriod: gracePeriodIn(input, loadBalancers) ?? 0,
    loadBalancers,
    settings: { ...launchTypeOf(input), ...picked(input, SETTINGS) },
  };
  const after = context.apply({ kind: 'service-created', cluster: cluster.name, name, spec, tags: tagsIn(input) });
  return answer(after, serviceArn(after, cluster.name, name));
}

function refuseDuplicate(existing: Service | undefined): void {
  if (existing?.status === 'DRAINING') refuse('Unable to Start a service that is still Draining.');
  if (existing?.status === 'ACTIVE') refuse('Creation of service was not idempotent.');
}

function refuseTaskDefinition(): never {
  throw new Refused('ClientException', 'TaskDefinition can not be blank.');
}

function refuseKinds(input: Input): void {
  const controller = objectIn(input, 'deploymentController')?.['type'] ?? 'ECS';
  if (controller !== 'ECS') notModelled(`the deployment controller ${String(controller)}`);
  const scheduling = textIn(input, 'schedulingStrategy') ?? 'REPLICA';
  if (scheduling !== 'REPLICA') notModelled(`the scheduling strategy ${scheduling}`);
  checkLaunch(input);
  checkTagSettings(input, 'service');
}

function checkDefinition({ status, networkMode, launchVolumes }: FoundTaskDefinition, settings: Input): void {
  if (status !== 'ACTIVE') throw new Refused('ClientException', 'TaskDefinition is inactive');
  checkNetwork(networkMode, settings);
  checkVolumes(settings, launchVolumes);
}

export function checkNetwork(networkMode: string | undefined, settings: Input): void {
  if (networkMode === 'awsvpc' && settings['networkConfiguration'] === undefined) {
    refuse("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  }
}

export async function updateService(input: Input, context: EcsContext): Promise<Output> {
  const { arn } = activeServiceIn(context.state(), input, 'service');
  if (input['deploymentController'] !== undefined) notModelled('a change of the deployment controller');
  checkTagSettings(input, 'service');
  const ref = textIn(input, 'taskDefinition');
  const runs = currentTemplate(context.state(), arn);
  const definition = mayDeploy(input) ? await findTaskDefinition(context, ref ?? runs.taskDefinitionArn) : undefined;
  const service = activeServiceIn(context.state(), input, 'service');
  const settings = { ...service.settings, ...picked(input, SETTINGS) };
  const template = definition?.template ?? runs;
  const loadBalancers = loadBalancersIn(input) ?? service.loadBalancers;
  const same = template.taskDefinitionArn === runs.taskDefinitionArn ? 'same-definition' : 'new-definition';
  const deploys = startsDeployment(input, { service, settings, loadBalancers, same });
  if (definition !== undefined) checkDefinition(definition, settings);
  if (deploys === 'new-deployment') checkBindings(context.state(), loadBalancers, template);
  const configuration = configurationIn(input, service.configuration);
  if (deploys === 'new-deployment') checkStrategy(context.state(), configuration, loadBalancers);
  const spec: ServiceSpec = {
    desiredCount: desiredCountIn(input) ?? service.desiredCount,
    template,
    configuration,
    healthCheckGracePeriod: gracePeriodIn(input, loadBalancers) ?? service.healthCheckGracePeriod,
    loadBalancers,
    settings,
  };
  return answer(context.apply({ kind: 'service-updated', serviceArn: arn, spec, deploys }), arn);
}

const mayDeploy = (input: Input): boolean =>
  ['taskDefinition', 'forceNewDeployment', 'loadBalancers', ...DEPLOYED_SETTINGS].some(
    (name) => input[name] !== undefined,
  );

/** Of the PRIMARY deployment; an active service always has one. */
function currentTemplate(state: State, arn: string): TaskTemplate {
  const primary = state.services[arn]?.deployments[0];
  const template = state.revisions[primary?.revisionArn ?? '']?.template;
  if (template === undefined) throw new Error(`${arn} has no revision`);
  return template;
}

interface Update {
  readonly service: Service;
  readonly settings: Input;
  readonly loadBalancers: Service['loadBalancers'];
  /** As the PRIMARY deployment's. */
  readonly same: 'same-definition' | 'new-definition';
}

/** The desired count, the percentages, the grace period and tag settings change the deployment that is there. */
function startsDeployment(input: Input, update: Update): 'new-deployment' | 'same-deployment' {
  const { service, settings, loadBalancers } = update;
  const differs = (a: unknown, b: unknown): boolean => JSON.stringify(a) !== JSON.stringify(b);
  const deploys =
    flagIn(input, 'forceNewDeployment') === true ||
    update.same === 'new-definition' ||
    differs(service.loadBalancers, loadBalancers) ||
    DEPLOYED_SETTINGS.some((name) => differs(service.settings[name], settings[name]));
  return deploys ? 'new-deployment' : 'same-deployment';
}

export function deleteService(input: Input, context: EcsContext): Output {
  const service = activeServiceIn(context.state(), input, 'service');
  if (service.desiredCount > 0 && flagIn(input, 'force') !== true) {
    refuse('The service cannot be stopped while it is scaled above 0.');
  }
  return answer(context.apply({ kind: 'service-deleted', serviceArn: service.arn }), service.arn);
}

function answer(state: State, arn: string): Output {
  const service = state.services[arn];
  return service === undefined ? {} : { service: renderService(state, viewOf(state, service), 'with-tags') };
}

export function describeServices(input: Input, context: EcsContext): Output {
  const state = context.state();
  const cluster = clusterIn(state, input);
  const asked = textsIn(input, 'services') ?? [];
  if (asked.length === 0) refuse('Services cannot be empty.');
  if (asked.length > 10) refuse('At most 10 services can be described in one call.');
  const tags = textsIn(input, 'include')?.includes('TAGS') === true ? 'with-tags' : 'without-tags';
  const found = asked.map((one) => {
    const arn = serviceArnOf(state, cluster, one);
    return { arn, service: state.services[arn] };
  });
  if (state.staleReads > 0) context.apply({ kind: 'stale-read-answered' });
  return {
    services: found.flatMap(({ service }) =>
      service === undefined ? [] : [renderService(state, shownView(state, service), tags)],
    ),
    failures: found.flatMap(({ arn, service }) => (service === undefined ? [{ arn, reason: 'MISSING' }] : [])),
  };
}

/** While reads are stale: the service as it was before its last UpdateService. */
const shownView = (state: State, service: Service): ServiceView =>
  (state.staleReads > 0 ? service.beforeUpdate : undefined) ?? viewOf(state, service);

export function listServices(input: Input, context: EcsContext): Output {
  const state = context.state();
  const cluster = clusterIn(state, input);
  const launchType = textIn(input, 'launchType');
  const scheduling = textIn(input, 'schedulingStrategy') ?? 'REPLICA';
  const services = Object.values(state.services).filter(
    (service) =>
      service.cluster === cluster.name &&
      service.status !== 'INACTIVE' &&
      scheduling === 'REPLICA' &&
      (launchType === undefined || service.settings['launchType'] === launchType),
  );
  const { items, nextToken } = pageOf(services, input, 10);
  return { serviceArns: items.map(({ arn }) => arn), nextToken };
}
