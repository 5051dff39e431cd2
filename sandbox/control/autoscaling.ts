import { serviceArn } from '../core/arn.ts';
import type { State } from '../core/types.ts';
import { Refused } from './refused.ts';
import { type Answer, errorAnswer, jsonAnswer } from './wire/answer.ts';
import type { ApiCall } from './wire/call.ts';
import { notModelled } from './wire/errors.ts';

/*
 * Application Auto Scaling, as far as a deployer meets it: scalable targets of ECS services and what of them is suspended.
 * moto has this service, but asks its own ECS for the service, which here is the core's. Nothing scales by itself.
 */

type Input = Readonly<Record<string, unknown>>;

interface SuspendedState {
  readonly DynamicScalingInSuspended: boolean;
  readonly DynamicScalingOutSuspended: boolean;
  readonly ScheduledScalingSuspended: boolean;
}

interface Target {
  readonly ServiceNamespace: 'ecs';
  readonly ResourceId: string;
  readonly ScalableDimension: 'ecs:service:DesiredCount';
  readonly MinCapacity: number;
  readonly MaxCapacity: number;
  readonly RoleARN: string;
  readonly CreationTime: number;
  readonly ScalableTargetARN: string;
  readonly SuspendedState: SuspendedState;
}

export interface Autoscaling {
  handle(call: ApiCall): Answer;
}

export interface AutoscalingParts {
  readonly state: () => State;
  readonly now: () => number;
}

const NOTHING: SuspendedState = {
  DynamicScalingInSuspended: false,
  DynamicScalingOutSuspended: false,
  ScheduledScalingSuspended: false,
};

export function applicationAutoScaling({ state, now }: AutoscalingParts): Autoscaling {
  const targets = new Map<string, Target>();

  function register(input: Input): Input {
    const id = resourceOf(input, state());
    const known = targets.get(id);
    const [min, max] = [capacity(input, 'MinCapacity', known), capacity(input, 'MaxCapacity', known)];
    if (min > max) throw invalid('Maximum capacity cannot be less than minimum capacity');
    const { account, region } = state().world;
    const number = String(targets.size + 1).padStart(12, '0');
    const made: Target = {
      ServiceNamespace: 'ecs',
      ResourceId: id,
      ScalableDimension: 'ecs:service:DesiredCount',
      MinCapacity: min,
      MaxCapacity: max,
      RoleARN: `arn:aws:iam::${account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService`,
      CreationTime: known?.CreationTime ?? now() / 1_000,
      ScalableTargetARN:
        known?.ScalableTargetARN ??
        `arn:aws:application-autoscaling:${region}:${account}:scalable-target/0ec5${number}`,
      SuspendedState: { ...(known?.SuspendedState ?? NOTHING), ...(input['SuspendedState'] as object | undefined) },
    };
    targets.set(id, made);
    return { ScalableTargetARN: made.ScalableTargetARN };
  }

  function describe(input: Input): Input {
    const wanted = input['ResourceIds'] as readonly string[] | undefined;
    return { ScalableTargets: [...targets.values()].filter(({ ResourceId }) => wanted?.includes(ResourceId) ?? true) };
  }

  function deregister(input: Input): Input {
    if (targets.delete(resourceOf(input, state()))) return {};
    throw new Refused('ObjectNotFoundException', 'No scalable target found for the given resource');
  }

  const operations: Readonly<Record<string, (input: Input) => Input>> = {
    RegisterScalableTarget: register,
    DescribeScalableTargets: describe,
    DeregisterScalableTarget: deregister,
  };

  return {
    handle(call) {
      const operation = operations[call.operation];
      if (operation === undefined) {
        return errorAnswer(call, notModelled(call, `application-autoscaling:${call.operation}`));
      }
      const input = JSON.parse(call.body.toString('utf8') || '{}') as Input;
      try {
        if (input['ServiceNamespace'] !== 'ecs') throw invalid('The sandbox cloud scales ECS services alone');
        return jsonAnswer(operation(input));
      } catch (thrown) {
        if (thrown instanceof Refused) return errorAnswer(call, thrown.error);
        throw thrown;
      }
    },
  };
}

const invalid = (message: string): Refused => new Refused('ValidationException', message);

/** `service/shop/web`, of a service that is there: AWS looks, too. */
function resourceOf(input: Input, state: State): string {
  const id = String(input['ResourceId'] ?? '');
  const [kind, cluster = '', name = ''] = id.split('/');
  if (input['ScalableDimension'] !== 'ecs:service:DesiredCount' || kind !== 'service')
    throw invalid('Unsupported service namespace, resource type or scalable dimension');
  if (state.services[serviceArn(state, cluster, name)] === undefined) throw invalid(`ECS service doesn't exist: ${id}`);
  return id;
}

/** A new target needs both limits; of one that is there, what is not sent stays. */
function capacity(input: Input, member: 'MinCapacity' | 'MaxCapacity', known: Target | undefined): number {
  const given = input[member];
  if (typeof given === 'number') return given;
  if (known !== undefined) return known[member];
  throw invalid(`${member} is required to register a new scalable target`);
}
