import type { FargateKind } from '../../domain/ecs/capacity.ts';
import { CloudFailure } from '../../domain/retry-policy.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeployConditions, Unknown } from '../../ports/deploy-conditions.ts';
import type { CallFacts } from './errors.ts';
import type { AwsSession } from './session.ts';
import { type SendSigned, elements, signedCalls } from './signed-call.ts';

export type RoomSession = Pick<AwsSession, 'accountId' | 'region' | 'credentials' | 'endpointOf'>;

/** Roles, addresses and quotas: what else ECS finds out only when a task starts. */
export function deployRoomOf(
  session: RoomSession,
  clock: Clock,
): Pick<DeployConditions, 'role' | 'freeAddresses' | 'fargateQuota'> {
  const send = signedCalls(session, clock);
  return {
    role: (role, signal) => lookForRole(role, session, send, signal),
    async freeAddresses(subnets, signal) {
      const facts = { action: 'ec2:DescribeSubnets', what: 'Could not read the subnets' };
      const named = subnets.map((subnet, index) => [`SubnetId.${index + 1}`, subnet]);
      const fields = { Action: 'DescribeSubnets', Version: '2016-11-15', ...Object.fromEntries(named) };
      try {
        const ask = { kind: 'query', fields } as const;
        const answer = await send({ service: 'ec2', endpointId: 'EC2', ask }, facts, signal);
        const counts = elements(answer, COUNT).map(Number);
        if (counts.length !== new Set(subnets).size || counts.some((count) => !Number.isFinite(count)))
          return { kind: 'unknown', why: `${facts.action} told ${counts.length} counts of ${subnets.length} subnets` };
        // The count is of IPv4 addresses, of which such a subnet has none; of IPv6 there are always enough.
        if (elements(answer, 'ipv6Native').includes('true')) return { kind: 'known', free: Number.POSITIVE_INFINITY };
        return { kind: 'known', free: counts.reduce((sum, count) => sum + count, 0) };
      } catch (thrown) {
        if (isNotFound(thrown)) return { kind: 'missing', why: 'does not exist' };
        return unknown(thrown);
      }
    },
    async fargateQuota(of, signal) {
      try {
        const quota = await readQuota(QUOTAS[of], send, signal);
        if (quota === undefined)
          return { kind: 'unknown', why: `servicequotas:GetServiceQuota told no value of ${QUOTAS[of]}` };
        const used = await readUsage(of, { send, clock }, signal);
        return { kind: 'known', quota, code: QUOTAS[of], ...(used === undefined ? {} : { used }) };
      } catch (thrown) {
        return unknown(thrown);
      }
    },
  };
}

const COUNT = 'availableIpAddressCount';
/** "Fargate On-Demand vCPU resource count" and "Fargate Spot vCPU resource count" (General Reference, ECS quotas). */
const QUOTAS: Readonly<Record<FargateKind, string>> = { 'on-demand': 'L-3032A538', spot: 'L-36FBB829' };
const CLASSES: Readonly<Record<FargateKind, string>> = { 'on-demand': 'Standard/OnDemand', spot: 'Standard/Spot' };

const isNotFound = (thrown: unknown): boolean => thrown instanceof CloudFailure && thrown.kind === 'not-found';

/** A pre-flight check that fails is no reason to stop a release; a bug or a cancelled run is. */
function unknown(thrown: unknown): Unknown {
  if (!(thrown instanceof CloudFailure)) throw thrown;
  return { kind: 'unknown', why: thrown.facts.why ?? thrown.message };
}

async function lookForRole(
  role: string,
  { accountId, region }: RoomSession,
  send: SendSigned,
  signal: AbortSignal,
): ReturnType<DeployConditions['role']> {
  const [, , , , account] = role.split(':');
  if (role.startsWith('arn:') && account !== accountId)
    return { kind: 'unknown', why: `${role} is of account ${account}, and the credentials are of ${accountId}` };
  const RoleName = role.slice(role.lastIndexOf('/') + 1);
  const facts: CallFacts = { action: 'iam:GetRole', what: `Could not look for role ${role}` };
  const fields = { Action: 'GetRole', Version: '2010-05-08', RoleName };
  try {
    const call = { service: 'iam', endpointId: 'IAM', at: iamOf(region), ask: { kind: 'query', fields } } as const;
    const [arn] = elements(await send(call, facts, signal), 'Arn');
    // Its path is part of the ARN, and ECS takes the ARN as it is.
    return role.startsWith('arn:') && arn !== undefined && arn !== role
      ? { kind: 'missing', why: `does not exist; ${arn} does` }
      : { kind: 'there' };
  } catch (thrown) {
    return isNotFound(thrown) ? { kind: 'missing', why: 'does not exist' } : unknown(thrown);
  }
}

/** IAM is one for each partition. */
function iamOf(region: string): { readonly host: string; readonly region: string } {
  if (region.startsWith('cn-')) return { host: 'iam.cn-north-1.amazonaws.com.cn', region: 'cn-north-1' };
  if (region.startsWith('us-gov-')) return { host: 'iam.us-gov.amazonaws.com', region: 'us-gov-west-1' };
  return { host: 'iam.amazonaws.com', region: 'us-east-1' };
}

async function readQuota(QuotaCode: string, send: SendSigned, signal: AbortSignal): Promise<number | undefined> {
  const facts = { action: 'servicequotas:GetServiceQuota', what: `Could not read quota ${QuotaCode}` };
  const target = 'ServiceQuotasV20190624.GetServiceQuota';
  const ask = { kind: 'json', target, input: { ServiceCode: 'fargate', QuotaCode } } as const;
  const answer = JSON.parse(
    await send({ service: 'servicequotas', endpointId: 'SERVICE_QUOTAS', ask }, facts, signal),
  ) as {
    readonly Quota?: { readonly Value?: number };
  };
  return answer.Quota?.Value;
}

/** The newest value of the last quarter of an hour; undefined: none, which is not zero. */
async function readUsage(
  of: FargateKind,
  { send, clock }: { readonly send: SendSigned; readonly clock: Clock },
  signal: AbortSignal,
): Promise<number | undefined> {
  const facts = { action: 'cloudwatch:GetMetricData', what: 'Could not read how much of Fargate is in use' };
  const dimensions = { Service: 'Fargate', Type: 'Resource', Resource: 'vCPU', Class: CLASSES[of] };
  const Metric = {
    Namespace: 'AWS/Usage',
    MetricName: 'ResourceCount',
    Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
  };
  const to = Math.floor(clock.now() / 1_000);
  const input = {
    MetricDataQueries: [{ Id: 'used', MetricStat: { Metric, Period: 60, Stat: 'Maximum' } }],
    StartTime: to - 900,
    EndTime: to,
    ScanBy: 'TimestampDescending',
  };
  const ask = { kind: 'json', target: 'GraniteServiceVersion20100801.GetMetricData', input } as const;
  const answer = JSON.parse(await send({ service: 'monitoring', endpointId: 'CLOUDWATCH', ask }, facts, signal)) as {
    readonly MetricDataResults?: readonly { readonly Values?: readonly number[] }[];
  };
  return answer.MetricDataResults?.[0]?.Values?.[0];
}
