import { type Instant, formatTimeOfDay } from '../duration.ts';
import { lastPart } from './arn.ts';
import type { EcsService, ServiceDeployment, StoppedTask } from './service.ts';

export interface Evidence {
  /** Tasks of the deployment that failed; the caller picks them by `startedBy`. */
  readonly tasks: readonly StoppedTask[];
  /** Last lines of their containers, each block under its name. */
  readonly tails?: readonly string[];
  readonly service: EcsService;
  readonly serviceDeployment?: ServiceDeployment;
  readonly after: EventMark;
}

/** Where the events of one deployment begin: after the newest one before it, by ECS's own order; without one by time. */
export interface EventMark {
  readonly lastEvent?: string;
  readonly startedAt: Instant;
}

export type ServiceEvent = EcsService['events'][number];

/** Events of this deployment, oldest first. ECS lists the newest first and keeps 100. */
export function eventsAfter(
  { events }: Pick<EcsService, 'events'>,
  { lastEvent, startedAt }: EventMark,
): readonly ServiceEvent[] {
  const index = lastEvent === undefined ? -1 : events.findIndex(({ id }) => id === lastEvent);
  const ours = index >= 0 ? events.slice(0, index) : events.filter(({ at }) => at >= startedAt);
  return ours.toReversed();
}

interface Cause {
  readonly sign: RegExp;
  readonly cause: string;
  readonly advice: string;
}

/**
 * Texts of stoppedReason, container reasons and service events (developerguide: stopped-tasks error messages,
 * service-event-messages), the specific before the general.
 */
const CAUSES: readonly Cause[] = [
  {
    sign: /CannotPull\w*Error.*(not found|manifest unknown|does not exist|failed to resolve ref)/is,
    cause: 'the image does not exist in its registry',
    advice: 'Check repository, tag or digest, and that the build pushed before this job',
  },
  {
    sign: /CannotPull\w*Error.*(403|denied|unauthorized|no basic auth|not authorized)/is,
    cause: 'the image may not be pulled',
    advice:
      "Give the task's execution role ecr:GetAuthorizationToken, ecr:BatchGetImage and ecr:GetDownloadUrlForLayer, and check the repository policy across accounts",
  },
  {
    sign: /CannotPull\w*Error.*(timeout|dial tcp|connection refused|context deadline|request canceled)/is,
    cause: 'the registry cannot be reached from the subnets of the service',
    advice: 'Check the route to a NAT gateway or the VPC endpoints of ECR and S3, and the security groups',
  },
  {
    sign: /CannotPull\w*Error.*(platform|architecture|no matching manifest)/is,
    cause: 'the image has no build for the CPU architecture of the task',
    advice: "Build it for the task definition's runtimePlatform",
  },
  { sign: /CannotPull\w*Error/i, cause: 'the image could not be pulled', advice: 'See the reason above' },
  {
    sign: /ResourceInitializationError.*(secret|ssm|parameter)/is,
    cause: 'a secret or parameter of the task definition could not be read',
    advice: "Check its ARN, and that the task's execution role may read it (and its KMS key)",
  },
  {
    sign: /ResourceInitializationError.*(log|cloudwatch)/is,
    cause: 'the log group could not be used',
    advice: 'Create the log group, or allow logs:CreateLogGroup to the execution role',
  },
  { sign: /ResourceInitializationError/i, cause: 'the task could not be set up', advice: 'See the reason above' },
  {
    sign: /OutOfMemory|exit code 137.*memory/is,
    cause: 'a container used more memory than it has',
    advice: 'Raise the memory of the container or task, or look for a leak',
  },
  {
    sign: /exec format error/i,
    cause: 'the image was built for another CPU architecture',
    advice: "Build it for the task definition's runtimePlatform",
  },
  {
    sign: /failed ELB health checks|failed.*target.?group health/is,
    cause: 'the load balancer found the tasks unhealthy',
    advice:
      "Check path, port and codes of the target group's health check against the image, and healthCheckGracePeriodSeconds for a slow start",
  },
  {
    sign: /failed container health checks/i,
    cause: "the container's own health check failed",
    advice: "Check the command of the task definition's healthCheck in this image, and its startPeriod",
  },
  {
    sign: /exit code 12[67]\b/i,
    cause: 'the command of the container was not found or may not be run',
    advice: 'Check entryPoint and command of the task definition against the image',
  },
  {
    sign: /exit code 137\b/i,
    cause: 'a container was killed (137), often for memory or a stop that took too long',
    advice: 'Check memory and stopTimeout',
  },
  {
    sign: /exit code 139\b/i,
    cause: 'the application crashed (segmentation fault)',
    advice: "See the container's log",
  },
  {
    sign: /exit code 0\b/i,
    cause: 'the application ended by itself, without an error',
    advice: 'A service must keep running: check the command',
  },
  { sign: /exit code \d+/i, cause: 'the application ended with an error', advice: "See the container's log" },
  {
    sign: /unable to place a task|insufficient (cpu|memory)|RESOURCE:|no container instance met/is,
    cause: 'the cluster has no room for the tasks',
    advice: 'Add capacity, or lower minimumHealthyPercent so that old tasks make room',
  },
  {
    sign: /Capacity is unavailable/i,
    cause: 'AWS has no Fargate capacity here at the moment',
    advice: 'Use more subnets, or re-run later',
  },
];

