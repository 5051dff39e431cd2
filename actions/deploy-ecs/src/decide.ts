import { revisionName } from '../../../src/domain/ecs/arn.ts';
import { describeEdits } from '../../../src/domain/ecs/definition-diff.ts';
import type { GoBack } from '../../../src/domain/ecs/go-back.ts';
import type { CleanUp } from '../../../src/domain/ecs/revision-cleanup.ts';
import { type ScalingLimits, decideScaling, describeLimits } from '../../../src/domain/ecs/scaling.ts';
import { type Situation, type Start, type Wish, decideStart, isSteady } from '../../../src/domain/ecs/start.ts';
import type { EcsService } from '../../../src/domain/ecs/service.ts';
import { settingsChanges } from '../../../src/domain/ecs/service-settings.ts';
import { unreachable } from '../../../src/domain/unreachable.ts';
import type { DeployRequest, ScaleToRequest } from './inputs.ts';

/*
 * The judgement of a rollout lives in src/domain/ecs, because blue-green deploys its candidate by the same engine:
 * start.ts (how to begin), rollout.ts (what a look says), way-back.ts (the next step back). Here are
 * only the dry-runs.
 *
 * Safe state, process dead: ECS goes on with what it was told, the old tasks serve until the new ones are healthy, and
 * `post` stops the deployment and goes back (on-cancel: rollback) or leaves it. Runner dead: the service's circuit breaker
 * ends a bad deployment; the next run finds one in flight by its tags and follows it.
 */

export interface Plan {
  /** One word: `deploy`, `unchanged`, `refuse`. */
  readonly start: string;
  readonly verdict: 'would-go' | 'would-be-refused';
  /** What would be done, a line each. */
  readonly lines: readonly string[];
}

