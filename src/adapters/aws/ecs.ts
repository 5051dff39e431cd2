import {
  DescribeServiceDeploymentsCommand,
  DescribeServiceRevisionsCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ECSClient,
  ListServiceDeploymentsCommand,
  type ListServiceDeploymentsCommandInput,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  type ServiceDeploymentBrief,
  StopServiceDeploymentCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { revisionName } from '../../domain/ecs/arn.ts';
import { Failure } from '../../domain/failure.ts';
import { CloudFailure } from '../../domain/retry-policy.ts';
import type { Ecs, EcsService, EcsServiceRef, Need, ServiceDeployment, TaskDefinition } from '../../ports/ecs.ts';
import type { Log } from '../../ports/log.ts';
import { placesOf } from './ecs-places.ts';
import { revisionsOf } from './ecs-revisions.ts';
import {
  fromTags,
  settingsInput,
  toEcsService,
  toListedDeployment,
  toServiceDeployment,
  toStoppedTask,
  toTags,
} from './ecs-shapes.ts';
import { type CallFacts, callAws } from './errors.ts';
import { type Json, keepRawAnswer, sendRawRequest } from './raw-json.ts';
import type { AwsSession } from './session.ts';

const nameOf = ({ cluster, service }: EcsServiceRef): string => `ECS service ${service} in cluster ${cluster}`;
/** Limits of the API: services in one DescribeServices, ARNs in one of the other Describe calls, deployments in one page. */
const SERVICES_A_CALL = 10;
const DEPLOYMENTS_A_CALL = 20;
const REVISIONS_A_CALL = 20;
const PAGE = 100;
/** ECS keeps the records of 90 days: eleven deployments a day fill so many. */
const MOST_PAGES = 10;

/** The ECS port over the SDK. One call of the port is one call of the API, but where it says otherwise. */
export function ecsOf(session: Pick<AwsSession, 'accountId' | 'region' | 'clientConfig'>, log: Log): Ecs {
  const client = new ECSClient(session.clientConfig);
  // Over the same sockets. What is not the same when it is made twice is repeated by the engine alone, which looks first.
  const once = new ECSClient({
    ...session.clientConfig,
    maxAttempts: 1,
    requestHandler: client.config.requestHandler,
    credentials: client.config.credentials,
  });
  const place = `account ${session.accountId}, region ${session.region}`;
  const history = serviceHistory(client, log);
  return {
    ...history,
    ...taskDefinitions({ client, once }, place),
    ...revisionsOf(client),
    ...placesOf(client),
    async describeServices(refs, signal) {
      const found: EcsService[] = [];
      for (const [cluster, group] of byCluster(refs)) {
        found.push(...(await describeCluster(client, { cluster, refs: group, place }, signal)));
      }
      // In the order that was asked for.
      return refs.map((ref) => found.find((service) => service.ref === ref)).filter((service) => service !== undefined);
    },
    async updateService(ref, change, signal) {
      const facts: CallFacts = { action: 'ecs:UpdateService', what: `Could not update ${nameOf(ref)}` };
      const answer = await callAws(facts, signal, () =>
        // Without force, a second update to the same revision begins no deployment.
        (change.forceNewDeployment === true ? once : client).send(
          // Only what is asked for: an empty list of volumes, for one, would wipe what others configured.
          new UpdateServiceCommand({
            cluster: ref.cluster,
            service: ref.service,
            ...(change.taskDefinition === undefined ? {} : { taskDefinition: change.taskDefinition }),
            ...(change.desired === undefined ? {} : { desiredCount: change.desired }),
            ...(change.settings === undefined ? {} : settingsInput(change.settings)),
            ...(change.forceNewDeployment === undefined ? {} : { forceNewDeployment: true }),
          }),
          { abortSignal: signal },
        ),
      );
      if (answer.service === undefined)
        throw new Failure({ what: facts.what, why: 'ECS answered without the service' });
      return toEcsService(answer.service, ref);
    },
    async stoppedTasks(ref, signal) {
      const what = `Could not read the stopped tasks of ${nameOf(ref)}`;
      const listed = await callAws({ action: 'ecs:ListTasks', what }, signal, () =>
        client.send(
          new ListTasksCommand({ cluster: ref.cluster, serviceName: ref.service, desiredStatus: 'STOPPED' }),
          { abortSignal: signal },
        ),
      );
      const tasks = listed.taskArns ?? [];
      if (tasks.length === 0) return [];
      const described = await callAws({ action: 'ecs:DescribeTasks', what }, signal, () =>
        client.send(new DescribeTasksCommand({ cluster: ref.cluster, tasks }), { abortSignal: signal }),
      );
      return (described.tasks ?? []).map(toStoppedTask);
    },
    async tagService(arn, tags, signal) {
      await callAws({ action: 'ecs:TagResource', what: `Could not tag ${arn}` }, signal, () =>
        client.send(new TagResourceCommand({ resourceArn: arn, tags: toTags(tags) }), { abortSignal: signal }),
      );
    },
    async untagService(arn, keys, signal) {
      await callAws({ action: 'ecs:UntagResource', what: `Could not remove tags of ${arn}` }, signal, () =>
        client.send(new UntagResourceCommand({ resourceArn: arn, tagKeys: [...keys] }), { abortSignal: signal }),
      );
    },
  };
}

function byCluster(refs: readonly EcsServiceRef[]): readonly (readonly [string, readonly EcsServiceRef[]])[] {
  const clusters = [...new Set(refs.map(({ cluster }) => cluster))];
  return clusters.flatMap((cluster) => {
    const group = refs.filter((ref) => ref.cluster === cluster);
    const calls = Math.ceil(group.length / SERVICES_A_CALL);
    return Array.from(
      { length: calls },
      (_, index) => [cluster, group.slice(index * SERVICES_A_CALL, (index + 1) * SERVICES_A_CALL)] as const,
    );
  });
}

interface ClusterQuestion {
  readonly cluster: string;
  readonly refs: readonly EcsServiceRef[];
  readonly place: string;
}

async function describeCluster(
  client: ECSClient,
  { cluster, refs, place }: ClusterQuestion,
  signal: AbortSignal,
): Promise<readonly EcsService[]> {
  const next = `Check the names; the credentials are for ${place}`;
  const names = refs.map(({ service }) => service);
  const what =
    names.length === 1
      ? `Could not read ECS service ${names[0]} in cluster ${cluster}`
      : `Could not read ECS services ${names.join(', ')} in cluster ${cluster}`;
  const answer = await callAws({ action: 'ecs:DescribeServices', what, next }, signal, () =>
    client.send(new DescribeServicesCommand({ cluster, services: names, include: ['TAGS'] }), { abortSignal: signal }),
  );
  return refs.map((ref) => {
    const service = answer.services?.find(
      ({ serviceName, serviceArn }) => serviceName === ref.service || serviceArn === ref.service,
    );
    if (service !== undefined) return toEcsService(service, ref);
    const failure = answer.failures?.find(
      ({ arn }) => arn === ref.service || arn?.endsWith(`/${ref.service}`) === true,
    );
    const why = `ECS says ${failure?.reason ?? 'nothing of it'}${failure?.detail === undefined ? '' : ` (${failure.detail})`}`;
    throw new CloudFailure('not-found', { what: `Could not find ${nameOf(ref)}`, why, next });
  });
}

function taskDefinitions(
  { client, once }: { readonly client: ECSClient; readonly once: ECSClient },
  place: string,
): Pick<Ecs, 'describeTaskDefinition' | 'registerTaskDefinition'> {
  return {
    async describeTaskDefinition(familyOrArn, signal) {
      const command = new DescribeTaskDefinitionCommand({ taskDefinition: familyOrArn, include: ['TAGS'] });
      const raw = keepRawAnswer(command);
      const what = `Could not read task definition ${revisionName(familyOrArn)}`;
      const next = `Check the name; the credentials are for ${place}`;
      const answer = await callAws({ action: 'ecs:DescribeTaskDefinition', what, next }, signal, () =>
        client.send(command, { abortSignal: signal }),
      );
      return {
        ...identify(answer.taskDefinition ?? {}, what),
        body: (raw()['taskDefinition'] ?? {}) as Json,
        tags: fromTags(answer.tags),
      };
    },
    async registerTaskDefinition(body, tags, signal) {
      const family = String(body['family']);
      const what = `Could not register a revision of task definition ${family}`;
      // The input only satisfies the SDK's type; what is sent is `body`, with the fields that the SDK does not know.
      const command = new RegisterTaskDefinitionCommand({ family, containerDefinitions: [] });
      sendRawRequest(command, Object.keys(tags).length === 0 ? body : { ...body, tags: toTags(tags) });
      const answer = await callAws(
        { action: 'ecs:RegisterTaskDefinition', what, now: 'Nothing was changed' },
        signal,
        () => once.send(command, { abortSignal: signal }),
      );
      return { ...identify(answer.taskDefinition ?? {}, what), body, tags };
    },
  };
}

function identify(
  {
    taskDefinitionArn,
    family,
    status,
  }: { taskDefinitionArn?: string | undefined; family?: string | undefined; status?: string | undefined },
  what: string,
): Pick<TaskDefinition, 'arn' | 'family' | 'status'> {
  if (taskDefinitionArn === undefined || family === undefined)
    throw new Failure({ what, why: 'ECS answered without its ARN' });
  return { arn: taskDefinitionArn, family, ...(status === undefined ? {} : { status }) };
}

/**
 * ECS's own record of deployments. Roles made for older deployers lack these permissions: then nothing is known (undefined,
 * no entries), it is said once, and the rollout is judged by the deployments of the service alone.
 */
function serviceHistory(
  client: ECSClient,
  log: Log,
): Pick<Ecs, 'describeServiceDeployments' | 'listServiceDeployments' | 'stopServiceDeployment'> {
  const denied = new Set<string>();
  const ifAllowed = async <T>(
    { need, ...facts }: RecordFacts,
    signal: AbortSignal,
    send: () => Promise<T>,
  ): Promise<T | undefined> => {
    try {
      return await callAws(facts, signal, send);
    } catch (thrown) {
      if (need === 'must' || !(thrown instanceof CloudFailure) || thrown.kind !== 'access-denied') throw thrown;
      if (denied.size === 0) {
        log.warning(
          `${thrown.message} Until then the rollout is judged by the service's own deployments alone, without ECS's record of them`,
        );
      }
      denied.add(facts.action);
      return undefined;
    }
  };
  const revisions = serviceRevisions(client, ifAllowed);
  const describe = async (arns: readonly string[], signal: AbortSignal, need: Need): Promise<ServiceDeployment[]> => {
    const what = `Could not read service deployment${arns.length === 1 ? '' : 's'} ${arns.join(', ')}`;
    const answer = await ifAllowed({ need, action: 'ecs:DescribeServiceDeployments', what }, signal, () =>
      client.send(new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [...arns] }), { abortSignal: signal }),
    );
    const found = answer?.serviceDeployments ?? [];
    const targets = found.flatMap(({ targetServiceRevision }) => targetServiceRevision?.arn ?? []);
    const known = await revisions(targets, signal, need);
    const shown = found.map((each) => toServiceDeployment(each, known.get(each.targetServiceRevision?.arn ?? '')));
    return arns.flatMap((arn) => shown.find((each) => each.arn === arn) ?? []);
  };
  return {
    async describeServiceDeployments(arns, signal, need = 'may') {
      const found: ServiceDeployment[] = [];
      for (let first = 0; first < arns.length; first += DEPLOYMENTS_A_CALL)
        found.push(...(await describe(arns.slice(first, first + DEPLOYMENTS_A_CALL), signal, need)));
      return found;
    },
    async listServiceDeployments({ cluster, service }, signal, filter = {}) {
      const { need = 'may' } = filter;
      const facts: RecordFacts = {
        need,
        action: 'ecs:ListServiceDeployments',
        what: `Could not list the deployments of ${nameOf({ cluster, service })}`,
      };
      const asked: ListServiceDeploymentsCommandInput = {
        cluster,
        service,
        maxResults: PAGE,
        ...(filter.status === undefined ? {} : { status: [filter.status] }),
        ...(filter.createdAfter === undefined ? {} : { createdAt: { after: new Date(filter.createdAfter) } }),
      };
      const found: ServiceDeploymentBrief[] = [];
      let nextToken: string | undefined;
      // The order of the pages is not documented: the newest may stand on the last one.
      for (let page = 0; page < MOST_PAGES; page++) {
        const input = { ...asked, ...(nextToken === undefined ? {} : { nextToken }) };
        const answer = await ifAllowed(facts, signal, () =>
          client.send(new ListServiceDeploymentsCommand(input), { abortSignal: signal }),
        );
        found.push(...(answer?.serviceDeployments ?? []));
        nextToken = answer?.nextToken;
        if (nextToken === undefined) break;
      }
      const listed = found
        .sort((a, b) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0))
        .slice(0, REVISIONS_A_CALL);
      const targets = listed.flatMap(({ targetServiceRevisionArn }) => targetServiceRevisionArn ?? []);
      const known = await revisions(targets, signal, need);
      return listed.map((brief) => toListedDeployment(brief, known.get(brief.targetServiceRevisionArn ?? '')));
    },
    async stopServiceDeployment(arn, stopType, signal) {
      await callAws(
        { action: 'ecs:StopServiceDeployment', what: `Could not stop service deployment ${arn}` },
        signal,
        () =>
          client.send(new StopServiceDeploymentCommand({ serviceDeploymentArn: arn, stopType }), {
            abortSignal: signal,
          }),
      );
    },
  };
}

type RecordFacts = CallFacts & { readonly need: Need };
type IfAllowed = <T>(facts: RecordFacts, signal: AbortSignal, send: () => Promise<T>) => Promise<T | undefined>;

/** Task definitions of service revisions, each asked for once: a revision never changes. */
function serviceRevisions(client: ECSClient, ifAllowed: IfAllowed) {
  const known = new Map<string, string>();
  return async (arns: readonly string[], signal: AbortSignal, need: Need): Promise<ReadonlyMap<string, string>> => {
    const missing = [...new Set(arns)].filter((arn) => !known.has(arn)).slice(0, REVISIONS_A_CALL);
    if (missing.length === 0) return known;
    const facts = { need, action: 'ecs:DescribeServiceRevisions', what: 'Could not read service revisions' };
    const answer = await ifAllowed(facts, signal, () =>
      client.send(new DescribeServiceRevisionsCommand({ serviceRevisionArns: missing }), { abortSignal: signal }),
    );
    for (const { serviceRevisionArn, taskDefinition } of answer?.serviceRevisions ?? []) {
      if (serviceRevisionArn !== undefined && taskDefinition !== undefined)
        known.set(serviceRevisionArn, taskDefinition);
    }
    return known;
  };
}
