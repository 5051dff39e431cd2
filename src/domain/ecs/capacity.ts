import type { EcsService } from './service.ts';
import { movesTraffic } from './strategy.ts';
import { type TaskDefinitionBody, inCpuUnits } from './task-definition.ts';

/** Tasks that a deployment starts beside those that run: without `least` it gets nowhere, `all` is what it would like. */
export interface Surge {
  readonly least: number;
  readonly all: number;
}

/** ECS's own percentages where a service tells none. */
const MINIMUM_HEALTHY = 100;
const MAXIMUM = 200;

/** PURE. A strategy that moves traffic starts the new revision whole beside the old one; a rolling one goes as far as its percentages let it. */
export function surgeOf(service: EcsService, desired = service.desired): Surge {
  if (service.schedulingStrategy === 'DAEMON') return { least: 0, all: 0 };
  if (movesTraffic(service)) return { least: desired, all: desired };
  const { minimumHealthy = MINIMUM_HEALTHY, maximum = MAXIMUM } = service.percents ?? {};
  const floor = Math.ceil((desired * minimumHealthy) / 100);
  const room = Math.max(0, Math.floor((desired * maximum) / 100) - service.running);
  // Above the floor an old task may go first, and makes room for a new one.
  const first = service.running > floor ? 0 : Math.min(1, desired);
  const least = Math.max(desired - service.running, first);
  return { least, all: Math.max(least, Math.min(desired, room)) };
}

/** Subnets that the tasks get their addresses from; empty: they get none of their own. */
export function subnetsOf({ placement }: EcsService): readonly string[] {
  const configuration = (placement?.networkConfiguration ?? {}) as {
    readonly awsvpcConfiguration?: { readonly subnets?: readonly string[] };
  };
  return configuration.awsvpcConfiguration?.subnets ?? [];
}

export type FargateKind = 'on-demand' | 'spot';

/** Which quota its tasks count against; undefined: none of Fargate's, or one of two by ECS's own choice. */
export function fargateOf({ placement }: EcsService): FargateKind | undefined {
  if (placement?.launchType === 'FARGATE') return 'on-demand';
  const strategy = (placement?.capacityProviderStrategy ?? []) as readonly { readonly capacityProvider?: string }[];
  const providers = new Set(strategy.map(({ capacityProvider }) => capacityProvider));
  if (providers.size !== 1) return undefined;
  if (providers.has('FARGATE')) return 'on-demand';
  return providers.has('FARGATE_SPOT') ? 'spot' : undefined;
}

/** vCPU of one task; undefined: the definition does not say (tasks of Fargate always do). */
export function vcpusOf(body: TaskDefinitionBody): number | undefined {
  const units = Number(inCpuUnits(body['cpu']) ?? Number.NaN);
  return Number.isFinite(units) && units > 0 ? units / 1_024 : undefined;
}

/** Roles that ECS and the containers take on, each with the member that names it. */
export function rolesOf(body: TaskDefinitionBody): readonly { readonly role: string; readonly place: string }[] {
  return ['executionRoleArn', 'taskRoleArn'].flatMap((place) => {
    const role = body[place];
    return typeof role === 'string' && role !== '' ? [{ role, place }] : [];
  });
}

/** What there is room for; `of` names it, `needs` is what one task takes of it. */
export interface Room {
  /** `free addresses in subnet-1 and subnet-2` */
  readonly of: string;
  readonly free: number;
  readonly needs: number;
  /** What to do about too little of it. */
  readonly advice: string;
}

export type RoomVerdict =
  | { readonly kind: 'enough' }
  | { readonly kind: 'tight'; readonly warning: string }
  | { readonly kind: 'none'; readonly problem: string };

/** PURE. */
export function judgeRoom({ of, free, needs, advice }: Room, { least, all }: Surge): RoomVerdict {
  const fit = Math.floor(Math.max(0, free) / needs + 1e-9);
  const has = `${of}: ${rounded(Math.max(0, free))}, room for ${fit} ${fit === 1 ? 'task' : 'tasks'}`;
  if (fit < least)
    return { kind: 'none', problem: `${has}, and ${least} more ${least === 1 ? 'has' : 'have'} to start (${advice})` };
  if (fit < all)
    return { kind: 'tight', warning: `${has}; ECS would start ${all} at once and has to go in smaller steps` };
  return { kind: 'enough' };
}

const rounded = (value: number): string => String(Math.round(value * 100) / 100);
