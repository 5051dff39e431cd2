import { createState, nextDue, REHEARSAL_PACE, step } from '../../../sandbox/core/core.ts';
import type {
  Effect,
  Event,
  HealthCheck,
  Json,
  Pace,
  Service,
  ServiceSpec,
  State,
  Task,
  TaskTemplate,
} from '../../../sandbox/core/types.ts';
import type { HealthAnswer } from '../../../sandbox/plane/types.ts';

/** What a process of an image does; times in milliseconds. */
export interface Behaviour {
  readonly start: 'listens' | 'exits' | 'cannot-pull';
  readonly startsIn: number;
  /** After it listens. */
  readonly exitsAfter?: number;
  health(age: number): HealthAnswer;
}

const well: HealthAnswer = { kind: 'status', status: 200 };
const healthy: Behaviour = { start: 'listens', startsIn: 100, health: () => well };

export const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  good: healthy,
  crash: { ...healthy, start: 'exits' },
  'no-image': { ...healthy, start: 'cannot-pull' },
  unhealthy: { ...healthy, health: () => ({ kind: 'status', status: 500 }) },
  'unhealthy-later': {
    ...healthy,
    health: (age) => (age < 20_000 ? well : { kind: 'failed', reason: 'timed out after 2000 ms' }),
  },
  'crash-later': { ...healthy, exitsAfter: 30_000 },
};

export const CLUSTER = 'main';
export const GROUP = 'arn:aws:elasticloadbalancing:us-west-2:111111111111:targetgroup/web/0123456789abcdef';
export const BALANCER = 'arn:aws:elasticloadbalancing:us-west-2:111111111111:loadbalancer/app/web/0123456789abcdef';
export const SERVICE = 'arn:aws:ecs:us-west-2:111111111111:service/main/web';

const FAST_CHECK: HealthCheck = {
  path: '/health',
  interval: 5_000,
  timeout: 2_000,
  healthyThreshold: 2,
  unhealthyThreshold: 2,
  matcher: '200',
};

export const template = (image: string, revision = 1): TaskTemplate => ({
  taskDefinitionArn: `arn:aws:ecs:us-west-2:111111111111:task-definition/web:${revision}`,
  family: 'web',
  containers: [
    {
      name: 'web',
      image,
      essential: true,
      environment: { COLOR: 'blue' },
      command: [],
      logs: undefined,
      ports: [80],
      stopTimeout: 10_000,
    },
  ],
  cpu: '256',
  memory: '512',
});

export const spec = (
  image: string,
  changes: Partial<ServiceSpec> & { readonly revision?: number } = {},
): ServiceSpec => {
  const { revision = 1, ...rest } = changes;
  return {
    desiredCount: 4,
    template: template(image, revision),
    configuration: percent(100, 200),
    healthCheckGracePeriod: 0,
    loadBalancers: [{ targetGroupArn: GROUP, containerName: 'web', containerPort: 80 }],
    settings: {},
    ...rest,
  };
};

export const percent = (
  minimumHealthyPercent: number,
  maximumPercent: number,
  breaker: Partial<{ readonly enable: boolean; readonly rollback: boolean }> = {},
): ServiceSpec['configuration'] => ({
  minimumHealthyPercent,
  maximumPercent,
  circuitBreaker: {
    enable: false,
    rollback: false,
    resetOnHealthyTask: true,
    threshold: { type: 'BOUNDED_PERCENT', value: 50 },
    ...breaker,
  },
});

export interface Seen {
  readonly before: State;
  readonly after: State;
  readonly event: Event;
  readonly now: number;
}
type Watcher = (seen: Seen) => void;

interface Coming {
  readonly at: number;
  readonly event: Event;
}

/** A shell with a fake clock around the core: processes, health checks and time are played, nothing is waited for. */
export class FakeCloud {
  state: State;
  now = 1_800_000_000_000;
  readonly effects: Effect[] = [];
  private coming: readonly Coming[] = [];
  private readonly images = new Map<string, string>();
  private readonly listeningSince = new Map<string, number>();
  private readonly watchers: Watcher[] = [];
  private readonly changed = new Map<string, string>();

  constructor(seed = 'test', pace: Pace = REHEARSAL_PACE) {
    this.state = createState({ account: '111111111111', region: 'us-west-2', seed }, pace);
  }

  /** Called after every step. */
  watch(watcher: Watcher): this {
    this.watchers.push(watcher);
    return this;
  }

  /** From now on processes of `image` behave like those of `like`. */
  spoil(image: string, like: string): this {
    this.changed.set(image, like);
    return this;
  }

  /** From now on the process of this one task behaves like those of `like`. */
  spoilTask(id: string, like: string): this {
    this.images.set(id, like);
    return this;
  }

  send(event: Event): this {
    const before = this.state;
    const stepped = step(before, event, this.now);
    this.state = stepped.state;
    for (const effect of stepped.effects) this.carryOut(effect);
    for (const watcher of this.watchers) watcher({ before, after: this.state, event, now: this.now });
    return this;
  }

