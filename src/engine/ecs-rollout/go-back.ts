import { type Instant, seconds } from '../../domain/duration.ts';
import { familyName, revisionName } from '../../domain/ecs/arn.ts';
import { type GoBack, decideGoBack, releaseBackFrom, releaseBackTo } from '../../domain/ecs/go-back.ts';
import { isOpen, readJournal, toTags, writerOf } from '../../domain/ecs/journal.ts';
import type { RolloutResult } from '../../domain/ecs/result.ts';
import type {
  EcsDeployment,
  EcsService,
  EcsServiceRef,
  ServiceDeployment,
  ServiceSettings,
} from '../../domain/ecs/service.ts';
import { settingsFor, unconfigured } from '../../domain/ecs/service-settings.ts';
import { lastGood } from '../../domain/ecs/start.ts';
import { Failure } from '../../domain/failure.ts';
import { unreachable } from '../../domain/unreachable.ts';
import type { Ecs, TaskDefinition } from '../../ports/ecs.ts';
import { attachTo, beginDeployment } from './begin.ts';
import { movingRecord } from './moving-record.ts';
import { readNamed } from './read-situation.ts';
import { rollBack } from './roll-back.ts';
import type { Following, RolloutRequest, RolloutTools, Verification } from './rollout.ts';
import { seeThrough } from './see-through.ts';
import { settingsBack } from './settings-back.ts';
import { waitForOthers } from './settle.ts';

export interface GoBackRequest {
  readonly ref: EcsServiceRef;
  /** A number of the family that runs, `web:7` or an ARN; absent: the release before the one that serves. */
  readonly to?: string;
  /** `<run id>/<attempt>` */
  readonly run: string;
  readonly deadline: Instant;
  readonly verify?: (signal: AbortSignal) => Promise<Verification>;
}

/** What is true, and what would be done about it. */
export interface GoBackPlan {
  readonly service: EcsService;
  readonly successful: readonly ServiceDeployment[];
  readonly decision: Exclude<GoBack, { kind: 'look-again' }>;
  /** The revision to go to, when one is deployed. */
  readonly target?: TaskDefinition;
  /** What the service has to change with it. */
  readonly settings?: ServiceSettings;
}

/** A read that is older than the other one is a matter of seconds; after so many looks it is none. */
const LOOKS = 7;
const LOOK_EVERY = seconds(5);

/** Reads only. A target that cannot be deployed any more is a Failure. */
export async function planGoBack(
  request: Pick<GoBackRequest, 'ref' | 'to' | 'run'>,
  { ecs, clock }: Pick<RolloutTools, 'ecs' | 'clock'>,
  signal: AbortSignal,
): Promise<GoBackPlan> {
  for (let looks = 1; ; looks++) {
    const { decision, ...seen } = await lookOnce(request, ecs, signal);
    if (decision.kind !== 'look-again') return withTarget({ ...seen, decision }, request, ecs, signal);
    if (looks === LOOKS)
      throw new Failure({
        what: `Could not tell what ${request.ref.service} would be rolled back from`,
        why: decision.why,
        now: 'Nothing was changed',
        next: 'Re-run in a minute',
      });
    await clock.sleep(LOOK_EVERY, signal);
  }
}

async function withTarget(
  plan: Seen & Pick<GoBackPlan, 'decision'>,
  { ref }: Pick<GoBackRequest, 'ref'>,
  ecs: Ecs,
  signal: AbortSignal,
): Promise<GoBackPlan> {
  const { named, decision, service, successful } = plan;
  if (decision.kind !== 'deploy') return plan;
  const target = named ?? (await ecs.describeTaskDefinition(decision.to, signal));
  if (target.status === 'INACTIVE') throw notDeployable(target, ref);
  const recorded = successful.find(({ taskDefinition }) => taskDefinition === target.arn)?.volumes;
  const settings = settingsFor(service, target.body, { recorded });
  const missing = unconfigured(target.body, settings.volumes ?? service.settings?.volumes);
  if (missing.length > 0 && target.arn !== service.taskDefinition) throw notConfigured(target, missing, ref);
  return { ...plan, target, settings };
}

