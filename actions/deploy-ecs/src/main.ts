import type { ResolvedChecks } from '../../../src/domain/checks/document.ts';
import { addressFrom } from '../../../src/domain/ecs/address-source.ts';
import type { ServiceAddresses } from '../../../src/ports/service-address.ts';
import { withCheckSecrets } from '../../../src/domain/checks/target-inputs.ts';
import { sayLifetime } from '../../../src/domain/credential-lifetime.ts';
import { type Duration, between, milliseconds, minutes } from '../../../src/domain/duration.ts';
import { readDefinition } from '../../../src/domain/ecs/definition-file.ts';
import { type InputProblem, InvalidInput } from '../../../src/domain/inputs.ts';
import type { Report } from '../../../src/domain/report.ts';
import type { DefinitionSource } from '../../../src/engine/ecs-rollout/rollout.ts';
import { ROLL_BACK_WITHIN } from '../../../src/engine/ecs-rollout/follow-deployment.ts';
import { startRollBack } from '../../../src/engine/ecs-rollout/roll-back.ts';
import type { AutoscalingLimits } from '../../../src/ports/autoscaling.ts';
import type { ContainerLogs } from '../../../src/ports/container-logs.ts';
import type { Ecs } from '../../../src/ports/ecs.ts';
import type { AwsSession } from '../../../src/adapters/aws/session.ts';
import type { ActionDefinition, ActionTools } from '../../../src/runtime/action.ts';
import { checkApproval } from '../../../src/runtime/check-approval.ts';
import { readChecks } from '../../../src/runtime/read-checks.ts';
import { runAction } from '../../../src/runtime/run-action.ts';
import {
  POST_HAS,
  type Standing,
  type Checking,
  type Context,
  deploy,
  discardOld,
  goBack,
  lookAt,
  plan,
  scale,
  undo,
} from './execute.ts';
import { levelsOf } from './decide/group.ts';
import { nameReleases } from './execute/name.ts';
import { type GroupContext, deployGroup, nodesOf, planGroup, undoGroup } from './execute/group.ts';
import { groupReport } from './report/group.ts';
import { type ChecksWish, type DeployRequest, type Request, spec, toRequest } from './inputs.ts';
import { cleanUpReport, leftBy, leftMoving, planReport, reportOf, statusReport } from './report.ts';

const FOLLOWING = 'following';

const definition: ActionDefinition<typeof spec, Request> = {
  name: 'deploy-ecs',
  spec,
  toRequest,
  async main(asked, tools) {
    if (asked.mode === 'deploy' || asked.mode === 'deploy-group') await checkApproval(asked, tools);
    const checks = await checkingOf(asked, tools);
    const definition = await definitionOf(asked.mode === 'deploy' ? asked.definition : undefined, tools);
    const definitions = await definitionsOf(asked, tools);
    const cloud = await cloudFor(asked, tools);
    const { ecs } = cloud;
    const request = await nameReleases(asked, { ecs, definition, definitions }, tools.signal);
    const { clock, log, run, signal } = tools;
    const url = await addressOf(request, cloud, signal);
    const checking = checks?.(url);
    const context: GroupContext = {
      ...cloud,
      clock,
      log,
      checking,
      definition,
      definitions,
      run: `${run.runId}/${run.attempt}`,
      commit: run.commit,
      onWrite: tools.willChange,
      onFollowing: (standing) => keep(standing, request, ecs, tools),
    };
    if (request.mode === 'status') {
      const report = statusReport(await lookAt(request, context, signal));
      log.verbatim('Status', report.lines.join('\n'));
      return report;
    }
    if (request.dryRun === 'no') {
      tools.leavesBehind(leftBy(request));
      const report = await act(request, context, signal);
      return { ...report, outputs: { ...report.outputs, url } };
    }
    const planned = await (request.mode === 'deploy-group'
      ? planGroup(request, context, signal)
      : plan(request, context, signal));
    log.verbatim('Plan', planned.lines.join('\n'));
    return planReport(planned, request);
  },
  /** main was cancelled or died: its deployment is stopped, taken back and awaited, unless it shall be left. */
  async post(request, tools) {
    const { clock, log, signal } = tools;
    const left = tools.savedState(FOLLOWING) ?? '';
    if (left === '' || (request.mode !== 'deploy' && request.mode !== 'deploy-group')) return undefined;
    const standing = JSON.parse(left) as readonly Standing[];
    if (request.onCancel === 'leave') {
      log.info(
        `The deployment to ${standing.map(({ following }) => following.ref.service).join(', ')} goes on without this run, as asked (on-cancel: leave); the next run follows it`,
      );
      return undefined;
    }
    const { ecs, logs } = await cloudFor(request, tools);
    const startedAt = clock.now();
    tools.willChange();
    const hands = { ecs, clock, log, logs };
    if (request.mode === 'deploy-group') {
      const group = await undoGroup(standing, hands, { within: POST_HAS, signal });
      tools.saveState(FOLLOWING, '');
      return groupReport(group, request, between(startedAt, clock.now()));
    }
    const [only] = standing;
    if (only === undefined) return undefined;
    const result = await undo(only.following, hands, signal);
    tools.saveState(FOLLOWING, '');
    return reportOf(result, request, between(startedAt, clock.now()));
  },
};

