import { type Duration, type Instant, after, seconds } from '../../src/domain/duration.ts';
import { CloudFailure, type CloudErrorKind } from '../../src/domain/retry-policy.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type {
  EcsDeployment,
  EcsService,
  EcsServiceRef,
  ServiceDeployment,
  StoppedTask,
  TaskDefinition,
} from '../../src/ports/ecs.ts';

/** How tasks of an image behave: the tag names it (`web:good-2`, `web:crash`, `web:stuck`). */
type Behaviour = 'good' | 'crash' | 'stuck';
const behaviourOf = (image: string): Behaviour =>
  (['crash', 'stuck'] as const).find((word) => image.includes(word)) ?? 'good';

export interface FakeServiceOptions {
  readonly ref: EcsServiceRef;
  readonly image: string;
  readonly container?: string;
  readonly desired?: number;
  readonly breaker?: { readonly enable: boolean; readonly rollback: boolean };
  /** Its first deployment was never complete. */
  readonly fresh?: true;
  /** As behind a Classic Load Balancer: no rolloutState. */
  readonly classic?: true;
  readonly extra?: Partial<EcsService>;
}

interface Deployment {
  id: string;
  taskDefinition: string;
  startedAt: Instant;
  state: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  reason?: string;
  record?: string;
  desired: number;
}

interface Service {
  readonly options: FakeServiceOptions;
  readonly arn: string;
  deployments: Deployment[];
  desired: number;
  tags: Record<string, string>;
  events: { id: string; at: Instant; message: string }[];
  stopped: StoppedTask[];
  stale: { left: number; shown: EcsService | undefined };
}

/** Tasks run 10 s after a deployment began; a crashing one fails every 5 s. */
const READY: Duration = seconds(10);
const CRASH_EVERY: Duration = seconds(5);
const ARN = 'arn:aws:ecs:us-west-2:111122223333';

export const failure = (kind: CloudErrorKind, what: string, why: string): CloudFailure =>
  new CloudFailure(kind, { what, why });

const bodyOf = ({ service }: EcsServiceRef, container = 'web', image: string) => ({
  family: service,
  cpu: '256',
  containerDefinitions: [{ name: container, image }],
});

