import { loadBalancersOf } from './elbv2/model.ts';
import type { Event, State } from '../core/types.ts';
import type { MeasuredLoadBalancers } from '../plane/types.ts';
import { getMetricData, type MetricDataInput, NAMESPACE } from './cloudwatch/get-metric-data.ts';
import type { Autoscaling } from './autoscaling.ts';
import { putImage } from './ecr.ts';
import { type FargateAccount, USAGE_NAMESPACE } from './fargate.ts';
import { logEvents } from './log-events.ts';
import type { EcsContext } from './ecs/types.ts';
import { handleEcs } from './ecs/handle.ts';
import type { Elb } from './elbv2/handle.ts';
import type { Moto } from './moto.ts';
import type { Region } from './region.ts';
import type { Route53 } from './route53/handle.ts';
import type { Session, Sessions } from './sessions.ts';
import type { TaskDefinitions } from './task-definitions.ts';
import { type Answer, awsError, errorAnswer, jsonAnswer } from './wire/answer.ts';
import type { ApiCall } from './wire/call.ts';
import { notModelled } from './wire/errors.ts';

/** What answers the calls of one account in one region. */
export interface Services {
  readonly region: Region;
  readonly elb: Elb;
  /** What was really served, for the metrics of the load balancer. */
  readonly balancers: MeasuredLoadBalancers;
  /** One for all regions of the account. */
  readonly route53: Route53;
  readonly autoscaling: Autoscaling;
  readonly fargate: FargateAccount;
  readonly taskDefinitions: TaskDefinitions;
  readonly moto: Moto;
  readonly sessions: Sessions;
  now(): number;
  /** What a task printed, by its id. */
  taskLogs(id: string): readonly string[];
}

/** The one place that decides who answers: the core, the front before moto, or moto alone. */
export function dispatch(call: ApiCall, services: Services, session: Session | undefined): Promise<Answer> {
  switch (call.service) {
    case 'ecs':
      return services.taskDefinitions.handle(call, session?.arn ?? '') ?? ecs(call, services);
    case 'elasticloadbalancing':
      return services.elb.handle(call);
    case 'route53':
      return services.route53.handle(call);
    case 'application-autoscaling':
      return Promise.resolve(services.autoscaling.handle(call));
    case 'servicequotas':
      return Promise.resolve(services.fargate.quota(call));
    case 'cloudformation':
      return cloudFormation(call, services);
    case 'cloudwatch':
      return cloudWatch(call, services);
    case 'ecr':
      return call.operation === 'PutImage' ? putImage(call, services.moto) : services.moto.forward(call);
    case 'logs':
      return call.operation === 'GetLogEvents'
        ? Promise.resolve(logEvents(call, services))
        : services.moto.forward(call);
    case 'sts':
      return call.operation.startsWith('AssumeRole') && call.operation !== 'AssumeRoleWithSAML'
        ? services.sessions.assume(call, session)
        : services.moto.forward(call);
    default:
      return services.moto.forward(call);
  }
}

async function ecs(call: ApiCall, { region, taskDefinitions, now }: Services): Promise<Answer> {
  const context: EcsContext = {
    state: (): State => region.state(),
    apply: (event: Event): State => region.apply(event),
    now,
    taskDefinition: (ref) => taskDefinitions.find(ref),
  };
  const input = JSON.parse(call.body.toString('utf8') || '{}') as Readonly<Record<string, unknown>>;
  const answered = await handleEcs(call.operation, input, context);
  return answered.kind === 'output' ? jsonAnswer(answered.output) : errorAnswer(call, answered);
}

/** What the load balancers measured is answered here; metrics that a client put are moto's. */
function cloudWatch(call: ApiCall, services: Services): Promise<Answer> {
  if (call.operation === 'GetMetricData' && call.protocol === 'json') {
    const input = JSON.parse(call.body.toString('utf8') || '{}') as MetricDataInput;
    if (asksFor(USAGE_NAMESPACE, input)) return Promise.resolve(services.fargate.usage(call));
    if (asksFor(NAMESPACE, input)) return Promise.resolve(metricData(call, input, services));
  }
  // moto answers expressions and percentiles with nothing, as if nothing had been measured: worse than no answer.
  const asked = ['Expression', 'ExtendedStatistics'].find((member) => call.body.includes(member));
  const reads = call.operation === 'GetMetricData' || call.operation === 'GetMetricStatistics';
  return reads && asked !== undefined
    ? Promise.resolve(errorAnswer(call, notModelled(call, `${asked} in cloudwatch:${call.operation}`)))
    : call.operation === 'SetAlarmState'
      ? setAlarmState(call, services)
      : services.moto.forward(call);
}

/** Deployments of ECS are judged by alarms, so the core is told. An alarm moves by this call alone: moto measures nothing. */
async function setAlarmState(call: ApiCall, { moto, region }: Services): Promise<Answer> {
  const answer = await moto.forward(call);
  if (answer.error !== undefined) return answer;
  const { AlarmName = '', StateValue } = JSON.parse(call.body.toString('utf8') || '{}') as Record<string, string>;
  region.apply({ kind: 'alarm-set', name: AlarmName, alarm: StateValue === 'ALARM' ? 'ALARM' : 'OK' });
  return answer;
}

const asksFor = (namespace: string, { MetricDataQueries = [] }: MetricDataInput): boolean =>
  MetricDataQueries.some(({ MetricStat }) => MetricStat?.Metric?.Namespace === namespace);

function metricData(call: ApiCall, input: MetricDataInput, { balancers, elb }: Services): Answer {
  const targetGroups = (): readonly string[] => elb.model().targetGroups.map(({ arn }) => arn);
  const groupsOf = (loadBalancer: string): readonly string[] =>
    targetGroups().filter((arn) =>
      loadBalancersOf(elb.model(), arn).some((each) => each.endsWith(`:loadbalancer/${loadBalancer}`)),
    );
  const answered = getMetricData(input, { balancers, targetGroups, groupsOf });
  return answered.kind === 'output'
    ? jsonAnswer(answered.output)
    : errorAnswer(call, awsError(answered.code, answered.message));
}

const STACK_CHANGES = new Set(['CreateStack', 'UpdateStack', 'DeleteStack', 'ExecuteChangeSet', 'CreateChangeSet']);
const OWN_TYPES = /AWS::(?:ECS::(?!TaskDefinition)\w+|Route53::(?:RecordSet|HostedZone)\w*)/;

/** moto makes the resources itself: what the core plays would exist in moto alone, so such templates are refused. */
async function cloudFormation(call: ApiCall, { elb, moto }: Services): Promise<Answer> {
  if (!STACK_CHANGES.has(call.operation)) return moto.forward(call);
  const form = new URLSearchParams(call.body.toString('utf8'));
  const template = form.get('TemplateBody') ?? '';
  const played = OWN_TYPES.exec(template)?.[0];
  if (played !== undefined) {
    const message = `The sandbox cloud does not make ${played} from a template; make it by the API of its service. Nothing was changed.`;
    return errorAnswer(call, awsError('ValidationError', message));
  }
  const answer = await moto.forward(call);
  if (answer.error === undefined)
    await elb.refresh(call.operation === 'CreateStack' ? (form.get('StackName') ?? undefined) : undefined);
  return answer;
}
