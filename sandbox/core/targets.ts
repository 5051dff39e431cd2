import type { Address, Target } from '../plane/types.ts';
import { judgeAnswer, type Verdict } from './health.ts';
import { putTargetGroup, type Turn, wake } from './turn.ts';
import type { Event, State, TargetEntry, TargetGroup, TargetReason } from './types.ts';
import { targetDescriptions } from './wording.ts';

export const targetId = (ip: string, port: number): string => `${ip}:${port}`;

/** Whether a listener or a rule of a load balancer names the group. */
export const inUse = (state: State, targetGroupArn: string): boolean =>
  Object.values(state.loadBalancers).some((arns) => arns.includes(targetGroupArn));

export function configureTargetGroup(turn: Turn, event: Event & { readonly kind: 'target-group-configured' }): void {
  const known = turn.state.targetGroups[event.targetGroupArn];
  putTargetGroup(turn, {
    // The default of ELBv2: 300 s, until ModifyTargetGroupAttributes says otherwise.
    ...(known ?? { arn: event.targetGroupArn, deregistrationDelay: 300_000, targets: {} }),
    name: event.name,
    port: event.port,
    healthCheck: event.healthCheck,
  });
}

export function deleteTargetGroup(turn: Turn, targetGroupArn: string): void {
  const { [targetGroupArn]: gone, ...rest } = turn.state.targetGroups;
  if (gone === undefined) return;
  turn.state = { ...turn.state, targetGroups: rest };
  turn.changedGroups.add(targetGroupArn);
}

/** Targets of a group that comes into use start anew; those of a group that falls out of use are not checked any more. */
export function changeLoadBalancer(turn: Turn, loadBalancerArn: string, targetGroupArns: readonly string[]): void {
  const before = turn.state;
  const { [loadBalancerArn]: _, ...others } = before.loadBalancers;
  const loadBalancers = targetGroupArns.length === 0 ? others : { ...others, [loadBalancerArn]: [...targetGroupArns] };
  turn.state = { ...before, loadBalancers };
  for (const group of Object.values(before.targetGroups)) {
    if (inUse(before, group.arn) === inUse(turn.state, group.arn)) continue;
    for (const target of Object.values(group.targets)) {
      if (target.state !== 'draining') putTarget(turn, group.arn, entered(turn, group.arn, target));
    }
  }
}

interface Registration {
  readonly ip: string;
  readonly port: number;
  readonly address: Address | undefined;
}

/** Registering again what is registered changes nothing; a draining target comes back as a new one. */
export function registerTarget(turn: Turn, targetGroupArn: string, target: Registration): void {
  const group = turn.state.targetGroups[targetGroupArn];
  if (group === undefined) return;
  const known = group.targets[targetId(target.ip, target.port)];
  if (known !== undefined && known.state !== 'draining') return;
  putTarget(turn, targetGroupArn, entered(turn, targetGroupArn, { ...target, id: targetId(target.ip, target.port) }));
}

/** No new requests from now on; the entry goes when the deregistration delay is over. */
export function deregisterTarget(turn: Turn, targetGroupArn: string, id: string): 'deregistered' | 'not-registered' {
  const group = turn.state.targetGroups[targetGroupArn];
  const target = group?.targets[id];
  if (group === undefined || target === undefined || target.state === 'draining') return 'not-registered';
  putTarget(turn, targetGroupArn, {
    ...target,
    ...shown('draining', 'Target.DeregistrationInProgress'),
    nextCheckAt: undefined,
    check: undefined,
    drainedAt: turn.now + group.deregistrationDelay,
  });
  return 'deregistered';
}

/** An answer that was not waited for (the target left, or a newer check is under way) is dropped. */
export function answerHealthCheck(turn: Turn, event: Event & { readonly kind: 'health-answer' }): void {
  const group = turn.state.targetGroups[event.targetGroupArn];
  const target = group?.targets[event.targetId];
  if (group === undefined || target?.check === undefined || target.check !== event.check) return;
  const verdict = judgeAnswer(event.answer, group.healthCheck.matcher);
  putTarget(turn, group.arn, judged(target, verdict, group));
}

function judged(target: TargetEntry, verdict: Verdict, { healthCheck }: TargetGroup): TargetEntry {
  const answered = { ...target, check: undefined };
  switch (verdict.kind) {
    case 'good': {
      const good = target.good + 1;
      const enough = target.state === 'initial' || good >= healthCheck.healthyThreshold;
      return { ...answered, good, bad: 0, ...(enough ? shown('healthy', undefined) : {}) };
    }
    case 'bad': {
      const bad = target.bad + 1;
      const fallen = { state: 'unhealthy', reason: verdict.reason, description: verdict.description } as const;
      return { ...answered, good: 0, bad, ...(bad >= healthCheck.unhealthyThreshold ? fallen : {}) };
    }
  }
}

