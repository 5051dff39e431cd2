import { type CloudErrorKind } from '../../src/domain/retry-policy.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Ecs, EcsService, EcsServiceRef, TaskDefinition } from '../../src/ports/ecs.ts';
import { type FakeServiceOptions, ecsRollouts, failure } from './ecs-rollouts.ts';

export type { FakeServiceOptions } from './ecs-rollouts.ts';

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

/** ECS as its documentation describes rolling deployments, driven by a clock. Passes test/contract/ecs.ts. */
export function fakeEcs(clock: Clock): FakeEcs {
  const rollouts = ecsRollouts(clock);
  const { byArn, definitions, deploy, goBack, key, known, primary, records, register, services, settle, show } =
    rollouts;
  const calls: string[] = [];
  const faults = new Map<string, { kind: CloudErrorKind | 'lost'; left: number }>();

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
      calls.filter(
        (text) => /^(register|deregister|update|stop|tag|untag)/.test(text) && !text.startsWith('stoppedTasks'),
      ),
    fail: (method, kind, times = 1) => void faults.set(method, { kind, left: times }),
    loseAnswer: (method, times = 1) => void faults.set(method, { kind: 'lost', left: times }),
    revisions: (family) => definitions.filter((definition) => definition.family === family),
    serviceOf: (ref) => show(known(ref)),
    addService: rollouts.add,
    elsewhere: rollouts.elsewhere,
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
        const found = definitions.findLast(
          ({ arn, family, status }) => arn === name || (family === name && status === 'ACTIVE') || last(arn) === name,
        );
        if (found === undefined)
          throw failure('not-found', `Could not read task definition ${name}`, 'Unable to describe task definition');
        return found;
      }),
    registerTaskDefinition: (body, tags, signal) =>
      call('registerTaskDefinition', String(body['family']), signal, () => register(body, tags)),
    listRevisions: (family, signal) =>
      call('listRevisions', family, signal, () =>
        definitions
          .filter((definition) => definition.family === family && definition.status === 'ACTIVE')
          .map(({ arn }) => arn)
          .reverse(),
      ),
    deregisterTaskDefinition: (arn, signal) =>
      call('deregisterTaskDefinition', last(arn), signal, () => {
        const index = definitions.findIndex((definition) => definition.arn === arn);
        const found = definitions[index];
        if (found === undefined)
          throw failure(
            'invalid',
            `Could not deregister task definition ${arn}`,
            'The specified task definition does not exist.',
          );
        definitions[index] = { ...found, status: 'INACTIVE' };
      }),
    revisionsInUse: (family, signal) =>
      call('revisionsInUse', family, signal, () => {
        for (const service of services.values()) settle(service);
        const used = [...services.values()].flatMap(({ deployments }) =>
          deployments.map((each) => each.taskDefinition),
        );
        return new Set(used.filter((arn) => definitions.some((each) => each.arn === arn && each.family === family)));
      }),
    updateService: (ref, change, signal) =>
      call('updateService', describe(change), signal, () => {
        const service = known(ref);
        service.stale = { left: fake.staleReads, shown: fake.staleReads > 0 ? show(service) : undefined };
        if (change.desired !== undefined) service.desired = change.desired;
        const wanted = change.taskDefinition ?? primary(service).taskDefinition;
        if (definitions.some(({ arn, status }) => arn === change.taskDefinition && status === 'INACTIVE'))
          throw failure('invalid', `Could not update ECS service ${ref.service}`, 'TaskDefinition is inactive');
        if (wanted !== primary(service).taskDefinition || change.forceNewDeployment === true) deploy(service, wanted);
        return show(service);
      }),
    describeServiceDeployments: (arns, signal) =>
      call('describeServiceDeployments', arns.map(last).join(' '), signal, () => {
        for (const service of services.values()) settle(service);
        return arns.flatMap((arn) => {
          const record = records.get(arn);
          if (record === undefined) return [];
          const { service: _, ...shown } = record;
          return [shown];
        });
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
    placesOf: (ref, deployment, signal) =>
      call('placesOf', '', signal, () => {
        const { deployments } = show(known(ref));
        const running = deployments.find(({ id }) => id === deployment)?.running ?? 0;
        return Array.from({ length: running }, (_, index) => ({ address: `${deployment}-${index + 1}` }));
      }),
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
