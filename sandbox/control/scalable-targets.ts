import { serviceArnOfId } from './ecs/find.ts';
import { type Answer, awsError, errorAnswer, jsonAnswer } from './wire/answer.ts';
import type { ApiCall } from './wire/call.ts';
import { notModelled } from './wire/errors.ts';
import type { Region } from './region.ts';

type Json = Readonly<Record<string, unknown>>;

/** Scalable targets of one account and region, for ECS services alone: limits that are kept and shown; nothing scales by them. */
export interface ScalableTargets {
  handle(call: ApiCall, region: Region): Answer;
}

/** moto looks for the service in its own ECS, which has none: so this is not forwarded. */
export function scalableTargets(now: () => number): ScalableTargets {
  const targets = new Map<string, Json>();

  function register(call: ApiCall, input: Json, region: Region): Answer {
    const id = String(input['ResourceId']);
    if (serviceArnOfId(region.state(), id) === undefined)
      return errorAnswer(call, awsError('ValidationException', `ECS service doesn't exist: ${id}`));
    const known = targets.get(id);
    const min = Number(input['MinCapacity'] ?? known?.['MinCapacity']);
    const max = Number(input['MaxCapacity'] ?? known?.['MaxCapacity']);
    if (!(min >= 0 && max >= min))
      return errorAnswer(
        call,
        awsError('ValidationException', 'Maximum capacity cannot be less than minimum capacity'),
      );
    targets.set(id, {
      ServiceNamespace: 'ecs',
      ResourceId: id,
      ScalableDimension: 'ecs:service:DesiredCount',
      MinCapacity: min,
      MaxCapacity: max,
      CreationTime: known?.['CreationTime'] ?? now() / 1_000,
      SuspendedState: input['SuspendedState'] ?? known?.['SuspendedState'] ?? {},
    });
    return jsonAnswer({});
  }

  return {
    handle(call, region) {
      const input = JSON.parse(call.body.toString('utf8') || '{}') as Json;
      if (call.operation === 'RegisterScalableTarget') return register(call, input, region);
      if (call.operation !== 'DescribeScalableTargets')
        return errorAnswer(call, notModelled(call, `application-autoscaling:${call.operation}`));
      const ids = (input['ResourceIds'] ?? [...targets.keys()]) as readonly string[];
      return jsonAnswer({ ScalableTargets: ids.flatMap((id) => targets.get(id) ?? []) });
    },
  };
}
