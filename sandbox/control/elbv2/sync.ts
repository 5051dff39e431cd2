import type { Event, HealthCheck } from '../../core/types.ts';
import type { LoadBalancers } from '../../plane/types.ts';
import { objectOf, textOf } from '../wire/tree.ts';
import type { Tags } from './load.ts';
import { type ElbModel, groupsOf, type TargetGroupView } from './model.ts';
import { planeListeners } from './plane-view.ts';

/** Brings core and data plane to what the model says; only differences are told. */
export interface Sync {
  bring(model: ElbModel, tagsOf: (arn: string) => Tags): Promise<void>;
  listenerUrl(arn: string): string | undefined;
}

export function syncing(apply: (event: Event) => void, balancers: LoadBalancers): Sync {
  const groups = new Map<string, string>();
  const attached = new Map<string, string>();
  const listeners = new Map<string, string>();
  const urls = new Map<string, string>();

  function bringGroups(model: ElbModel, tagsOf: (arn: string) => Tags): void {
    for (const group of model.targetGroups) {
      const healthCheck = healthCheckOf(group, tagsOf(group.arn));
      const event: Event = {
        kind: 'target-group-configured',
        targetGroupArn: group.arn,
        name: group.name,
        port: group.port,
        healthCheck,
      };
      const print = JSON.stringify(event);
      if (groups.get(group.arn) === print) continue;
      groups.set(group.arn, print);
      apply(event);
    }
    const living = new Set(model.targetGroups.map(({ arn }) => arn));
    for (const arn of groups.keys()) {
      if (living.has(arn)) continue;
      groups.delete(arn);
      apply({ kind: 'target-group-deleted', targetGroupArn: arn });
    }
  }

  function bringAttachments(model: ElbModel, loadBalancerArns: readonly string[]): void {
    for (const arn of loadBalancerArns) {
      const targetGroupArns = groupsOf(model, arn);
      const print = JSON.stringify(targetGroupArns);
      if (attached.get(arn) === print) continue;
      attached.set(arn, print);
      apply({ kind: 'load-balancer-changed', loadBalancerArn: arn, targetGroupArns });
    }
  }

  async function bringListeners(model: ElbModel, loadBalancerArns: readonly string[]): Promise<void> {
    for (const arn of loadBalancerArns) {
      const wanted = planeListeners(model, arn);
      const print = JSON.stringify(wanted);
      if ((listeners.get(arn) ?? '[]') === print) continue;
      listeners.set(arn, print);
      for (const [listener, url] of Object.entries(await balancers.configure(arn, wanted))) urls.set(listener, url);
    }
  }

  return {
    async bring(model, tagsOf) {
      bringGroups(model, tagsOf);
      const arns = [...new Set([...attached.keys(), ...model.loadBalancers.map(({ arn }) => arn)])];
      bringAttachments(model, arns);
      await bringListeners(model, arns);
      const living = new Set(model.listeners.map(({ arn }) => arn));
      for (const arn of urls.keys()) if (!living.has(arn)) urls.delete(arn);
    },
    listenerUrl: (arn) => urls.get(arn),
  };
}

/** Sandbox-only: health checks faster than the service's 5 s, for rehearsals that people watch. */
export const INTERVAL_TAG = 'sandbox:health-interval-ms';
export const TIMEOUT_TAG = 'sandbox:health-timeout-ms';

function healthCheckOf({ shown }: TargetGroupView, tags: Tags): HealthCheck {
  const number = (name: string): number => Number(textOf(shown[name]) ?? Number.NaN);
  return {
    path: textOf(shown['HealthCheckPath']) || '/',
    interval: Number(tags[INTERVAL_TAG] ?? number('HealthCheckIntervalSeconds') * 1_000),
    timeout: Number(tags[TIMEOUT_TAG] ?? number('HealthCheckTimeoutSeconds') * 1_000),
    healthyThreshold: number('HealthyThresholdCount'),
    unhealthyThreshold: number('UnhealthyThresholdCount'),
    matcher: textOf(objectOf(shown['Matcher'])['HttpCode']) ?? '200',
  };
}
