import { revisionName } from '../../domain/ecs/arn.ts';
import {
  type ServiceJournal,
  isOpen,
  openTags,
  phaseTag,
  readJournal,
  sameRelease,
  writerOf,
} from '../../domain/ecs/journal.ts';
import type { ServiceDeployment, ServiceSettings } from '../../domain/ecs/service.ts';
import { settingsBefore, settingsChanges, settingsFor } from '../../domain/ecs/service-settings.ts';
import { lastGood, primaryOf } from '../../domain/ecs/start.ts';
import {
  type TaskDefinitionBody,
  imagesOf,
  ownTags,
  sameDefinition,
  toRegistrable,
} from '../../domain/ecs/task-definition.ts';
import { messageOf } from '../../domain/failure.ts';
import { isPinned } from '../../domain/image-reference.ts';
import { CloudFailure, isRefused, mayPass, pauseBefore } from '../../domain/retry-policy.ts';
import type { Ecs, EcsDeployment, EcsService, TaskDefinition } from '../../ports/ecs.ts';
import type { DeployImageRequest, Following, RolloutRequest, RolloutTools } from './rollout.ts';
import { settingsBack } from './settings-back.ts';

/** Of a write that the SDK does not repeat by itself. */
const WRITE_ATTEMPTS = 4;

export interface Revision {
  readonly arn: string;
  readonly origin: 'registered' | 'found';
}

/** The revision with `body`: the newest of the family when it is the same already (a run that was killed left it), else a new one. */
export async function revisionFor(
  {
    current,
    body,
    tags,
  }: {
    readonly current: Pick<TaskDefinition, 'family' | 'tags'> & { readonly arn?: string };
    readonly body: TaskDefinitionBody;
    readonly tags: Readonly<Record<string, string>>;
  },
  { ecs, log, clock }: RolloutTools,
  signal: AbortSignal,
): Promise<Revision> {
  const newest = await newestOf(current.family, ecs, signal);
  if (newest !== undefined && newest.arn !== current.arn && sameDefinition(newest.body, body)) {
    log.info(`Task definition ${revisionName(newest.arn)} is there already and the same; no new revision`);
    return { arn: newest.arn, origin: 'found' };
  }
  const wanted = toRegistrable(body, { ...current.tags, ...tags });
  for (const warning of wanted.warnings) log.warning(warning);
  const registered = await register(
    { body, wanted: { ...wanted, tags: ownTags(wanted.tags) }, newest },
    { ecs, log, clock },
    signal,
  );
  log.info(`Registered task definition ${revisionName(registered.arn)}`);
  return { arn: registered.arn, origin: 'registered' };
}

interface Registration {
  readonly body: TaskDefinitionBody;
  readonly wanted: { readonly body: TaskDefinitionBody; readonly tags: Readonly<Record<string, string>> };
  /** Of the family, before. */
  readonly newest: TaskDefinition | undefined;
}

/** RegisterTaskDefinition, and after an answer that was lost a look whether it was taken: twice would be two revisions. */
async function register(
  { body, wanted, newest }: Registration,
  { ecs, log, clock }: Pick<RolloutTools, 'ecs' | 'log' | 'clock'>,
  signal: AbortSignal,
): Promise<Pick<TaskDefinition, 'arn'>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ecs.registerTaskDefinition(wanted.body, wanted.tags, signal);
    } catch (thrown) {
      if (isRefused(thrown)) throw saying(thrown, 'Nothing was changed');
      if (!(thrown instanceof CloudFailure)) throw thrown;
      if (attempt === WRITE_ATTEMPTS || !mayPass(thrown.kind)) throw saying(thrown, NOT_KNOWN);
      log.warning(`${thrown.facts.what}: ${thrown.facts.why}. Looking whether it was taken`);
      await clock.sleep(pauseBefore(attempt), signal);
      const found = await newestOf(wanted.body['family'] as string, ecs, signal);
      if (found !== undefined && found.arn !== newest?.arn && sameDefinition(found.body, body)) return found;
    }
  }
}

