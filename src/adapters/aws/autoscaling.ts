import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { lastPart } from '../../domain/ecs/arn.ts';
import type { Autoscaling, ScalingLimits } from '../../ports/autoscaling.ts';
import type { EcsServiceRef } from '../../ports/ecs.ts';
import { callAws } from './errors.ts';
import type { AwsSession } from './session.ts';

const TARGET = { ServiceNamespace: 'ecs', ScalableDimension: 'ecs:service:DesiredCount' } as const;
/** `service/shop/web`: names, not ARNs. */
const idOf = ({ cluster, service }: EcsServiceRef): string => `service/${lastPart(cluster)}/${lastPart(service)}`;

export function autoscalingOf(session: Pick<AwsSession, 'clientConfig'>): Autoscaling {
  const client = new ApplicationAutoScalingClient(session.clientConfig);
  return {
    async limits(ref, signal) {
      const what = `Could not read the scaling limits of ${ref.service}`;
      const action = 'application-autoscaling:DescribeScalableTargets';
      const answer = await callAws({ action, what }, signal, () =>
        client.send(new DescribeScalableTargetsCommand({ ...TARGET, ResourceIds: [idOf(ref)] }), {
          abortSignal: signal,
        }),
      );
      const [target] = answer.ScalableTargets ?? [];
      if (target === undefined) return undefined;
      const state = target.SuspendedState;
      const suspended: ScalingLimits['suspended'] = [
        ...(state?.DynamicScalingInSuspended === true ? (['scaling in'] as const) : []),
        ...(state?.DynamicScalingOutSuspended === true ? (['scaling out'] as const) : []),
        ...(state?.ScheduledScalingSuspended === true ? (['scheduled scaling'] as const) : []),
      ];
      return { min: target.MinCapacity ?? 0, max: target.MaxCapacity ?? 0, suspended };
    },
    async setLimits(ref, { min, max }, signal) {
      const what = `Could not set the scaling limits of ${ref.service} to ${min} and ${max}`;
      const action = 'application-autoscaling:RegisterScalableTarget';
      const input = { ...TARGET, ResourceId: idOf(ref), MinCapacity: min, MaxCapacity: max };
      // Without SuspendedState, which then stays as it is.
      await callAws({ action, what }, signal, () =>
        client.send(new RegisterScalableTargetCommand(input), { abortSignal: signal }),
      );
    },
  };
}
