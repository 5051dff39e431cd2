import type { State, Task } from '../core/types.ts';
import { type Answer, awsError, errorAnswer, jsonAnswer } from './wire/answer.ts';
import type { ApiCall } from './wire/call.ts';
import { notModelled } from './wire/errors.ts';

/*
 * The quota of Fargate on-demand vCPU and the metric of its use. moto knows the quotas of VPC alone and measures nothing.
 * The quota is told and not enforced: a task that is over it starts all the same.
 */

const QUOTA_CODE = 'L-3032A538';
/** An account that has been in use for a while; a new one has 6. */
const USUAL_QUOTA = 4_000;
const DIMENSIONS: Readonly<Record<string, string>> = {
  Class: 'Standard/OnDemand',
  Resource: 'vCPU',
  Service: 'Fargate',
  Type: 'Resource',
};

export const USAGE_NAMESPACE = 'AWS/Usage';

export interface FargateAccount {
  /** vCPU. `elsewhere`: what other clusters of the account are taken to run. */
  set(account: { readonly quota?: number; readonly elsewhere?: number }): void;
  /** servicequotas:GetServiceQuota */
  quota(call: ApiCall): Answer;
  /** cloudwatch:GetMetricData of AWS/Usage: one query. */
  usage(call: ApiCall): Answer;
}

interface UsageQuery {
  readonly Id?: string;
  readonly MetricStat?: {
    readonly Metric?: {
      readonly MetricName?: string;
      readonly Dimensions?: readonly { readonly Name?: string; readonly Value?: string }[];
    };
  };
}

export function fargateAccount(state: () => State, now: () => number): FargateAccount {
  let quota = USUAL_QUOTA;
  let elsewhere = 0;
  return {
    set(account) {
      quota = account.quota ?? quota;
      elsewhere = account.elsewhere ?? elsewhere;
    },
    quota(call) {
      const { ServiceCode, QuotaCode } = inputOf(call);
      if (call.operation !== 'GetServiceQuota')
        return errorAnswer(call, notModelled(call, `servicequotas:${call.operation}`));
      if (ServiceCode !== 'fargate' || QuotaCode !== QUOTA_CODE)
        return errorAnswer(
          call,
          awsError('NoSuchResourceException', 'The request failed because the specified quota does not exist.'),
        );
      return jsonAnswer({
        Quota: {
          ServiceCode,
          ServiceName: 'AWS Fargate',
          QuotaCode,
          QuotaName: 'Fargate On-Demand vCPU resource count',
          Value: quota,
          Unit: 'None',
          Adjustable: true,
          GlobalQuota: false,
          UsageMetric: {
            MetricNamespace: USAGE_NAMESPACE,
            MetricName: 'ResourceCount',
            MetricDimensions: DIMENSIONS,
            MetricStatisticRecommendation: 'Maximum',
          },
        },
      });
    },
    usage(call) {
      const [query] = (inputOf(call)['MetricDataQueries'] ?? []) as readonly UsageQuery[];
      const { MetricName, Dimensions = [] } = query?.MetricStat?.Metric ?? {};
      const asked = Object.fromEntries(Dimensions.map(({ Name = '', Value }) => [Name, Value]));
      const own =
        MetricName === 'ResourceCount' &&
        Dimensions.length === Object.keys(DIMENSIONS).length &&
        Object.entries(DIMENSIONS).every(([name, value]) => asked[name] === value);
      const used = elsewhere + vcpusInUse(state());
      const minute = Math.floor(now() / 60_000) * 60;
      // Nothing in use is nothing to report.
      const points = own && used > 0 ? { Timestamps: [minute], Values: [used] } : { Timestamps: [], Values: [] };
      return jsonAnswer({
        Messages: [],
        MetricDataResults: [{ Id: query?.Id, Label: MetricName, StatusCode: 'Complete', ...points }],
      });
    },
  };
}

const inputOf = (call: ApiCall): Readonly<Record<string, unknown>> =>
  JSON.parse(call.body.toString('utf8') || '{}') as Readonly<Record<string, unknown>>;

const vcpusInUse = ({ tasks }: State): number =>
  Object.values(tasks).reduce((sum, task) => sum + (isUp(task) ? Number(task.template.cpu) / 1_024 : 0), 0);

const isUp = ({ status }: Task): boolean => status !== 'STOPPED';
