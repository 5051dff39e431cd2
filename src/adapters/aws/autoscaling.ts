import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
  type ScalableTarget,
} from '@aws-sdk/client-application-auto-scaling';
import type { Scaling } from '../../domain/shift/scaling.ts';
import type { Autoscaling } from '../../ports/autoscaling.ts';
import type { EcsServiceRef } from '../../ports/ecs.ts';
import { callAws } from './errors.ts';
import type { AwsSession } from './session.ts';

/** The one thing of an ECS service that can be scaled. */
const OF_ECS = { ServiceNamespace: 'ecs', ScalableDimension: 'ecs:service:DesiredCount' } as const;

const LEAVE = 'or set autoscaling to leave';

/** The autoscaling port over Application Auto Scaling. */
export function autoscalingOf(session: Pick<AwsSession, 'clientConfig'>): Autoscaling {
  const client = new ApplicationAutoScalingClient(session.clientConfig);
  return {
    async read(refs, signal) {
      const action = 'application-autoscaling:DescribeScalableTargets';
      const facts = {
        action,
        what: `Could not read the autoscaling of ${refs.map(({ service }) => service).join(' and ')}`,
        advice: { 'access-denied': `Grant ${action}, ${LEAVE}` },
      } as const;
      const targets = await callAws(facts, signal, () =>
        client.send(new DescribeScalableTargetsCommand({ ...OF_ECS, ResourceIds: refs.map(resourceOf) }), {
          abortSignal: signal,
        }),
      );
      return refs.map((ref) => scalingOf(targets.ScalableTargets?.find((each) => each.ResourceId === resourceOf(ref))));
    },
    async suspend(ref, { scaleIn, scaleOut, scheduled }, signal) {
      const action = 'application-autoscaling:RegisterScalableTarget';
      const facts = {
        action,
        what: `Could not set what is suspended in the autoscaling of ${ref.service}`,
        advice: { 'access-denied': `Grant ${action}, ${LEAVE}` },
      } as const;
      const SuspendedState = {
        DynamicScalingInSuspended: scaleIn,
        DynamicScalingOutSuspended: scaleOut,
        ScheduledScalingSuspended: scheduled,
      };
      // For a target that is there, what is not sent stays as it is.
      await callAws(facts, signal, () =>
        client.send(new RegisterScalableTargetCommand({ ...OF_ECS, ResourceId: resourceOf(ref), SuspendedState }), {
          abortSignal: signal,
        }),
      );
    },
  };
}

/** By names, whatever the inputs gave: `service/shop/web`. */
const resourceOf = ({ cluster, service }: EcsServiceRef): string => `service/${lastPart(cluster)}/${lastPart(service)}`;
const lastPart = (nameOrArn: string): string => nameOrArn.split('/').at(-1) ?? nameOrArn;

const scalingOf = (target: ScalableTarget | undefined): Scaling =>
  target === undefined
    ? 'none'
    : {
        scaleIn: target.SuspendedState?.DynamicScalingInSuspended === true,
        scaleOut: target.SuspendedState?.DynamicScalingOutSuspended === true,
        scheduled: target.SuspendedState?.ScheduledScalingSuspended === true,
      };