const NOT_KNOWN = 'The service was not touched; whether the revision was registered is not known';

const saying = (thrown: CloudFailure, now: string): CloudFailure =>
  new CloudFailure(thrown.kind, { ...thrown.facts, now }, { cause: thrown });

/** undefined: the family has no revision yet. */
async function newestOf(family: string, ecs: Ecs, signal: AbortSignal): Promise<TaskDefinition | undefined> {
  try {
    return await ecs.describeTaskDefinition(family, signal);
  } catch (thrown) {
    // ECS has no error of its own for it: "Unable to describe task definition" is a ClientException.
    if (thrown instanceof CloudFailure && (thrown.kind === 'invalid' || thrown.kind === 'not-found')) return undefined;
    throw thrown;
  }
}

export interface Update {
  readonly service: EcsService;
  readonly taskDefinition: string;
  readonly body: TaskDefinitionBody;
  /** Set when the revision is the one that runs already. */
  readonly force: 'new-deployment' | 'no';
  /** What the tags say of it. */
  readonly phase: 'deploying' | 'rolling-back';
  readonly discards?: true;
  /** The revision that runs, where it was read already. */
  readonly current?: Pick<TaskDefinition, 'arn' | 'status'>;
}

/** Writes the intent, updates the service, and says what is to be followed. */
export async function beginDeployment(
  update: Update,
  request: RolloutRequest,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<Following> {
  const { service, taskDefinition, phase } = update;
  const settings = settingsFor(service, update.body, { wish: request.settings });
  const successful = await tools.ecs.listServiceDeployments(request.ref, signal, { status: 'SUCCESSFUL' });
  const own = openJournal(service, request.writer);
  // A run of this release that died in the middle wrote down what was before; by now ECS's record may name the release itself.
  const kept = own?.previousTaskDefinition === taskDefinition ? undefined : own?.previousTaskDefinition;
  const previous = kept ?? lastGood(service, successful, update.force === 'no' ? taskDefinition : undefined);
  const following: Following = {
    ref: request.ref,
    taskDefinition,
    earlierDeployments: service.deployments.map(({ id }) => id),
    startedAt: tools.clock.now(),
    ...lastEventOf(service),
    writer: request.writer,
    ...(previous === undefined ? {} : { previousTaskDefinition: previous }),
    ...(writerOf(service) === undefined ? {} : { earlierRun: writerOf(service) as string }),
    ...(service.currentServiceDeployment === undefined
      ? {}
      : { earlierServiceDeployment: service.currentServiceDeployment }),
    ...previousCount(service, request.desired, own),
    ...(await settingsOfBefore(update, { settings, previous, successful }, tools, signal)),
    ...(update.discards === undefined ? {} : { discards: update.discards }),
  };
  warnOfWeakness(service, following, tools);
  await warnOfLostWayBack(following, update, tools, signal);
  const changes = settingsChanges(service, settings);
  if (changes.length > 0) tools.log.info(`${service.ref.service} changes with the update: ${changes.join('; ')}`);
  await tools.ecs.tagService(service.arn, tagsOf(service, phase, following), signal);
  // From here on there may be something to undo, even when the answer is lost.
  request.onFollowing?.(following);
  try {
    const desired = request.desired === undefined ? {} : { desired: request.desired };
    const force = update.force === 'no' ? {} : { forceNewDeployment: true as const };
    const told = Object.keys(settings).length === 0 ? {} : { settings };
    const change = { taskDefinition, ...desired, ...told, ...force };
    const updated = await sendUpdate(following, change, tools, signal);
    const learnt = learn(following, updated);
    request.onFollowing?.(learnt);
    return learnt;
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure)) throw thrown;
    if (mayPass(thrown.kind)) {
      const now = `It is not known whether ECS took the update of ${service.ref.service} to ${revisionName(taskDefinition)}`;
      throw new CloudFailure(thrown.kind, { ...thrown.facts, now }, { cause: thrown });
    }
    // ECS refused: nothing was begun, and the tags should not say that it was.
    request.onFollowing?.(undefined);
    await tools.ecs
      .tagService(service.arn, phaseTag('failed'), signal)
      .catch((tagging: unknown) => tools.log.warning(messageOf(tagging)));
    throw thrown;
  }
}