async function act(
  request: Exclude<Request, { mode: 'status' }>,
  context: GroupContext,
  signal: AbortSignal,
): Promise<Report> {
  const { clock, log } = context;
  const startedAt = clock.now();
  if (request.mode === 'deploy-group') {
    const group = await deployGroup(request, context, signal);
    const seen = [...group.members, group].flatMap(({ diagnosis }) => diagnosis);
    if (seen.length > 0) log.verbatim('What was seen', seen.join('\n'));
    return groupReport(group, request, between(startedAt, clock.now()));
  }
  if (request.mode === 'cleanup') return cleanUpReport(await discardOld(request, context, signal), request);
  const result =
    request.mode === 'deploy'
      ? await deploy(request, context, signal)
      : request.mode === 'rollback'
        ? await goBack(request, context, signal)
        : await scale(request, context, signal);
  if (result.diagnosis.length > 0) log.verbatim('What was seen', result.diagnosis.join('\n'));
  return reportOf(result, request, between(startedAt, clock.now()));
}

/** Everything that is wrong with checks and rules is said before the first call to AWS. */
async function checkingOf(request: Request, tools: ActionTools): Promise<Checks | undefined> {
  const wish = hasChecks(request) ? request.checks : undefined;
  if (wish === undefined) return undefined;
  const { httpProber } = await import('../../../src/adapters/http/prober.ts');
  const { systemRandom } = await import('../../../src/adapters/system/random.ts');
  const prober = httpProber();
  const document = wish.file === undefined ? undefined : await documentOf(wish, wish.file, tools);
  const base = wish.url ?? (wish.from === undefined ? document?.target : undefined);
  if (base === undefined && wish.from === undefined) {
    const accepted = 'the base URL that users reach, url-from, or target in the file';
    throw new InvalidInput(`The checks of ${wish.file}`, [{ input: 'url', problem: 'is missing', accepted }]);
  }
  let url = base ?? '';
  const { policy, recheck: length, host, expectVersion } = wish;
  const metrics =
    policy === undefined
      ? undefined
      : (await import('../../../src/adapters/metrics/by-requests.ts')).metricsByRequests(policy, {
          ...tools,
          prober,
          host,
          url: () => url,
        });
  return (found) => {
    url = base ?? found;
    const target = {
      url,
      headers: {},
      ...(host === undefined ? {} : { host }),
      ...(expectVersion === undefined ? {} : { expectVersion }),
    };
    const rules = policy === undefined || metrics === undefined ? undefined : { policy, length, metrics };
    return { document, rules, target, prober, random: systemRandom(), mask: tools.mask };
  };
}

/** Ready but for the address, which AWS may have to be asked for. */
type Checks = (address: string) => Checking;

