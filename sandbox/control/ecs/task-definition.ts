import type { ContainerTemplate, TaskTemplate } from '../../core/types.ts';
import { Refused } from '../refused.ts';
import type { Input } from './input.ts';
import type { EcsContext } from './types.ts';

export interface FoundTaskDefinition {
  readonly template: TaskTemplate;
  readonly status: string;
  readonly networkMode: string | undefined;
  /** Names of volumes with configuredAtLaunch. */
  readonly launchVolumes: readonly string[];
}

/** Reads what the core needs of DescribeTaskDefinition's answer. */
export async function findTaskDefinition(context: EcsContext, ref: string): Promise<FoundTaskDefinition> {
  const found = await context.taskDefinition(ref);
  if (found === undefined) throw new Refused('ClientException', 'TaskDefinition not found.');
  const networkMode = found['networkMode'];
  return {
    template: templateOf(found),
    status: String(found['status'] ?? 'ACTIVE'),
    networkMode: typeof networkMode === 'string' ? networkMode : undefined,
    launchVolumes: ((found['volumes'] ?? []) as readonly Input[]).flatMap(({ name, configuredAtLaunch }) =>
      configuredAtLaunch === true ? [String(name)] : [],
    ),
  };
}

function templateOf(definition: Input): TaskTemplate {
  const containers = (definition['containerDefinitions'] ?? []) as readonly Input[];
  return {
    taskDefinitionArn: String(definition['taskDefinitionArn']),
    family: String(definition['family']),
    containers: containers.map(containerOf),
    cpu: String(definition['cpu'] ?? '256'),
    memory: String(definition['memory'] ?? '512'),
  };
}

function containerOf(container: Input): ContainerTemplate {
  const environment = (container['environment'] ?? []) as readonly Input[];
  const ports = (container['portMappings'] ?? []) as readonly Input[];
  return {
    name: String(container['name']),
    image: String(container['image'] ?? ''),
    essential: container['essential'] !== false,
    environment: Object.fromEntries(environment.map(({ name, value }) => [String(name), String(value)])),
    command: ((container['command'] ?? []) as readonly unknown[]).map(String),
    logs: logsOf((container['logConfiguration'] ?? {}) as Input),
    ports: ports.map(({ containerPort }) => Number(containerPort)),
    // Fargate's default and its limit are 30 s and 120 s.
    stopTimeout: Number(container['stopTimeout'] ?? 30) * 1_000,
  };
}

function logsOf(configuration: Input): ContainerTemplate['logs'] {
  const options = (configuration['options'] ?? {}) as Input;
  if (configuration['logDriver'] !== 'awslogs') return undefined;
  return { group: String(options['awslogs-group']), prefix: String(options['awslogs-stream-prefix']) };
}
