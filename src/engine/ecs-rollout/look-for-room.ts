import { type Room, type Surge, fargateOf, judgeRoom, subnetsOf, surgeOf, vcpusOf } from '../../domain/ecs/capacity.ts';
import type { Preflight } from '../../domain/ecs/preflight.ts';
import type { EcsService } from '../../domain/ecs/service.ts';
import type { TaskDefinitionBody } from '../../domain/ecs/task-definition.ts';
import type { DeployConditions } from '../../ports/deploy-conditions.ts';

interface Moving {
  readonly service: EcsService;
  readonly body: TaskDefinitionBody;
  /** Absent: as many as the service has. */
  readonly desired?: number | undefined;
}

const NOTHING: Preflight = { problems: [], warnings: [] };

/** Whether the tasks that a deployment starts beside those that run find an address and a share of the account's quota. */
export async function lookForRoom(
  { service, body, desired }: Moving,
  conditions: DeployConditions,
  signal: AbortSignal,
): Promise<Preflight> {
  const surge = surgeOf(service, desired);
  if (surge.all === 0) return NOTHING;
  const [addresses, quota] = await Promise.all([
    lookForAddresses({ service, body, surge }, conditions, signal),
    lookForQuota({ service, body, surge }, conditions, signal),
  ]);
  return {
    problems: [...addresses.problems, ...quota.problems],
    warnings: [...addresses.warnings, ...quota.warnings],
  };
}

type Started = Omit<Moving, 'desired'> & { readonly surge: Surge };

async function lookForAddresses(
  { service, surge }: Started,
  conditions: DeployConditions,
  signal: AbortSignal,
): Promise<Preflight> {
  const subnets = subnetsOf(service);
  if (subnets.length === 0) return NOTHING;
  const found = await conditions.freeAddresses(subnets, signal);
  if (found.kind === 'unknown')
    return warn(`Whether the subnets of ${service.ref.service} have free addresses is not known: ${found.why}`);
  if (found.kind === 'missing')
    return { problems: [`a subnet of ${service.ref.service} (${subnets.join(', ')}) ${found.why}`], warnings: [] };
  const advice = 'give the service more or larger subnets';
  return judged({ of: `Free addresses in ${subnets.join(', ')}`, free: found.free, needs: 1, advice }, surge);
}

async function lookForQuota(
  { service, body, surge }: Started,
  conditions: DeployConditions,
  signal: AbortSignal,
): Promise<Preflight> {
  const kind = fargateOf(service);
  const needs = vcpusOf(body);
  if (kind === undefined || needs === undefined) return NOTHING;
  const found = await conditions.fargateQuota(kind, signal);
  if (found.kind === 'unknown') return warn(`Whether the Fargate quota has room is not known: ${found.why}`);
  const { quota, code } = found;
  // The metric is some minutes old; what the service itself runs is the least that is in use.
  const used = Math.max(found.used ?? 0, service.running * needs);
  const advice = `ask for more of quota ${code}, or scale something down`;
  return judged({ of: `Fargate vCPU left of ${quota} ${kind}`, free: quota - used, needs, advice }, surge);
}

const warn = (warning: string): Preflight => ({ problems: [], warnings: [warning] });

function judged(room: Room, surge: Surge): Preflight {
  const verdict = judgeRoom(room, surge);
  if (verdict.kind === 'enough') return NOTHING;
  return verdict.kind === 'none' ? { problems: [verdict.problem], warnings: [] } : warn(verdict.warning);
}