async function documentOf(wish: ChecksWish, file: string, tools: ActionTools): Promise<ResolvedChecks> {
  const { matchers } = await import('../../../src/adapters/http/matchers.ts');
  const environment = withCheckSecrets(tools.environment, wish.secrets);
  const target = wish.url !== undefined || wish.from !== undefined ? 'elsewhere' : 'of-document';
  return readChecks(file, { matchers, environment, target, expectVersion: wish.expectVersion }, tools);
}

/** Where users reach it; AWS is asked before anything is changed. Empty: nobody said. */
async function addressOf(request: Request, { ecs, addresses }: Cloud, signal: AbortSignal): Promise<string> {
  if (!hasChecks(request)) return '';
  const { url, from } = request.address;
  if (from === undefined) return url ?? '';
  const { host } = from;
  if (host.kind === 'stack-output') return addressFrom(from, await addresses.stackOutput(host, signal));
  const { cluster } = request;
  const refs = servicesOf(request).map((service) => ({ cluster, service }));
  const services = await ecs.describeServices(refs, signal);
  const groups = services.flatMap(({ loadBalancers }) =>
    loadBalancers.flatMap(({ targetGroupArn }) => targetGroupArn ?? []),
  );
  return addressFrom(from, await addresses.loadBalancer(groups, signal));
}

const hasChecks = (request: Request): request is Extract<Request, { readonly checks: unknown }> => 'checks' in request;

const servicesOf = (request: Request): readonly string[] =>
  request.mode === 'deploy-group' ? request.members.map(({ deploy }) => deploy.service) : [request.service];

/** Everything that is wrong with a file is said with its lines, before the first call to AWS. */
async function definitionOf(
  source: DeployRequest['definition'],
  tools: ActionTools,
): Promise<DefinitionSource | undefined> {
  if (source === undefined) return undefined;
  const { kind, name } = source;
  if (kind === 'registered') return { kind, name };
  const { readYaml } = await import('../../../src/runtime/read-yaml.ts');
  const yaml = readYaml(await tools.readFile(name, 'task-definition'), name);
  if (!yaml.ok) throw new InvalidInput(`The task definition ${name}`, yaml.problems);
  const read = readDefinition(yaml.value.value);
  if (!read.ok) {
    const located = read.problems.map(({ path, ...problem }) => ({
      ...problem,
      input: `${yaml.value.where(path)} ${problem.input}`,
    }));
    throw new InvalidInput(`The task definition ${name}`, located);
  }
  const { body, tags, said } = read.value;
  for (const line of said) tools.log.info(`${name}: ${line}`);
  return { kind: 'written', body, tags };
}

/** Those of a group, by service; what is wrong with any of them is said at once. */
async function definitionsOf(request: Request, tools: ActionTools): Promise<ReadonlyMap<string, DefinitionSource>> {
  const found = new Map<string, DefinitionSource>();
  const problems: InputProblem[] = [];
  for (const { deploy } of request.mode === 'deploy-group' ? request.members : []) {
    try {
      const source = await definitionOf(deploy.definition, tools);
      if (source !== undefined) found.set(deploy.service, source);
    } catch (thrown) {
      if (!(thrown instanceof InvalidInput)) throw thrown;
      problems.push(...thrown.problems.map((each) => ({ ...each, input: `${deploy.definition?.name} ${each.input}` })));
    }
  }
  if (problems.length > 0) throw new InvalidInput('The task definitions of service-group', problems);
  return found;
}

/** Keeps for `post`, and for a signal, what there is to undo. */
function keep(standing: readonly Standing[], request: Request, ecs: Ecs, tools: ActionTools): void {
  tools.saveState(FOLLOWING, standing.length === 0 ? '' : JSON.stringify(standing));
  const deploys = request.mode === 'deploy' || request.mode === 'deploy-group';
  const moving = standing.flatMap(({ following, stands }) => (stands === 'in-flight' ? following : []));
  const restores = moving.length > 0 && deploys && request.onCancel === 'rollback';
  // One call for each that moves, all at the same time; what serves already is taken back by `post`.
  const stopAll = async (signal: AbortSignal): Promise<string> =>
    (await Promise.all(moving.map((following) => startRollBack(following, { ecs }, signal)))).join('; ');
  tools.onCancel(restores ? stopAll : undefined);
  tools.leavesBehind(moving.length > 0 && !restores ? leftMoving(moving) : leftBy(request));
}

