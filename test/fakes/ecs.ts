import { type Duration, type Instant, after, seconds } from '../../src/domain/duration.ts';
import { CloudFailure, type CloudErrorKind } from '../../src/domain/retry-policy.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type {
  Ecs,
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

export interface FakeEcs extends Ecs {
  /** `updateService web:8`, in order; reads too. */
  readonly calls: readonly string[];
  /** Calls that change something. */
  writes(): readonly string[];
  addService(options: FakeServiceOptions): void;
  /** The next `times` calls of this method fail. */
  fail(method: keyof Ecs, kind: CloudErrorKind, times?: number): void;
  /** The next `times` calls of this method do their work and then fail: the answer is lost. */
  loseAnswer(method: keyof Ecs, times?: number): void;
  /** So many reads after each update show the service as it was before. */
  staleReads: number;
  /** Done by somebody else: not in `calls`. */
  elsewhere(ref: EcsServiceRef, image: string): void;
  serviceOf(ref: EcsServiceRef): EcsService;
  revisions(family: string): readonly TaskDefinition[];
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

/** ECS as its documentation describes rolling deployments, driven by a clock. Passes test/contract/ecs.ts. */
export function fakeEcs(clock: Clock): FakeEcs {
  const services = new Map<string, Service>();
  const definitions: TaskDefinition[] = [];
  const records = new Map<string, ServiceDeployment & { readonly service: string }>();
  const calls: string[] = [];
  const faults = new Map<string, { kind: CloudErrorKind | 'lost'; left: number }>();
  let ids = 0;

  const key = ({ cluster, service }: EcsServiceRef): string => `${cluster}/${service}`;
  const imageOf = (arn: string): string => {
    const containers = definitions.find((definition) => definition.arn === arn)?.body['containerDefinitions'] as
      { image: string }[] | undefined;
    return (containers ?? []).map(({ image }) => image).join(' ');
  };
  const failure = (kind: CloudErrorKind, what: string, why: string): CloudFailure =>
    new CloudFailure(kind, { what, why });
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

  /** Counts the call, fails it when it was told to, and runs it. */
  async function call<T>(method: keyof Ecs, text: string, signal: AbortSignal, run: () => T): Promise<T> {
    signal.throwIfAborted();
    await Promise.resolve();
    calls.push(text === '' ? method : `${method} ${text}`);
    const fault = faults.get(method);
    if (fault === undefined || fault.left === 0) return run();
    fault.left -= 1;
    if (fault.kind === 'lost') run();
    throw failure(fault.kind === 'lost' ? 'transient' : fault.kind, `Could not call ${method}`, `it is ${fault.kind}`);
  }

  const last = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);
  const fake: FakeEcs = {
    calls,
    staleReads: 0,
    writes: () =>
      calls.filter((text) => /^(register|update|stop|tag|untag)/.test(text) && !text.startsWith('stoppedTasks')),
    fail: (method, kind, times = 1) => void faults.set(method, { kind, left: times }),
    loseAnswer: (method, times = 1) => void faults.set(method, { kind: 'lost', left: times }),
    revisions: (family) => definitions.filter((definition) => definition.family === family),
    serviceOf: (ref) => show(known(ref)),
    addService(options) {
      const { ref, desired = 3 } = options;
      const { arn } = register(
        {
          family: ref.service,
          cpu: '256',
          containerDefinitions: [{ name: options.container ?? 'web', image: options.image }],
        },
        {},
      );
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
    },
    elsewhere(ref, image) {
      const service = known(ref);
      const { arn } = register(
        {
          family: ref.service,
          cpu: '256',
          containerDefinitions: [{ name: service.options.container ?? 'web', image }],
        },
        {},
      );
      deploy(service, arn);
    },
    describeServices: (refs, signal) =>
      call('describeServices', '', signal, () =>
        refs.map((ref) => {
          const service = known(ref);
          if (service.stale.left === 0 || service.stale.shown === undefined) return show(service);
          service.stale.left -= 1;
          return service.stale.shown;
        }),
      ),
    describeTaskDefinition: (name, signal) =>
      call('describeTaskDefinition', last(name), signal, () => {
        const found = definitions.findLast(({ arn, family }) => arn === name || family === name || last(arn) === name);
        if (found === undefined)
          throw failure('not-found', `Could not read task definition ${name}`, 'Unable to describe task definition');
        return found;
      }),
    registerTaskDefinition: (body, tags, signal) =>
      call('registerTaskDefinition', String(body['family']), signal, () => register(body, tags)),
    updateService: (ref, change, signal) =>
      call('updateService', describe(change), signal, () => {
        const service = known(ref);
        service.stale = { left: fake.staleReads, shown: fake.staleReads > 0 ? show(service) : undefined };
        if (change.desired !== undefined) service.desired = change.desired;
        const wanted = change.taskDefinition ?? primary(service).taskDefinition;
        if (wanted !== primary(service).taskDefinition || change.forceNewDeployment === true) deploy(service, wanted);
        return show(service);
      }),
    describeServiceDeployment: (arn, signal) =>
      call('describeServiceDeployment', last(arn), signal, () => {
        for (const service of services.values()) settle(service);
        const record = records.get(arn);
        if (record === undefined) return undefined;
        const { service: _, ...shown } = record;
        return shown;
      }),
    listServiceDeployments: (ref, signal, filter = {}) =>
      call('listServiceDeployments', filter.status ?? '', signal, () => {
        known(ref);
        return [...records.values()]
          .filter(
            ({ service, status }) => service === key(ref) && (filter.status === undefined || status === filter.status),
          )
          .filter(({ createdAt }) => filter.createdAfter === undefined || (createdAt ?? 0) > filter.createdAfter)
          .reverse()
          .map(({ service: _, ...shown }) => shown);
      }),
    stopServiceDeployment: (arn, stopType, signal) =>
      call('stopServiceDeployment', `${last(arn)} ${stopType}`, signal, () => {
        const record = records.get(arn);
        const service = record === undefined ? undefined : services.get(record.service);
        if (record === undefined || service === undefined)
          throw failure('not-found', `Could not stop service deployment ${arn}`, 'ServiceDeploymentNotFoundException');
        settle(service);
        const current = primary(service);
        if (current.record !== arn || current.state !== 'IN_PROGRESS' || records.get(arn)?.status !== 'IN_PROGRESS') {
          throw failure(
            'conflict',
            `Could not stop service deployment ${arn}`,
            'ConflictException: it is not in progress',
          );
        }
        goBack(service, current, {
          statusReason: 'Service deployment rolled back because it was stopped.',
          at: clock.now(),
        });
      }),
    stoppedTasks: (ref, signal) => call('stoppedTasks', '', signal, () => [...known(ref).stopped]),
    tagService: (arn, tags, signal) =>
      call(
        'tagService',
        tags['sluice:phase'] ?? Object.keys(tags).join(','),
        signal,
        () => void Object.assign(byArn(arn).tags, tags),
      ),
    untagService: (arn, keys, signal) =>
      call('untagService', keys.join(','), signal, () => {
        const service = byArn(arn);
        service.tags = Object.fromEntries(Object.entries(service.tags).filter(([name]) => !keys.includes(name)));
      }),
  };
  return fake;

  function describe(change: {
    readonly taskDefinition?: string;
    readonly desired?: number;
    readonly forceNewDeployment?: true;
  }): string {
    const parts = [
      change.taskDefinition === undefined ? undefined : last(change.taskDefinition),
      change.desired === undefined ? undefined : `desired=${change.desired}`,
      change.forceNewDeployment === undefined ? undefined : 'force',
    ];
    return parts.filter((part) => part !== undefined).join(' ');
  }
}
