import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
  type ScalableTarget,
} from '@aws-sdk/client-application-auto-scaling';
import { lastPart } from '../../domain/ecs/arn.ts';
import type { Scaling } from '../../domain/shift/scaling.ts';
import type { Autoscaling, AutoscalingLimits, ScalingLimits } from '../../ports/autoscaling.ts';
import type { EcsServiceRef } from '../../ports/ecs.ts';
import { callAws } from './errors.ts';
import type { AwsSession } from './session.ts';

/** The one thing of an ECS service that can be scaled. */
const OF_ECS = { ServiceNamespace: 'ecs', ScalableDimension: 'ecs:service:DesiredCount' } as const;
const READ = 'application-autoscaling:DescribeScalableTargets';
const WRITE = 'application-autoscaling:RegisterScalableTarget';
const LEAVE = 'or set autoscaling to leave';

type Session = Pick<AwsSession, 'clientConfig'>;

/** The port over Application Auto Scaling that holds scaling still while traffic moves. */
export function autoscalingOf(session: Session): Autoscaling {
  const client = new ApplicationAutoScalingClient(session.clientConfig);
  return {
    async read(refs, signal) {
      const facts = {
        action: READ,
        what: `Could not read the autoscaling of ${refs.map(({ service }) => service).join(' and ')}`,
        advice: { 'access-denied': `Grant ${READ}, ${LEAVE}` },
      } as const;
      const targets = await callAws(facts, signal, () => targetsOf(client, refs, signal));
      return refs.map((ref) => scalingOf(targets.find((each) => each.ResourceId === resourceOf(ref))));
    },
    async suspend(ref, { scaleIn, scaleOut, scheduled }, signal) {
      const facts = {
        action: WRITE,
        what: `Could not set what is suspended in the autoscaling of ${ref.service}`,
        advice: { 'access-denied': `Grant ${WRITE}, ${LEAVE}` },
      } as const;
      const SuspendedState = {
        DynamicScalingInSuspended: scaleIn,
        DynamicScalingOutSuspended: scaleOut,
        ScheduledScalingSuspended: scheduled,
      };
      await callAws(facts, signal, () => register(client, { ref, SuspendedState }, signal));
    },
  };
}

/** The port over Application Auto Scaling that shows and moves the limits of a service. */
export function autoscalingLimitsOf(session: Session): AutoscalingLimits {
  const client = new ApplicationAutoScalingClient(session.clientConfig);
  return {
    async limits(ref, signal) {
      const facts = { action: READ, what: `Could not read the scaling limits of ${ref.service}` } as const;
      const [target] = await callAws(facts, signal, () => targetsOf(client, [ref], signal));
      return target && limitsOf(target);
    },
    async setLimits(ref, { min, max }, signal) {
      const what = `Could not set the scaling limits of ${ref.service} to ${min} and ${max}`;
      const change = { ref, MinCapacity: min, MaxCapacity: max };
      await callAws({ action: WRITE, what }, signal, () => register(client, change, signal));
    },
  };
}

const targetsOf = async (
  client: ApplicationAutoScalingClient,
  refs: readonly EcsServiceRef[],
  abortSignal: AbortSignal,
): Promise<readonly ScalableTarget[]> =>
  (
    await client.send(new DescribeScalableTargetsCommand({ ...OF_ECS, ResourceIds: refs.map(resourceOf) }), {
      abortSignal,
    })
  ).ScalableTargets ?? [];

/** For a target that is there, what is not sent stays as it is. */
const register = (
  client: ApplicationAutoScalingClient,
  {
    ref,
    ...change
  }: { readonly ref: EcsServiceRef } & {
    readonly SuspendedState?: ScalableTarget['SuspendedState'];
    readonly MinCapacity?: number;
    readonly MaxCapacity?: number;
  },
  abortSignal: AbortSignal,
) =>
  client.send(new RegisterScalableTargetCommand({ ...OF_ECS, ResourceId: resourceOf(ref), ...change }), {
    abortSignal,
  });

/** By names, whatever the inputs gave: `service/shop/web`. */
const resourceOf = ({ cluster, service }: EcsServiceRef): string => `service/${lastPart(cluster)}/${lastPart(service)}`;

const scalingOf = (target: ScalableTarget | undefined): Scaling =>
  target === undefined
    ? 'none'
    : {
        scaleIn: target.SuspendedState?.DynamicScalingInSuspended === true,
        scaleOut: target.SuspendedState?.DynamicScalingOutSuspended === true,
        scheduled: target.SuspendedState?.ScheduledScalingSuspended === true,
      };

function limitsOf(target: ScalableTarget): ScalingLimits {
  const state = target.SuspendedState;
  const suspended: ScalingLimits['suspended'] = [
    ...(state?.DynamicScalingInSuspended === true ? (['scaling in'] as const) : []),
    ...(state?.DynamicScalingOutSuspended === true ? (['scaling out'] as const) : []),
    ...(state?.ScheduledScalingSuspended === true ? (['scheduled scaling'] as const) : []),
  ];
  return { min: target.MinCapacity ?? 0, max: target.MaxCapacity ?? 0, suspended };
}