/** Sends the checks that are due and lets go of targets whose deregistration delay is over. */
export function runTargets(turn: Turn): void {
  for (const group of Object.values(turn.state.targetGroups)) {
    for (const target of Object.values(group.targets)) {
      if (target.drainedAt !== undefined && target.drainedAt <= turn.now) dropTarget(turn, group.arn, target);
      if (target.nextCheckAt !== undefined && target.nextCheckAt <= turn.now) check(turn, group, target);
    }
  }
}

function check(turn: Turn, group: TargetGroup, target: TargetEntry): void {
  const { interval, path, timeout } = group.healthCheck;
  const next = { ...target, nextCheckAt: turn.now + Math.max(1, interval) };
  const begun = target.reason === 'Elb.RegistrationInProgress' ? shown('initial', 'Elb.InitialHealthChecking') : {};
  if (target.check !== undefined) {
    putTarget(turn, group.arn, next);
    return;
  }
  turn.state = { ...turn.state, counter: turn.state.counter + 1 };
  const number = turn.state.counter;
  putTarget(turn, group.arn, { ...next, ...begun, check: number });
  if (target.address === undefined) {
    // Nothing is at this address, and nothing answers from there.
    const nobody = { kind: 'failed', reason: 'timed out' } as const;
    const event = { targetGroupArn: group.arn, targetId: target.id, check: number, answer: nobody };
    answerHealthCheck(turn, { kind: 'health-answer', ...event });
    return;
  }
  turn.effects.push({
    kind: 'check-health',
    targetGroupArn: group.arn,
    targetId: target.id,
    check: number,
    address: target.address,
    path,
    timeout,
  });
}

/** A target as it is when it is registered, or when its group comes into or falls out of use. */
function entered(turn: Turn, targetGroupArn: string, target: Registration & { readonly id: string }): TargetEntry {
  const used = inUse(turn.state, targetGroupArn);
  return {
    id: target.id,
    ip: target.ip,
    port: target.port,
    address: target.address,
    ...(used ? shown('initial', 'Elb.RegistrationInProgress') : shown('unused', 'Target.NotInUse')),
    registeredAt: turn.now,
    good: 0,
    bad: 0,
    nextCheckAt: used ? turn.now + turn.state.pace.registering : undefined,
    check: undefined,
    drainedAt: undefined,
  };
}

const shown = <S extends TargetEntry['state']>(state: S, reason: TargetReason | undefined) => ({
  state,
  reason,
  description: reason === undefined ? undefined : targetDescriptions[reason],
});

function putTarget(turn: Turn, targetGroupArn: string, target: TargetEntry): void {
  const group = turn.state.targetGroups[targetGroupArn];
  if (group === undefined) return;
  const before = group.targets[target.id];
  const visible = before === undefined || before.state !== target.state || before.address !== target.address;
  const changed = { ...group, targets: { ...group.targets, [target.id]: target } };
  if (!visible) {
    turn.state = { ...turn.state, targetGroups: { ...turn.state.targetGroups, [group.arn]: changed } };
    return;
  }
  putTargetGroup(turn, changed);
  wakeOwner(turn, target.ip);
}

function dropTarget(turn: Turn, targetGroupArn: string, target: TargetEntry): void {
  const group = turn.state.targetGroups[targetGroupArn];
  if (group === undefined) return;
  const { [target.id]: _, ...targets } = group.targets;
  putTargetGroup(turn, { ...group, targets });
  wakeOwner(turn, target.ip);
}

function wakeOwner(turn: Turn, ip: string): void {
  const owner = Object.values(turn.state.tasks).find((task) => task.ip === ip && task.status !== 'STOPPED');
  wake(turn, owner?.serviceArn);
}

/** What the load balancers get: targets with a real address, in the order of registration; one that is gone is not in it. */
export function targetsOf(state: State, targetGroupArn: string): readonly Target[] {
  return Object.values(state.targetGroups[targetGroupArn]?.targets ?? {}).flatMap(
    ({ id, state: shownState, address }) => (address === undefined ? [] : [{ id, state: shownState, address }]),
  );
}

/** One line of DescribeTargetHealth. */
export interface TargetHealth {
  readonly ip: string;
  readonly port: number;
  readonly state: string;
  readonly reason?: string;
  readonly description?: string;
}

/** What DescribeTargetHealth shows: all targets of the group, or those asked for (unused/Target.NotRegistered when unknown). */
export function targetHealthOf(
  state: State,
  targetGroupArn: string,
  asked?: readonly { readonly ip: string; readonly port?: number }[],
): readonly TargetHealth[] {
  const group = state.targetGroups[targetGroupArn];
  const targets = group?.targets ?? {};
  if (asked === undefined) return Object.values(targets).map(healthLine);
  return asked.map(({ ip, port = group?.port ?? 80 }) => {
    const target = targets[targetId(ip, port)];
    return healthLine(target ?? { ip, port, ...shown('unused', 'Target.NotRegistered') });
  });
}

const healthLine = (target: Pick<TargetEntry, 'ip' | 'port' | 'state' | 'reason' | 'description'>): TargetHealth => ({
  ip: target.ip,
  port: target.port,
  state: target.state,
  ...(target.reason === undefined ? {} : { reason: target.reason }),
  ...(target.description === undefined ? {} : { description: target.description }),
});