type Cloud = Pick<Context, 'ecs' | 'tasks' | 'conditions' | 'autoscaling' | 'sha256'> & {
  readonly logs: ContainerLogs;
  readonly addresses: ServiceAddresses;
};

async function cloudFor(request: Request, tools: ActionTools): Promise<Cloud> {
  const [{ awsSession }, { ecsOf }, { ecsTasksOf }, { deployConditionsOf }, { serviceAddressesOf }, { sha256 }] =
    await Promise.all([
      import('../../../src/adapters/aws/session.ts'),
      import('../../../src/adapters/aws/ecs.ts'),
      import('../../../src/adapters/aws/ecs-tasks.ts'),
      import('../../../src/adapters/aws/deploy-conditions.ts'),
      import('../../../src/adapters/aws/service-address.ts'),
      import('../../../src/adapters/system/digest.ts'),
    ]);
  const session = await awsSession(request, tools, tools.signal);
  const said = sayLifetime(session.lifetime, longest(request), tools.clock.now());
  if (said !== undefined) tools.log[said.level](said.line);
  return {
    ecs: ecsOf(session, tools.log),
    tasks: ecsTasksOf(session),
    conditions: deployConditionsOf(session, tools.clock),
    autoscaling: autoscalingWhenAsked(session),
    addresses: serviceAddressesOf(session),
    sha256,
    logs: logsWhenAsked(session),
  };
}

/** How long this run may take in all: the release, its tasks, and the way back. */
function longest(request: Request): Duration {
  if (request.mode === 'status') return minutes(1);
  const deploys = request.mode === 'deploy' ? [request] : [];
  const released = request.mode === 'deploy-group' ? request.members.map(({ deploy }) => deploy) : deploys;
  // One level of a group begins when the one before it serves.
  const levels = request.mode === 'deploy-group' ? levelsOf(nodesOf(request)).length : 1;
  const tasks = released.flatMap((each) => [each.before, each.after]);
  // Those of a group may go back one after the other.
  const back = released.filter(({ onFailure }) => onFailure === 'rollback').length * ROLL_BACK_WITHIN;
  // A deployment of somebody else may be waited for as long again.
  const others = deploys.filter(({ onConflict }) => onConflict !== 'fail').length * request.timeout;
  return milliseconds(
    request.timeout * levels + others + back + tasks.reduce((sum, task) => sum + (task?.timeout ?? 0), 0),
  );
}

/** Most releases end well and need no log, so its client is loaded by the first that does. */
function logsWhenAsked(session: AwsSession): ContainerLogs {
  let logs: Promise<ContainerLogs> | undefined;
  return {
    async lastLines(...asked) {
      logs ??= import('../../../src/adapters/aws/container-logs.ts').then(({ containerLogsOf }) =>
        containerLogsOf(session),
      );
      return (await logs).lastLines(...asked);
    },
  };
}

/** Two modes of five ask for it. */
function autoscalingWhenAsked(session: AwsSession): AutoscalingLimits {
  let opened: Promise<AutoscalingLimits> | undefined;
  const open = (): Promise<AutoscalingLimits> =>
    (opened ??= import('../../../src/adapters/aws/autoscaling.ts').then(({ autoscalingLimitsOf }) =>
      autoscalingLimitsOf(session),
    ));
  return {
    limits: async (...asked) => (await open()).limits(...asked),
    setLimits: async (...asked) => (await open()).setLimits(...asked),
  };
}

export const main = (): Promise<void> => runAction(definition, 'main');
export const post = (): Promise<void> => runAction(definition, 'post');