interface Seen {
  readonly service: EcsService;
  readonly successful: readonly ServiceDeployment[];
  readonly named?: TaskDefinition;
}

async function lookOnce(
  { ref, to, run }: Pick<GoBackRequest, 'ref' | 'to' | 'run'>,
  ecs: Ecs,
  signal: AbortSignal,
): Promise<Seen & { readonly decision: GoBack }> {
  const [service] = await ecs.describeServices([ref], signal);
  if (service === undefined)
    throw new Failure({ what: `Could not find ECS service ${ref.service} in cluster ${ref.cluster}` });
  const successful = await ecs.listServiceDeployments(ref, signal, { status: 'SUCCESSFUL' });
  const serviceDeployment = await movingRecord(service, { ecs }, signal);
  const named = to === undefined ? undefined : await readNamed(inFamily(to, service), ecs, signal);
  const decision = decideGoBack(
    { service, successful, ...(serviceDeployment === undefined ? {} : { serviceDeployment }) },
    { run, ...(named === undefined ? {} : { to: named.arn }) },
  );
  return { service, successful, decision, ...(named === undefined ? {} : { named }) };
}

const inFamily = (to: string, { taskDefinition }: EcsService): string =>
  /^\d+$/.test(to) ? `${familyName(taskDefinition)}:${to}` : to;

const notDeployable = ({ arn }: TaskDefinition, { service }: EcsServiceRef): Failure =>
  new Failure({
    what: `Could not roll ${service} back to ${revisionName(arn)}`,
    why: 'that revision was deregistered, and ECS deploys no INACTIVE one',
    now: 'Nothing was changed',
    next: 'Name another revision by the input to, or deploy its image again',
  });

const notConfigured = ({ arn }: TaskDefinition, missing: readonly string[], { service }: EcsServiceRef): Failure =>
  new Failure({
    what: `Could not roll ${service} back to ${revisionName(arn)}`,
    why: `it has the volume ${missing.join(', ')} with configuredAtLaunch: true, the service configures none, and ECS has no record of how it did`,
    now: 'Nothing was changed',
    next: `Deploy it by mode: deploy, with task-definition: ${revisionName(arn)} and service-settings`,
  });

/**
 * Goes back because somebody says so, and waits for the end: a release in flight is stopped and taken back; else the
 * revision of the release before (or the named one) is deployed. `rolled-back` is the good end here. A way back that is
 * under way is followed, so a run that died can be repeated; cancelling lets it go on.
 */
export async function goBackOnDemand(
  request: GoBackRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  const plan = await planGoBack(request, tools, signal);
  const { decision, service } = plan;
  switch (decision.kind) {
    case 'refuse':
      throw new Failure(decision.facts);
    case 'unchanged':
      return {
        outcome: 'unchanged',
        taskDefinition: service.taskDefinition,
        reason: decision.why,
        changed: false,
        diagnosis: [],
      };
    case 'wait':
      await waitForOthers({ ref: request.ref, deadline: request.deadline }, decision.for, tools, signal);
      return goBackOnDemand(request, tools, signal);
    case 'stop':
      return stopAndGoBack(request, { ...plan, deployment: decision.deployment }, tools, signal);
    case 'follow': {
      const rollout = rolloutOf(request, decision.deployment.taskDefinition);
      const phase = 'rolling-back' as const;
      const following = await attachTo({ service, deployment: decision.deployment, phase }, rollout, tools, signal);
      tools.log.info(`Following the way back to ${revisionName(following.taskDefinition)} that is under way`);
      const result = endOf(await seeThrough(following, rollout, tools, signal));
      if (result.outcome === 'rolled-back') await restoreCount(service, tools, signal);
      return result;
    }
    case 'deploy': {
      const { target: { body } = { body: {} }, settings = {} } = plan;
      const rollout = { ...rolloutOf(request, decision.to), settings };
      tools.log.info(`Rolling ${request.ref.service} back to ${revisionName(decision.to)}`);
      // After a failed deployment the revision may be the same, and only a new deployment of it helps.
      const force = decision.to === service.taskDefinition ? 'new-deployment' : 'no';
      const update = { service, taskDefinition: decision.to, body, force, phase: 'rolling-back' } as const;
      return endOf(await seeThrough(await beginDeployment(update, rollout, tools, signal), rollout, tools, signal));
    }
    default:
      return unreachable(decision);
  }
}

