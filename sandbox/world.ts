import { setTimeout as realSleep } from 'node:timers/promises';
import {
  type ContainerDefinition,
  CreateClusterCommand,
  CreateServiceCommand,
  type DeploymentConfiguration,
  type LoadBalancer,
  DescribeServicesCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  type ServiceVolumeConfiguration,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { World } from './cloud.ts';
import { type FrontSpec, type Group, loadBalancer, targetGroup } from './stack-front.ts';

export type Color = 'blue' | 'green';

export interface StackSpec {
  /** Default: that of the world. */
  readonly region?: string;
  /** `production`: names are `<stage>-<system>-cluster`, `-service`, `-alb`, `-tg`, or with colors `-blue-service`, `-blue`. */
  readonly stage: string;
  /** Default `wesign-charts`. */
  readonly system?: string;
  /** Two services and two target groups behind one rule, all traffic on blue, green at 0 tasks. */
  readonly colors?: true;
  /** Names that are not made by the pattern; services and target groups in the order blue, green. */
  readonly names?: {
    readonly cluster: string;
    readonly services: readonly string[];
    readonly targetGroups: readonly string[];
    readonly loadBalancer: string;
  };
  /** With colors: a request with this header and the color's name goes to that color, whatever the weights. */
  readonly colorHeader?: string;
  readonly desired: number;
  /** Whole reference, published before. */
  readonly image: string;
  /** Default `web`. */
  readonly container?: string;
  /** Default 80. */
  readonly containerPort?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** More of the container: secrets, logs, a health check. */
  readonly containerSettings?: Partial<ContainerDefinition>;
  /** A volume of the task definition that is configured at launch, and what the service configures. */
  readonly volume?: ServiceVolumeConfiguration;
  /** Default `/health`. */
  readonly healthPath?: string;
  /** Faster than the service allows, so that a rehearsal can be watched. Default 500 in real time; in lock-step 10 s as told to the API. */
  readonly healthIntervalMs?: number;
  /** Default 2. */
  readonly drainSeconds?: number;
  /** Default HTTP on 80. An HTTPS listener gets a certificate's name; the real socket is plain HTTP. */
  readonly listener?: { readonly port: number; readonly protocol: 'HTTP' | 'HTTPS' };
  /** Where the traffic is decided: an own rule (the default), or the listener's default action. */
  readonly route?: 'rule' | 'default-action';
  /** Default: on, with rollback. */
  readonly circuitBreaker?: { readonly enable: boolean; readonly rollback: boolean };
  /** ECS moves the traffic of the one service itself, between two target groups: the members of `deploymentConfiguration` that say how. */
  readonly native?: Pick<
    DeploymentConfiguration,
    'strategy' | 'bakeTimeInMinutes' | 'linearConfiguration' | 'canaryConfiguration'
  >;
  /** CloudWatch alarms that judge deployments, with roll back. */
  readonly alarms?: readonly string[];
}

export interface StackService {
  readonly name: string;
  readonly arn: string;
  readonly targetGroupName: string;
  readonly targetGroupArn: string;
}

export interface Stack {
  readonly cluster: string;
  readonly family: string;
  readonly taskDefinitionArn: string;
  readonly loadBalancerName: string;
  readonly loadBalancerArn: string;
  readonly dnsName: string;
  readonly listenerArn: string;
  /** The rule that carries the traffic (the default rule with `route: 'default-action'`). */
  readonly ruleArn: string;
  /** Where the listener really listens. */
  readonly url: string;
  /** `service`, or `blue` and `green`. */
  readonly services: Readonly<Record<string, StackService>>;
}

interface Clients {
  readonly ecs: ECSClient;
  readonly elb: ElasticLoadBalancingV2Client;
}

/** A whole stage over the real API: cluster, load balancer, listener, rule, target groups and services, steady at the end. */
export async function stack(world: World, spec: StackSpec): Promise<Stack> {
  const clients: Clients = {
    ecs: new ECSClient(world.client(regionOf(spec))),
    elb: new ElasticLoadBalancingV2Client(world.client(regionOf(spec))),
  };
  try {
    return await build(world, spec, clients);
  } finally {
    clients.ecs.destroy();
    clients.elb.destroy();
  }
}

const regionOf = ({ region }: StackSpec): { readonly region?: string } => (region === undefined ? {} : { region });

async function build(world: World, spec: StackSpec, clients: Clients): Promise<Stack> {
  const names: readonly string[] = spec.colors === undefined ? ['service'] : ['blue', 'green'];
  const chosen = spec.names ?? namesOf(spec, names);
  const network = await world.network(spec.region);
  const groups: Group[] = [];
  for (const name of chosen.targetGroups) {
    groups.push(await targetGroup(clients.elb, { name, vpc: network.vpc, spec, clock: world.clock }));
  }
  const front = await loadBalancer(world, clients.elb, { name: chosen.loadBalancer, spec, groups, network });
  const { cluster } = chosen;
  await clients.ecs.send(new CreateClusterCommand({ clusterName: cluster }));
  const family = `${(chosen.services[0] ?? spec.stage).replace(/(-blue)?-service$/, '')}-task`;
  const taskDefinitionArn = await taskDefinition(clients.ecs, family, spec);
  const services: Record<string, StackService> = {};
  for (const [index, name] of names.entries()) {
    const group = groups[index] as Group;
    const desired = name === 'green' ? 0 : spec.desired;
    services[name] = await service(clients.ecs, {
      name,
      serviceName: chosen.services[index] ?? name,
      cluster,
      taskDefinitionArn,
      desired,
      group,
      swap: { alternate: groups[1], rule: front.ruleArn },
      network,
      spec,
    });
  }
  const stacked: Stack = { cluster, family, taskDefinitionArn, ...front, services };
  await steady(world, clients.ecs, stacked);
  if (spec.native !== undefined || spec.alarms !== undefined) await judgeLater(clients.ecs, stacked, spec);
  return stacked;
}

function namesOf(spec: StackSpec, names: readonly string[]): NonNullable<StackSpec['names']> {
  const base = `${spec.stage}-${spec.system ?? 'wesign-charts'}`;
  return {
    cluster: `${base}-cluster`,
    loadBalancer: `${base}-alb`,
    services: names.map((name) => (name === 'service' ? `${base}-service` : `${base}-${name}-service`)),
    targetGroups: [
      ...names.map((name) => (name === 'service' ? `${base}-tg` : `${base}-${name}`)),
      ...(spec.native === undefined ? [] : [`${base}-tg-2`]),
    ],
  };
}

async function taskDefinition(ecs: ECSClient, family: string, spec: StackSpec): Promise<string> {
  const registered = await ecs.send(
    new RegisterTaskDefinitionCommand({
      family,
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      cpu: '256',
      memory: '512',
      ...(spec.volume === undefined ? {} : { volumes: [{ name: spec.volume.name, configuredAtLaunch: true }] }),
      containerDefinitions: [
        {
          name: spec.container ?? 'web',
          image: spec.image,
          essential: true,
          portMappings: [{ containerPort: spec.containerPort ?? 80 }],
          environment: Object.entries(spec.environment ?? {}).map(([name, value]) => ({ name, value })),
          ...spec.containerSettings,
        },
      ],
    }),
  );
  return registered.taskDefinition?.taskDefinitionArn ?? '';
}

interface ServiceSpec extends Pick<FrontSpec, 'network' | 'spec'> {
  readonly name: string;
  readonly serviceName: string;
  readonly cluster: string;
  readonly taskDefinitionArn: string;
  readonly desired: number;
  readonly group: Group;
  readonly swap: { readonly alternate: Group | undefined; readonly rule: string };
}

/** The first deployment is over in no time; the pauses are for those that follow. This update starts none. */
async function judgeLater(ecs: ECSClient, { cluster, services }: Stack, { native, alarms }: StackSpec): Promise<void> {
  const watched = alarms === undefined ? {} : { alarms: { alarmNames: [...alarms], enable: true, rollback: true } };
  const deploymentConfiguration = { ...native, ...watched };
  await ecs.send(new UpdateServiceCommand({ cluster, service: services['service']?.name, deploymentConfiguration }));
}

const advanced = (
  { alternate, rule }: ServiceSpec['swap'],
  { native }: StackSpec,
): Pick<LoadBalancer, 'advancedConfiguration'> =>
  native === undefined
    ? {}
    : {
        advancedConfiguration: {
          alternateTargetGroupArn: alternate?.arn,
          productionListenerRule: rule,
          roleArn: 'arn:aws:iam::123456789012:role/ecs-moves-traffic',
        },
      };

async function service(ecs: ECSClient, wanted: ServiceSpec): Promise<StackService> {
  const { name, serviceName, cluster, taskDefinitionArn, desired, group, swap, network, spec } = wanted;
  const made = await ecs.send(
    new CreateServiceCommand({
      cluster,
      serviceName,
      taskDefinition: taskDefinitionArn,
      desiredCount: desired,
      launchType: 'FARGATE',
      ...(spec.volume === undefined ? {} : { volumeConfigurations: [spec.volume] }),
      networkConfiguration: {
        awsvpcConfiguration: { subnets: network.subnets.slice(0, 2), securityGroups: [network.securityGroup] },
      },
      loadBalancers: [
        {
          targetGroupArn: group.arn,
          containerName: spec.container ?? 'web',
          containerPort: spec.containerPort ?? 80,
          ...advanced(swap, spec),
        },
      ],
      deploymentConfiguration: {
        minimumHealthyPercent: 100,
        maximumPercent: 200,
        deploymentCircuitBreaker: spec.circuitBreaker ?? { enable: true, rollback: true },
        ...(spec.native === undefined ? {} : { strategy: 'BLUE_GREEN', bakeTimeInMinutes: 0 }),
      },
      ...(name === 'service' ? {} : { tags: [{ key: 'DeploymentColor', value: name }] }),
    }),
  );
  return {
    name: serviceName,
    arn: made.service?.serviceArn ?? '',
    targetGroupName: group.name,
    targetGroupArn: group.arn,
  };
}

const STEADY_WITHIN = 60_000;

/** Waits until every service runs what it should; in lock-step by moving time. */
async function steady(
  world: World,
  ecs: ECSClient,
  { cluster, services }: Pick<Stack, 'cluster' | 'services'>,
): Promise<void> {
  const names = Object.values(services).map(({ name }) => name);
  const until = world.now() + STEADY_WITHIN;
  for (;;) {
    const { services: described = [] } = await ecs.send(new DescribeServicesCommand({ cluster, services: names }));
    const waiting = described.filter(
      ({ deployments = [], runningCount, desiredCount, events = [] }) =>
        runningCount !== desiredCount ||
        // ECS tells no rollout state of a native strategy.
        (deployments.some(({ rolloutState }) => rolloutState !== 'COMPLETED') &&
          !events.some(({ message }) => message?.endsWith('deployment completed.'))),
    );
    if (waiting.length === 0) return;
    if (world.now() > until) {
      const said = waiting.flatMap(
        ({ serviceName, events }) => `${serviceName}: ${events?.[0]?.message ?? 'no event'}`,
      );
      throw new Error(`the stack did not become steady in ${STEADY_WITHIN / 1_000} s. ${said.join(' ')}`);
    }
    await pause(world);
  }
}

const pause = (world: World): Promise<void> => (world.clock === 'lock-step' ? world.advance(250) : realSleep(50));
