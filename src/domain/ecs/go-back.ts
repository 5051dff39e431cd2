import { canonicalJson } from '../canonical-json.ts';
import type { FailureFacts } from '../failure.ts';
import { revisionName } from './arn.ts';
import { readJournal, sameRelease, sameWorkflowRun } from './journal.ts';
import { releaseStack } from './release-history.ts';
import type { EcsDeployment, EcsService, ServiceDeployment } from './service.ts';
import { isInFlight, isSteady, isWayBack, primaryOf, refusalOf } from './start.ts';

/** A roll back that a person asks for. */
export interface GoBackWish {
  /** ARN of a named revision; absent: the release before the one that serves. */
  readonly to?: string;
  /** `<run id>/<attempt>` */
  readonly run: string;
}

/** What the tags call a way back, so that a repeated run knows its own. */
export const releaseBackTo = (taskDefinition: string): string => `back to ${revisionName(taskDefinition)}`;
export const releaseBackFrom = (taskDefinition: string): string => `back from ${revisionName(taskDefinition)}`;

export interface GoBackSituation {
  readonly service: EcsService;
  /** Of the deployment in flight, when there is one and it may be read. */
  readonly serviceDeployment?: ServiceDeployment;
  /** Newest first. */
  readonly successful: readonly ServiceDeployment[];
}

export type GoBack =
  | { readonly kind: 'refuse'; readonly facts: FailureFacts }
  /** A release is in flight: it is stopped and taken back. */
  | { readonly kind: 'stop'; readonly deployment: EcsDeployment }
  /** A way back is under way already. */
  | { readonly kind: 'follow'; readonly deployment: EcsDeployment }
  /** ECS is on its own way back, and another revision is named: its end comes first. */
  | { readonly kind: 'wait'; readonly for: string }
  /** One of the two reads is older than the other: nothing can be decided from them. */
  | { readonly kind: 'look-again'; readonly why: string }
  | { readonly kind: 'unchanged'; readonly why: string }
  | { readonly kind: 'deploy'; readonly to: string };

/** PURE. Safe to ask again after a run that died: one step back is one step, however often the run is repeated. */
export function decideGoBack(situation: GoBackSituation, wish: GoBackWish): GoBack {
  const { service, serviceDeployment, successful } = situation;
  const primary = primaryOf(service);
  const refusal = refusalOf(service, 'roll back');
  if (refusal !== undefined) return { kind: 'refuse', facts: refusal };
  if (primary === undefined) return { kind: 'refuse', facts: nothingBefore(service, 'it has no deployment') };
  const stack = releaseStack(successful);
  const last = stack.at(-1);
  if (primary.rolloutState === 'COMPLETED' && stack.includes(primary.taskDefinition) && last !== primary.taskDefinition)
    return {
      kind: 'look-again',
      why: `the service shows ${revisionName(primary.taskDefinition)} complete, and ECS's record has ${revisionName(last ?? '')} as the last successful deployment`,
    };
  return isInFlight(service, serviceDeployment)
    ? whileMoving({ primary, serviceDeployment, stack }, wish)
    : whileStill({ service, primary, stack, successful }, wish);
}

interface Moving {
  readonly primary: EcsDeployment;
  readonly serviceDeployment: ServiceDeployment | undefined;
  readonly stack: readonly string[];
}

function whileMoving({ primary, serviceDeployment, stack }: Moving, { to }: GoBackWish): GoBack {
  const byEcs = isWayBack(primary, serviceDeployment);
  if (to !== undefined) {
    if (primary.taskDefinition === to) return { kind: 'follow', deployment: primary };
    return byEcs
      ? { kind: 'wait', for: `a roll back to ${revisionName(primary.taskDefinition)}` }
      : { kind: 'deploy', to };
  }
  // What was good before and is not the last good one is deployed again by nobody but a way back.
  const place = stack.indexOf(primary.taskDefinition);
  const wayBack = byEcs || (place >= 0 && place < stack.length - 1);
  return { kind: wayBack ? 'follow' : 'stop', deployment: primary };
}