const rolloutOf = ({ ref, run, deadline, verify }: GoBackRequest, to: string): RolloutRequest => ({
  ref,
  writer: { release: releaseBackTo(to), run },
  deadline,
  // Where the way back itself fails there is nowhere else to go: it is told, and a person decides.
  onFailure: 'leave',
  endsAs: 'rolled-back',
  ...(verify === undefined ? {} : { verify }),
});

interface Release {
  readonly service: EcsService;
  readonly successful: readonly ServiceDeployment[];
  readonly deployment: EcsDeployment;
}

/** Takes the service over from whoever deploys (they find another run in the tags and write no more), then undoes it. */
async function stopAndGoBack(
  { ref, run, deadline }: GoBackRequest,
  { service, successful, deployment }: Release,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<RolloutResult> {
  const previous = lastGood(service, successful, deployment.taskDefinition);
  const earlier = writerOf(service);
  const count = countBefore(service);
  const writer = { release: releaseBackFrom(deployment.taskDefinition), run };
  const following: Following = {
    ref,
    taskDefinition: deployment.taskDefinition,
    deploymentId: deployment.id,
    earlierDeployments: service.deployments.map(({ id }) => id).filter((id) => id !== deployment.id),
    startedAt: deployment.createdAt ?? tools.clock.now(),
    writer,
    ...(previous === undefined ? {} : { previousTaskDefinition: previous }),
    ...(earlier === undefined ? {} : { earlierRun: earlier }),
    ...count,
    ...(await settingsBack(
      { service, successful, previous, taskDefinition: deployment.taskDefinition },
      tools,
      signal,
    )),
  };
  const noted = { ...count, ...(previous === undefined ? {} : { previousTaskDefinition: previous }) };
  await tools.ecs.tagService(service.arn, toTags({ phase: 'rolling-back', ...writer, ...noted }), signal);
  const reason = `${revisionName(deployment.taskDefinition)} was being deployed`;
  const result = await rollBack({ following, deadline, reason }, tools, signal);
  if (result.outcome !== 'rolled-back' || previous === undefined) return result;
  return { ...result, taskDefinition: previous, previousTaskDefinition: deployment.taskDefinition, diagnosis: [] };
}

/** The count from before a release that is not at its end: it changed it, and only its note knows what it was. */
function countBefore(service: EcsService): Pick<Following, 'previousDesired'> {
  const journal = readJournal(service);
  return isOpen(journal) && journal.previousDesired !== undefined ? { previousDesired: journal.previousDesired } : {};
}

/** ECS's own way back does not know of the count, and the run that did may be dead. */
async function restoreCount(seen: EcsService, { ecs, log }: RolloutTools, signal: AbortSignal): Promise<void> {
  const { previousDesired: desired } = countBefore(seen);
  if (desired === undefined || desired === seen.desired) return;
  log.info(`Setting the desired count of ${seen.ref.service} back to ${desired}`);
  await ecs.updateService(seen.ref, { desired }, signal);
}

/** In the words of a way back: arriving is `rolled-back`, and being taken back itself is a failure. */
function endOf(result: RolloutResult): RolloutResult {
  switch (result.outcome) {
    case 'succeeded':
      return { ...result, outcome: 'rolled-back' };
    case 'rolled-back':
      return {
        ...result,
        outcome: 'failed',
        reason: `the way back failed and was itself taken back: ${result.reason}`,
      };
    default:
      return result;
  }
}