/** What would be run beside the service, a line each. */
export interface PlannedTasks {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const NO_TASKS: PlannedTasks = { before: [], after: [] };

export interface PlanFacts {
  /** `<run id>/<attempt>`. */
  readonly run: string;
  readonly tasks?: PlannedTasks;
  /** What was found out about what the definition names. */
  readonly seen?: { readonly problems: readonly string[]; readonly warnings: readonly string[] };
}

/** PURE: what a run would do now. */
export function planOf(situation: Situation, request: DeployRequest, { run, tasks = NO_TASKS, seen }: PlanFacts): Plan {
  const wish = {
    ...wishOf(request),
    release: request.release,
    run,
    onOutdated: request.onOutdated,
    ...(request.desired === undefined ? {} : { desired: request.desired }),
  };
  const start = decideStart(situation, wish);
  const lines = describeStart(start, { ...situation, tasks }, request);
  const deploys = start.kind === 'deploy' || start.kind === 'restart';
  const problems = deploys ? (seen?.problems ?? []) : [];
  const found = deploys ? [...problems.map((each) => `Refuse: ${each}`), ...(seen?.warnings ?? [])] : [];
  const refused =
    problems.length > 0 ||
    start.kind === 'refuse' ||
    (start.kind === 'conflict' && request.onConflict === 'fail' && !start.byUs);
  const asked = request.edits === undefined ? [] : ['Asked for by containers:', ...describeEdits(request.edits)];
  return {
    start: start.kind,
    verdict: refused ? 'would-be-refused' : 'would-go',
    lines: [...found, ...asked, ...lines],
  };
}

/** What the new revision shall have, as the engine takes it. */
export function wishOf({
  image,
  container,
  edits,
  roles,
  settings,
}: DeployRequest): Pick<Wish, 'images' | 'edits' | 'roles' | 'settings'> {
  const images = image === undefined || container === undefined ? image : { [container]: image };
  return {
    ...(images === undefined ? {} : { images }),
    ...(edits === undefined ? {} : { edits }),
    ...(roles === undefined ? {} : { roles }),
    ...(settings === undefined ? {} : { settings }),
  };
}

function describeStart(
  start: Start,
  { service, current, base = current, tasks }: Situation & { readonly tasks: PlannedTasks },
  request: DeployRequest,
): readonly string[] {
  const name = revisionName(current.arn);
  const count =
    request.desired === undefined || request.desired === service.desired
      ? []
      : [`Set the desired count from ${service.desired} to ${request.desired}`];
  const settings = settingsChanges(service, request.settings).map((change) => `Set of the service ${change}`);
  const ending = [
    `Follow that deployment for ${request.onFailure === 'rollback' ? 'its end, or the way back' : 'its end'}`,
    ...tasks.after,
  ];
  switch (start.kind) {
    case 'refuse':
      return [`Refuse: ${start.facts.why ?? start.facts.what}`];
    case 'conflict':
      return [
        request.onConflict === 'stop' && !start.byUs
          ? `Stop ${start.with} and wait until it is rolled back, then look again`
          : request.onConflict === 'wait' || start.byUs
            ? `Wait for the end of ${start.with}, then look again`
            : `Refuse: ${start.with} is in flight (${start.whose})`,
      ];
    case 'attach':
      return [`Follow the deployment of ${name} that is in flight already (${start.deployment.id})`];
    case 'unchanged':
      return [`Nothing: ${service.running} of ${service.desired} tasks run ${name} with this image`];
    case 'settle':
      return [`Wait until ${service.desired} tasks run ${name}, which has this image already`];
    case 'scale':
      return [...count, `Wait until ${start.desired} tasks run ${name}, which has this image already`];
    case 'restart':
      return [...tasks.before, `Deploy ${name} again: ${start.why}`, ...count, ...settings, ...ending];
    case 'deploy':
      return [
        ...(start.over === undefined ? [] : [`Replace ${start.over}`]),
        ...(start.existing === undefined
          ? [`Register a revision${base?.arn === undefined ? '' : ` after ${name}`} with:`]
          : [
              `Deploy ${revisionName(start.existing)}, which is registered already. Against ${revisionName(current.arn)}:`,
            ]),
        ...start.changes,
        ...tasks.before,
        `Update ${service.ref.service} to it`,
        ...count,
        ...settings,
        ...ending,
      ];
    default:
      return unreachable(start);
  }
}

/** PURE: what `mode: rollback` would do now. */
export function planOfGoBack(service: EcsService, decision: Exclude<GoBack, { kind: 'look-again' }>): Plan {
  const { service: name } = service.ref;
  const runs = revisionName(service.taskDefinition);
  const would = (start: string, ...lines: readonly string[]): Plan => ({ start, verdict: 'would-go', lines });
  switch (decision.kind) {
    case 'refuse':
      return {
        start: 'refuse',
        verdict: 'would-be-refused',
        lines: [`Refuse: ${decision.facts.what}${decision.facts.why === undefined ? '' : `: ${decision.facts.why}`}`],
      };
    case 'stop':
      return would(
        'stop',
        `Tell ECS to stop the deployment of ${revisionName(decision.deployment.taskDefinition)} (${decision.deployment.id}) and go back`,
        'Wait until the release before it serves again',
      );
    case 'follow':
      return would(
        'follow',
        `Follow the way back to ${revisionName(decision.deployment.taskDefinition)} that is under way`,
      );
    case 'wait':
      return would('wait', `Wait for the end of ${decision.for}, then look again`);
    case 'unchanged':
      return would('unchanged', `Nothing: ${decision.why}`);
    case 'deploy':
      return would(
        'rollback',
        `Update ${name} from ${runs} to ${revisionName(decision.to)}`,
        'Follow that deployment to its end',
      );
    default:
      return unreachable(decision);
  }
}

/** PURE: what `mode: scale` would do now. */
export function planOfScale(
  service: EcsService,
  { desired, onLimits }: Pick<ScaleToRequest, 'desired' | 'onLimits'>,
  limits: ScalingLimits | undefined,
): Plan {
  const scaling = decideScaling(limits, { ref: service.ref, desired, onLimits });
  if (scaling.kind === 'refuse')
    return { start: 'refuse', verdict: 'would-be-refused', lines: [`Refuse: ${scaling.facts.why}`] };
  const plan = planOfCount(service, desired);
  const known = limits === undefined ? [] : [describeLimits(limits)];
  const change =
    scaling.kind === 'change'
      ? [`Set the limits of Application Auto Scaling to ${scaling.min} and ${scaling.max}`]
      : [];
  return { ...plan, lines: [...known, ...change, ...plan.lines] };
}

function planOfCount(service: EcsService, desired: number): Plan {
  const name = revisionName(service.taskDefinition);
  if (service.desired === desired)
    return isSteady(service)
      ? {
          start: 'unchanged',
          verdict: 'would-go',
          lines: [`Nothing: ${service.running} of ${desired} tasks run ${name}`],
        }
      : { start: 'settle', verdict: 'would-go', lines: [`Wait until ${desired} tasks run ${name}`] };
  const direction = desired > service.desired ? 'up' : 'down';
  return {
    start: `scale ${direction}`,
    verdict: 'would-go',
    lines: [
      `Set the desired count of ${service.ref.service} from ${service.desired} to ${desired}`,
      `Wait until ${desired} tasks run ${name}`,
    ],
  };
}

export interface FamilyCleanUp extends CleanUp {
  readonly family: string;
  /** ACTIVE revisions now. */
  readonly active: number;
}

/** PURE: what `mode: cleanup` would do now. */
export function planOfCleanUp(plan: FamilyCleanUp, keep: number): Plan {
  const { family, active, deregister, spared } = plan;
  const kept = spared.map(({ arn, why }) => `Keep ${revisionName(arn)}: ${why}`);
  const lines = [`${family} has ${active} ACTIVE revisions; the newest ${keep} stay`, ...kept];
  return deregister.length === 0
    ? { start: 'unchanged', verdict: 'would-go', lines: [...lines, 'Nothing to deregister'] }
    : { start: 'cleanup', verdict: 'would-go', lines: [...lines, `Deregister ${namesOf(deregister)}`] };
}

const namesOf = (arns: readonly string[]): string => arns.map(revisionName).join(', ');