interface Still extends Pick<GoBackSituation, 'service' | 'successful'> {
  readonly primary: EcsDeployment;
  readonly stack: readonly string[];
}

function whileStill({ service, primary, stack, successful }: Still, { to, run }: GoBackWish): GoBack {
  const name = revisionName(primary.taskDefinition);
  const failed = primary.rolloutState === 'FAILED';
  const there = `${service.running} of ${service.desired} tasks run ${name}`;
  if (to !== undefined) {
    if (to !== primary.taskDefinition || failed) return { kind: 'deploy', to };
    return isSteady(service) ? { kind: 'unchanged', why: `${there} already` } : { kind: 'follow', deployment: primary };
  }
  const journal = readJournal(service);
  // The tags are written before the update: only the revision that serves tells whether it was ever sent.
  const arrived =
    sameRelease(journal, releaseBackTo(primary.taskDefinition)) ||
    (journal?.release.startsWith('back from ') === true &&
      !sameRelease(journal, releaseBackFrom(primary.taskDefinition)));
  const doneByThisRun =
    journal !== undefined &&
    (journal.phase === 'rolled-back' || (journal.phase === 'rolling-back' && arrived)) &&
    sameWorkflowRun(journal.run, run);
  if (doneByThisRun && !failed) return { kind: 'unchanged', why: `this run went back already: ${there}` };
  const target = releaseBelow(service, stack);
  if (target === undefined)
    return { kind: 'refuse', facts: nothingBefore(service, `ECS knows no release before ${name}`) };
  if (!failed && hasOtherVolumes(primary, successful))
    return { kind: 'refuse', facts: volumesAlone(service, { name, below: revisionName(target) }) };
  return { kind: 'deploy', to: target };
}

/** The last release brought volumes to the revision that ran already: the revision below is one release of the software too far. */
function hasOtherVolumes({ taskDefinition }: EcsDeployment, newestFirst: readonly ServiceDeployment[]): boolean {
  const successful = newestFirst.filter((each) => each.status === 'SUCCESSFUL');
  const older = successful.findIndex((each) => each.taskDefinition !== taskDefinition);
  const [last, before, ...ago] = older < 0 ? successful : successful.slice(0, older);
  // Not recorded: nothing is known of them.
  if (last?.volumes === undefined || before?.volumes === undefined) return false;
  const now = canonicalJson(last.volumes);
  // What was there earlier under this revision is back: the release of volumes was taken back already.
  const isBack = ago.some(({ volumes }) => volumes !== undefined && canonicalJson(volumes) === now);
  return canonicalJson(before.volumes) !== now && !isBack;
}

const volumesAlone = (
  { ref }: EcsService,
  { name, below }: { readonly name: string; readonly below: string },
): FailureFacts => ({
  what: `Could not tell what ${ref.service} is to be rolled back from`,
  why: `the last release changed its volumes and left ${name}; ${below} is older software, and not the volumes of before`,
  now: 'Nothing was changed',
  next: `Take the volumes back by mode: deploy with service-settings as they were, or name the software by to: ${below}`,
});

/** The release below the one that serves; when what is deployed was never good, the last one that was. */
export function releaseBelow(service: EcsService, stack: readonly string[]): string | undefined {
  const taskDefinition = primaryOf(service)?.taskDefinition ?? service.taskDefinition;
  const top = stack.at(-1);
  if (top !== undefined && top !== taskDefinition) return top;
  const below = stack.at(-2);
  if (below !== undefined) return below;
  const journal = readJournal(service);
  const noted = journal?.phase === 'done' ? journal.previousTaskDefinition : undefined;
  return noted === taskDefinition ? undefined : noted;
}

const nothingBefore = ({ ref }: EcsService, why: string): FailureFacts => ({
  what: `There is nothing to roll ${ref.service} back to`,
  why: `${why} (its record of deployments goes back 90 days)`,
  now: 'Nothing was changed',
  next: 'Name a revision by the input to',
});