  /** A cluster, and a target group behind a load balancer. */
  furnish(check: Partial<HealthCheck> = {}): this {
    return this.send({ kind: 'cluster-created', name: CLUSTER, tags: {}, settings: {} })
      .send({
        kind: 'target-group-configured',
        targetGroupArn: GROUP,
        name: 'web',
        port: 80,
        healthCheck: { ...FAST_CHECK, ...check },
      })
      .send({ kind: 'target-group-attributes-set', targetGroupArn: GROUP, deregistrationDelay: 8_000 })
      .send({ kind: 'load-balancer-changed', loadBalancerArn: BALANCER, targetGroupArns: [GROUP] });
  }

  create(from: ServiceSpec): this {
    return this.send({ kind: 'service-created', cluster: CLUSTER, name: 'web', spec: from, tags: {} });
  }

  deploy(from: ServiceSpec): this {
    return this.send({ kind: 'service-updated', serviceArn: SERVICE, spec: from, deploys: 'new-deployment' });
  }

  scale(from: ServiceSpec): this {
    return this.send({ kind: 'service-updated', serviceArn: SERVICE, spec: from, deploys: 'same-deployment' });
  }

  /** Lets `milliseconds` pass, event by event. */
  pass(milliseconds: number): this {
    const end = this.now + milliseconds;
    for (let next = this.next(); next <= end; next = this.next()) {
      this.now = Math.max(this.now, next);
      this.tell();
    }
    this.now = end;
    return this;
  }

  /** Lets time pass until `reached`, at most ten minutes of it. */
  passUntil(reached: (service: Service) => boolean): this {
    const end = this.now + 600_000;
    while (!reached(this.service)) {
      if (this.next() > end) throw new Error(`not reached: ${JSON.stringify(this.messages(), null, 2)}`);
      this.now = Math.max(this.now, this.next());
      this.tell();
    }
    return this;
  }

  settle(): this {
    return this.passUntil(({ steady }) => steady);
  }

  get service(): Service {
    const service = this.state.services[SERVICE];
    if (service === undefined) throw new Error('the service was not created');
    return service;
  }

  get tasks(): readonly Task[] {
    return Object.values(this.state.tasks);
  }

  /** Service events, oldest first, with ids and the target group shortened: `(task 1)`, `ecs-svc/1`, `(target-group web)`. */
  messages(): readonly string[] {
    const names = new Map<string, string>();
    const short = (kind: string) => (found: string) => {
      const known = [...names].filter(([, name]) => name.startsWith(kind)).length;
      if (!names.has(found)) names.set(found, `${kind}${known + 1}`);
      return names.get(found) ?? found;
    };
    return this.service.events.toReversed().map(({ message }) =>
      message
        .replaceAll(GROUP, 'web')
        .replaceAll(/[0-9a-f]{32}/g, short('t'))
        .replaceAll(/ecs-svc\/\d{19}/g, short('ecs-svc/')),
    );
  }

  private next(): number {
    return Math.min(nextDue(this.state) ?? Infinity, ...this.coming.map(({ at }) => at));
  }

  private tell(): void {
    const due = this.coming.filter(({ at }) => at <= this.now).toSorted((a, b) => a.at - b.at);
    this.coming = this.coming.filter(({ at }) => at > this.now);
    for (const { event } of due) this.send(event);
    this.send({ kind: 'tick' });
  }

  private later(delay: number, event: Event): void {
    this.coming = [...this.coming, { at: this.now + delay, event }];
  }

  private carryOut(effect: Effect): void {
    this.effects.push(effect);
    if (effect.kind === 'start-task') this.startProcess(effect);
    if (effect.kind === 'stop-task') this.later(50, { kind: 'task-exited', id: effect.id, code: 0 });
    if (effect.kind === 'check-health') {
      const id = this.tasks.find(({ address }) => address?.port === effect.address.port)?.id ?? '';
      const answer = this.behaviour(id).health(this.now - (this.listeningSince.get(id) ?? this.now));
      const { targetGroupArn, targetId, check } = effect;
      this.later(5, { kind: 'health-answer', targetGroupArn, targetId, check, answer });
    }
  }

  private startProcess({ id, image }: Effect & { readonly kind: 'start-task' }): void {
    this.images.set(id, image);
    const { start, startsIn, exitsAfter } = this.behaviour(id);
    if (start === 'exits') this.later(startsIn, { kind: 'task-exited', id, code: 1 });
    if (start === 'cannot-pull') {
      const reason = `CannotPullContainerError: ${image}: not found`;
      this.later(startsIn, { kind: 'task-start-failed', id, reason });
    }
    if (start !== 'listens') return;
    this.listeningSince.set(id, this.now + startsIn);
    this.later(startsIn, { kind: 'task-started', id, address: { host: '127.0.0.1', port: 40_000 + this.images.size } });
    if (exitsAfter !== undefined) this.later(startsIn + exitsAfter, { kind: 'task-exited', id, code: 1 });
  }

  private behaviour(id: string): Behaviour {
    const image = this.images.get(id) ?? 'good';
    return BEHAVIOURS[this.changed.get(image) ?? image] ?? healthy;
  }
}

/** The parts of a value that a snapshot can compare: without undefined members. */
export const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;