/** Written by a run of this release that did not come to its end. */
function openJournal(service: EcsService, { release }: RolloutRequest['writer']): ServiceJournal | undefined {
  const journal = readJournal(service);
  return isOpen(journal) && sameRelease(journal, release) ? journal : undefined;
}

function previousCount(
  service: EcsService,
  desired: number | undefined,
  own: ServiceJournal | undefined,
): Pick<Following, 'previousDesired'> {
  if (own?.previousDesired !== undefined) return { previousDesired: own.previousDesired };
  return desired === undefined || desired === service.desired ? {} : { previousDesired: service.desired };
}

/** What an update back has to say of the service. */
async function settingsOfBefore(
  { service, taskDefinition, force, body }: Update,
  { settings, previous, successful }: Earlier,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<Pick<Following, 'previousSettings' | 'settingsAlone'>> {
  const known = settingsBefore(service, settings);
  // What the service has now is what was before only where it runs what was before.
  if (previous !== service.taskDefinition)
    return settingsBack({ service, taskDefinition, previous, successful, known }, tools, signal);
  if (Object.keys(known).length === 0) return {};
  // A tag may name other bytes by now: what a second start of them would bring is not known.
  const alone = force === 'new-deployment' && Object.values(imagesOf(body)).every(isPinned);
  return { previousSettings: known, ...(alone && previous === taskDefinition ? { settingsAlone: true } : {}) };
}

interface Earlier {
  readonly settings: ServiceSettings;
  readonly previous: string | undefined;
  readonly successful: readonly ServiceDeployment[];
}

const lastEventOf = ({ events }: EcsService): Pick<Following, 'lastEvent'> =>
  events[0] === undefined ? {} : { lastEvent: events[0].id };

function tagsOf(service: EcsService, phase: Update['phase'], following: Following): Readonly<Record<string, string>> {
  const { writer, previousTaskDefinition: previous, previousDesired } = following;
  const count = previousDesired === undefined ? {} : { previousDesired };
  return openTags(service, {
    phase,
    ...writer,
    ...count,
    ...(previous === undefined ? {} : { previousTaskDefinition: previous }),
  });
}

/** Said before anything is changed: what would leave nobody to end a bad deployment. */
function warnOfWeakness(service: EcsService, { previousTaskDefinition, ref }: Following, { log }: RolloutTools): void {
  if (previousTaskDefinition === undefined)
    log.warning(
      `${ref.service} never had a successful deployment: should this one fail, there is nothing to go back to`,
    );
  if (service.circuitBreaker?.enable !== true || !service.circuitBreaker.rollback) {
    log.warning(
      `${ref.service} has no deployment circuit breaker with rollback: should this job be lost, ECS alone would not end a bad deployment`,
    );
  }
}

/** An INACTIVE revision is deployed by nobody: only ECS's own roll back, which the breaker begins, would still lead there. */
async function warnOfLostWayBack(
  { previousTaskDefinition, taskDefinition, ref }: Following,
  { current }: Update,
  { ecs, log }: RolloutTools,
  signal: AbortSignal,
): Promise<void> {
  if (previousTaskDefinition === undefined || previousTaskDefinition === taskDefinition) return;
  try {
    const known = current?.arn === previousTaskDefinition;
    const { status } = known ? current : await ecs.describeTaskDefinition(previousTaskDefinition, signal);
    if (status === 'INACTIVE')
      log.warning(
        `${revisionName(previousTaskDefinition)}, which ${ref.service} would go back to, was deregistered: once this deployment is complete, there is no way back by an update`,
      );
  } catch (thrown) {
    if (!(thrown instanceof CloudFailure)) throw thrown;
    log.warning(`${thrown.message} Whether there is a way back is not known`);
  }
}

/** UpdateService, and after an answer that was lost a look whether it was taken: twice would be two deployments. */
async function sendUpdate(
  following: Following,
  change: Parameters<Ecs['updateService']>[1],
  { ecs, clock, log }: RolloutTools,
  signal: AbortSignal,
): Promise<EcsService> {
  const { ref } = following;
  for (let attempt = 1; ; attempt++) {
    try {
      return await ecs.updateService(ref, change, signal);
    } catch (thrown) {
      if (attempt === WRITE_ATTEMPTS || !(thrown instanceof CloudFailure) || !mayPass(thrown.kind)) throw thrown;
      log.warning(`${thrown.message} Looking whether it was taken`);
      await clock.sleep(pauseBefore(attempt), signal);
      const [service] = await ecs.describeServices([ref], signal);
      if (service !== undefined && newDeployment(following, service) !== undefined) return service;
    }
  }
}

function newDeployment(following: Following, service: EcsService): string | undefined {
  const primary = primaryOf(service);
  return primary?.taskDefinition === following.taskDefinition && !following.earlierDeployments.includes(primary.id)
    ? primary.id
    : undefined;
}

function learn(following: Following, updated: EcsService): Following {
  const deploymentId = newDeployment(following, updated);
  if (deploymentId === undefined) return following;
  // One answer, one moment: where it shows ours as PRIMARY and a record that was not there before, that one is ours too.
  const record = updated.currentServiceDeployment;
  const isOurs = record !== undefined && record !== following.earlierServiceDeployment;
  return { ...following, deploymentId, ...(isOurs ? { serviceDeploymentArn: record } : {}) };
}

export interface InFlight {
  readonly service: EcsService;
  readonly deployment: EcsDeployment;
  readonly phase: Update['phase'];
}

/**
 * Takes over a deployment of the same images that is in flight, begun by a run that died or by somebody else: from now on
 * this run answers for it, and the tags say so.
 */
export async function attachTo(
  { service, deployment, phase }: InFlight,
  request: RolloutRequest & Pick<DeployImageRequest, 'failedRevision'>,
  tools: RolloutTools,
  signal: AbortSignal,
): Promise<Following> {
  const { id, taskDefinition } = deployment;
  const journal = readJournal(service);
  const own = sameRelease(journal, request.writer.release) ? journal : undefined;
  const successful = await tools.ecs.listServiceDeployments(request.ref, signal, { status: 'SUCCESSFUL' });
  const previous = own?.previousTaskDefinition ?? lastGood(service, successful, taskDefinition);
  // Ours by name, and nothing that was ever good: left by a run of this release that died.
  const discards =
    request.failedRevision === 'deregister' &&
    own !== undefined &&
    previous !== taskDefinition &&
    successful.every((each) => each.taskDefinition !== taskDefinition);
  const following: Following = {
    ref: request.ref,
    taskDefinition,
    deploymentId: id,
    earlierDeployments: service.deployments.map((listed) => listed.id).filter((listed) => listed !== id),
    startedAt: deployment.createdAt ?? tools.clock.now(),
    writer: request.writer,
    ...(previous === undefined ? {} : { previousTaskDefinition: previous }),
    ...(writerOf(service) === undefined ? {} : { earlierRun: writerOf(service) as string }),
    ...(own?.previousDesired === undefined ? {} : { previousDesired: own.previousDesired }),
    ...(await settingsBack({ service, taskDefinition, previous, successful }, tools, signal)),
    ...(discards ? { discards } : {}),
  };
  await tools.ecs.tagService(service.arn, tagsOf(service, phase, following), signal);
  request.onFollowing?.(following);
  return following;
}