/** What the fake believes: services, revisions and records, moved by the time that passed since the last look. */
export function ecsRollouts(clock: Clock) {
  const services = new Map<string, Service>();
  const definitions: TaskDefinition[] = [];
  const records = new Map<string, ServiceDeployment & { readonly service: string }>();
  let ids = 0;

  const key = ({ cluster, service }: EcsServiceRef): string => `${cluster}/${service}`;
  const imageOf = (arn: string): string => {
    const containers = definitions.find((definition) => definition.arn === arn)?.body['containerDefinitions'] as
      { image: string }[] | undefined;
    return (containers ?? []).map(({ image }) => image).join(' ');
  };
  const known = (ref: EcsServiceRef): Service => {
    const service = services.get(key(ref));
    if (service === undefined)
      throw failure(
        'not-found',
        `Could not find ECS service ${ref.service} in cluster ${ref.cluster}`,
        'ECS says MISSING',
      );
    settle(service);
    return service;
  };
  const byArn = (arn: string): Service => {
    const service = [...services.values()].find((candidate) => candidate.arn === arn);
    if (service === undefined) throw failure('not-found', `Could not tag ${arn}`, 'there is no such service');
    return service;
  };
  const primary = (service: Service): Deployment => service.deployments[0] as Deployment;
  const setRecord = (arn: string | undefined, change: Partial<ServiceDeployment>): void => {
    const record = arn === undefined ? undefined : records.get(arn);
    if (record !== undefined) records.set(record.arn, { ...record, ...change });
  };
  const event = (service: Service, at: Instant, message: string): void =>
    void service.events.unshift({
      id: `event-${++ids}`,
      at,
      message: `(service ${service.options.ref.service}) ${message}`,
    });

  function register(body: Readonly<Record<string, unknown>>, tags: Readonly<Record<string, string>>): TaskDefinition {
    const family = String(body['family']);
    const revision = 1 + definitions.filter((definition) => definition.family === family).length;
    const arn = `${ARN}:task-definition/${family}:${revision}`;
    const described = {
      ...body,
      taskDefinitionArn: arn,
      revision,
      status: 'ACTIVE',
      registeredAt: clock.now() / 1_000,
    };
    definitions.push({ arn, family, body: described, tags, status: 'ACTIVE' });
    return { arn, family, body, tags, status: 'ACTIVE' };
  }

  function deploy(
    service: Service,
    taskDefinition: string,
    given: { readonly record?: string; readonly reason?: string; readonly at?: Instant } = {},
  ): void {
    const running = primary(service);
    if (running !== undefined && running.state === 'IN_PROGRESS')
      setRecord(running.record, { status: 'STOPPED', finishedAt: clock.now() });
    const id = `ecs-svc/${String(++ids).padStart(4, '0')}`;
    const record = given.record ?? `${ARN}:service-deployment/${key(service.options.ref)}/${ids}`;
    const fresh: Deployment = {
      id,
      taskDefinition,
      startedAt: given.at ?? clock.now(),
      state: 'IN_PROGRESS',
      record,
      desired: service.desired,
    };
    if (given.reason !== undefined) fresh.reason = given.reason;
    service.deployments = [fresh, ...service.deployments];
    if (given.record === undefined) {
      records.set(record, {
        arn: record,
        service: key(service.options.ref),
        status: 'IN_PROGRESS',
        taskDefinition,
        createdAt: clock.now(),
      });
    }
  }

  /** Lets time do what it did since the last call. */
  function settle(service: Service): void {
    const current = primary(service);
    if (current.state !== 'IN_PROGRESS') return;
    const behaviour = behaviourOf(imageOf(current.taskDefinition));
    const age = clock.now() - current.startedAt;
    if (behaviour === 'good' && age >= READY) complete(service, current);
    if (behaviour === 'crash') crash(service, current, Math.floor(age / CRASH_EVERY));
  }

  function complete(service: Service, current: Deployment): void {
    const at = after(current.startedAt, READY);
    const undone = service.deployments.find(({ state, record }) => state === 'FAILED' && record === current.record);
    setRecord(
      current.record,
      undone === undefined
        ? { status: 'SUCCESSFUL', finishedAt: at }
        : { status: 'ROLLBACK_SUCCESSFUL', finishedAt: at },
    );
    current.state = 'COMPLETED';
    service.deployments = [current];
    event(service, at, 'has reached a steady state.');
  }

  function crash(service: Service, current: Deployment, failures: number): void {
    const seen = service.stopped.filter(({ startedBy }) => startedBy === current.id).length;
    for (let index = seen; index < failures; index++) {
      const stoppedAt = after(current.startedAt, (CRASH_EVERY * (index + 1)) as Duration);
      service.stopped.push({
        arn: `${ARN}:task/${service.options.ref.cluster}/${String(++ids).padStart(32, '0')}`,
        startedBy: current.id,
        stopCode: 'EssentialContainerExited',
        stoppedReason: 'Essential container in task exited',
        stoppedAt,
        containers: [{ name: service.options.container ?? 'web', exitCode: 1 }],
      });
    }
    const limit = Math.max(3, Math.ceil(service.desired / 2));
    const { breaker } = service.options;
    if (breaker?.enable !== true || failures < limit) return;
    current.state = 'FAILED';
    current.reason = 'ECS deployment circuit breaker: tasks failed to start.';
    const statusReason = 'Service deployment rolled back because the circuit breaker threshold was exceeded.';
    if (breaker.rollback)
      goBack(service, current, { statusReason, at: after(current.startedAt, (CRASH_EVERY * limit) as Duration) });
    else setRecord(current.record, { status: 'STOPPED', statusReason, finishedAt: clock.now() });
  }

  function goBack(
    service: Service,
    bad: Deployment,
    { statusReason, at }: { readonly statusReason: string; readonly at: Instant },
  ): void {
    const good = [...records.values()]
      .filter((record) => record.service === key(service.options.ref) && record.status === 'SUCCESSFUL')
      .at(-1);
    bad.state = 'FAILED';
    setRecord(bad.record, { status: 'ROLLBACK_IN_PROGRESS', statusReason });
    if (good?.taskDefinition === undefined) return;
    const record = bad.record === undefined ? {} : { record: bad.record };
    deploy(service, good.taskDefinition, { at, reason: 'ECS deployment circuit breaker: rolling back.', ...record });
    settle(service);
  }

  function show(service: Service): EcsService {
    const { options, desired } = service;
    const deployments = service.deployments.map((deployment, index) => showDeployment(service, deployment, index));
    const running = deployments.reduce((sum, deployment) => sum + deployment.running, 0);
    const record = primary(service).record;
    return {
      arn: service.arn,
      ref: options.ref,
      status: 'ACTIVE',
      taskDefinition: primary(service).taskDefinition,
      desired,
      running,
      pending: deployments.reduce((sum, deployment) => sum + deployment.pending, 0),
      deployments,
      events: [...service.events],
      loadBalancers: [],
      tags: { ...service.tags },
      ...(record === undefined ? {} : { currentServiceDeployment: record }),
      ...(options.breaker === undefined ? {} : { circuitBreaker: options.breaker }),
      ...options.extra,
    };
  }

  function showDeployment(service: Service, deployment: Deployment, index: number): EcsDeployment {
    const done = deployment.state === 'COMPLETED';
    const desired = done ? service.desired : deployment.desired;
    const failed = service.stopped.filter(({ startedBy }) => startedBy === deployment.id).length;
    return {
      id: deployment.id,
      status: index === 0 ? 'PRIMARY' : 'ACTIVE',
      taskDefinition: deployment.taskDefinition,
      desired,
      running: done ? desired : 0,
      pending: deployment.state === 'IN_PROGRESS' ? desired : 0,
      failed,
      createdAt: deployment.startedAt,
      ...(service.options.classic === true ? {} : { rolloutState: deployment.state }),
      ...(deployment.reason === undefined ? {} : { rolloutStateReason: deployment.reason }),
    };
  }

  function add(options: FakeServiceOptions): void {
    const { ref, desired = 3 } = options;
    const { arn } = register(bodyOf(ref, options.container, options.image), {});
    const service: Service = {
      options,
      arn: `${ARN}:service/${key(ref)}`,
      deployments: [],
      desired,
      tags: {},
      events: [],
      stopped: [],
      stale: { left: 0, shown: undefined },
    };
    services.set(key(ref), service);
    deploy(service, arn);
    if (options.fresh === undefined) complete(service, primary(service));
  }

  /** Done by somebody else. */
  function elsewhere(ref: EcsServiceRef, image: string): void {
    const service = known(ref);
    const { arn } = register(bodyOf(ref, service.options.container, image), {});
    deploy(service, arn);
  }

  return {
    add,
    byArn,
    definitions,
    deploy,
    elsewhere,
    goBack,
    key,
    known,
    primary,
    records,
    register,
    services,
    settle,
    show,
  };
}