/** What was seen and what to do about it, for a person who did not watch. Empty when nothing was seen. */
export function diagnose(evidence: Evidence): readonly string[] {
  const stops = describeStops(evidence.tasks);
  const told = [...describeRecord(evidence.serviceDeployment), ...describeEvents(evidence)];
  // What an application prints may hold any of the signs; ECS's own words decide.
  const likely = likelyCauseOf(evidence.tasks, told);
  const seen = [...stops, ...(evidence.tails ?? []), ...told];
  return likely === undefined ? seen : [likely, ...seen];
}

/** One line: the cause that stops and lines point to, and what to do. undefined: they point to none that is known. */
export function likelyCauseOf(tasks: readonly StoppedTask[], lines: readonly string[] = []): string | undefined {
  const likely = likelyCause([...tasks.map(asCause).map(describeStop), ...lines]);
  return likely === undefined ? undefined : `Likely cause: ${likely.cause}. ${likely.advice}.`;
}

/** Same-looking stops once, with their number and one example. */
export function describeStops(tasks: readonly StoppedTask[]): readonly string[] {
  const groups = new Map<string, StoppedTask[]>();
  for (const task of tasks) {
    const text = describeStop(task);
    groups.set(text, [...(groups.get(text) ?? []), task]);
  }
  return [...groups].map(([text, group]) => {
    const example = lastPart(group[0]?.arn ?? '');
    return group.length === 1
      ? `Task ${example} stopped: ${text}`
      : `${group.length} tasks stopped (${example}, ...): ${text}`;
  });
}

/** A container that was told to stop ends with some code, which says nothing of why it was told. */
function asCause(task: StoppedTask): StoppedTask {
  if (task.stopCode !== 'ServiceSchedulerInitiated' && task.stopCode !== 'UserInitiated') return task;
  return { ...task, containers: task.containers.map(({ exitCode: _, ...container }) => container) };
}

function describeStop({ stopCode, stoppedReason, containers }: StoppedTask): string {
  const parts = containers.flatMap(({ name, exitCode, reason }) => {
    const told = [exitCode === undefined ? undefined : `exit code ${exitCode}`, reason].filter(
      (part) => part !== undefined,
    );
    return told.length === 0 ? [] : [`container ${name}: ${told.join(', ')}`];
  });
  // The task's id inside the reason would make every stop look different.
  const reason = (stoppedReason ?? 'no reason given').replaceAll(/\(task [0-9a-f]{32}\)/g, '(task)').replace(/\.$/, '');
  return [stopCode === undefined ? reason : `${reason} (${stopCode})`, ...parts].join('; ');
}

function describeRecord(serviceDeployment: ServiceDeployment | undefined): readonly string[] {
  if (serviceDeployment === undefined) return [];
  const { status, statusReason, triggeredAlarms = [] } = serviceDeployment;
  const alarms = triggeredAlarms.length === 0 ? [] : [`Alarms that went off: ${triggeredAlarms.join(', ')}`];
  return [...alarms, ...(statusReason === undefined ? [] : [`ECS: ${status}, ${statusReason}`])];
}

const LAST_EVENTS = 5;

function describeEvents({ service, after }: Evidence): readonly string[] {
  return eventsAfter(service, after)
    .slice(-LAST_EVENTS)
    .map(({ at, message }) => `${formatTimeOfDay(at)} UTC ${message}`);
}

function likelyCause(lines: readonly string[]): Cause | undefined {
  const text = lines.join('\n');
  return CAUSES.find(({ sign }) => sign.test(text));
}
