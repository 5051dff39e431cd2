import { type Duration, after, between, seconds } from '../../../../src/domain/duration.ts';
import type { RolloutResult } from '../../../../src/domain/ecs/result.ts';
import { Cancelled, Failure, messageOf } from '../../../../src/domain/failure.ts';
import { unreachable } from '../../../../src/domain/unreachable.ts';
import { verifyRelease } from '../../../../src/engine/checks/verify-release.ts';
import { closeJournal } from '../../../../src/engine/ecs-rollout/close-journal.ts';
import { deployImage } from '../../../../src/engine/ecs-rollout/deploy-image.ts';
import { ROLL_BACK_WITHIN } from '../../../../src/engine/ecs-rollout/follow-deployment.ts';
import { rollBack } from '../../../../src/engine/ecs-rollout/roll-back.ts';
import { tellSeen } from '../../../../src/engine/ecs-rollout/preflight.ts';
import type {
  DefinitionSource,
  DeployImageRequest,
  Following,
  Verification,
} from '../../../../src/engine/ecs-rollout/rollout.ts';
import type { progressTogether } from '../../../../src/engine/ecs-rollout/together.ts';
import {
  type GroupMove,
  type GroupResult,
  type Judgement,
  type MemberOutcome,
  type MemberResult,
  type MemberState,
  type Node,
  decideGroup,
  levelsOf,
  outcomeOf,
} from '../decide/group.ts';
import { type Ahead, type Context, type Standing, afterwards, orderFor, toolsOf } from '../execute.ts';
import type { DeployRequest, GroupRequest } from '../inputs.ts';

export interface GroupContext extends Context {
  /** By service, of those that name one. */
  readonly definitions: ReadonlyMap<string, DefinitionSource>;
}

/** One service of the group, and what became of it. */
export interface Track {
  readonly name: string;
  readonly request: DeployRequest;
  readonly context: Context;
  readonly controller: AbortController;
  state: MemberState;
  following: Following | undefined;
  /** What the plan was made from, until it is begun with. */
  ahead: Ahead | undefined;
  registered: string | undefined;
  /** Its own way back was begun, by itself or by ECS. */
  wentBack: boolean;
  result: RolloutResult | undefined;
  back: RolloutResult | undefined;
  running: Promise<void> | undefined;
}

export interface Walk {
  readonly request: GroupRequest;
  readonly context: GroupContext;
  readonly nodes: readonly Node[];
  readonly tracks: ReadonlyMap<string, Track>;
  readonly signal: AbortSignal;
  readonly progress: ReturnType<typeof progressTogether>;
  judgement: Judgement;
  lines: readonly string[];
  judging: Promise<void> | undefined;
  /** What began the way back. */
  because: string | undefined;
}

export const newTrack = (request: DeployRequest, context: Context): Track => ({
  name: request.service,
  request,
  context,
  controller: new AbortController(),
  state: { kind: 'waiting' },
  following: undefined,
  ahead: undefined,
  registered: undefined,
  wentBack: false,
  result: undefined,
  back: undefined,
  running: undefined,
});

export async function walkOn(walk: Walk): Promise<'good' | 'bad'> {
  for (;;) {
    const states = new Map([...walk.tracks].map(([name, { state }]) => [name, state]));
    const { nodes, judgement, request } = walk;
    const decision = decideGroup({ nodes, states, judgement, onFailure: request.onFailure });
    switch (decision.kind) {
      case 'done':
        return decision.end;
      case 'moves':
        for (const move of decision.moves) begin(move, walk);
        break;
      case 'wait': {
        const under = [...walk.tracks.values()].flatMap(({ running }) => running ?? []);
        if (under.length === 0 && walk.judging === undefined)
          throw new Error('nothing is under way and nothing is decided');
        await Promise.race([...under, ...(walk.judging === undefined ? [] : [walk.judging])]);
        break;
      }
      default:
        unreachable(decision);
    }
  }
}

/** Begins the move; its state changes now, and again when it ends. */
function begin(move: GroupMove, walk: Walk): void {
  if (move.kind === 'judge') {
    walk.judgement = 'under-way';
    walk.judging = judge(walk).finally(() => (walk.judging = undefined));
    return;
  }
  const track = walk.tracks.get(move.name);
  if (track === undefined) return;
  const before = track.running;
  const work =
    move.kind === 'start'
      ? start(track, walk)
      : move.kind === 'stop'
        ? stop(track, before, (walk.because ??= move.because))
        : goBack(track, (walk.because ??= move.because), walk);
  const running = work.finally(() => {
    walk.progress.over(track.name);
    if (track.running === running) track.running = undefined;
  });
  track.running = running;
}

/** So long what was read for the plan is begun with; a service that waits for others is looked at again. */
const FRESH: Duration = seconds(10);

/** What is to be done to the service; what was looked at a moment ago is not looked at twice. */
export function orderOf(track: Track): DeployImageRequest {
  const { request, context, ahead } = track;
  const order = orderFor(request, context);
  if (ahead === undefined) return order;
  return {
    ...order,
    situation() {
      const fresh = between(ahead.at, context.clock.now()) <= FRESH && track.ahead === ahead;
      track.ahead = undefined;
      return fresh ? ahead.situation : undefined;
    },
    async inspect(prepared, signal) {
      if (prepared.service !== ahead.situation.service) return order.inspect?.(prepared, signal);
      return tellSeen(ahead.seen, prepared, context.log);
    },
  };
}

async function start(track: Track, walk: Walk): Promise<void> {
  track.state = { kind: 'deploying' };
  const signal = AbortSignal.any([walk.signal, track.controller.signal]);
  const { registered } = track;
  const order = {
    ...orderOf(track),
    endsAs: 'open' as const,
    onFollowing(following: Following | undefined) {
      track.following = following;
      tellStanding(walk);
    },
    onWayBack() {
      track.wentBack = true;
      track.state = { kind: 'going-back' };
    },
    ...(registered === undefined ? {} : { registered }),
  };
  try {
    track.result = await deployImage(order, toolsOf(track.context), signal);
    track.state = stateOf(track.result, track);
  } catch (thrown) {
    walk.signal.throwIfAborted();
    // Let go: what was begun is taken back next.
    if (track.controller.signal.aborted && track.state.kind === 'stopping') return;
    if (!(thrown instanceof Failure)) throw thrown;
    walk.context.log.warning(`${track.name}: ${thrown.message}`);
    const kind = track.following === undefined ? 'bad' : 'lost';
    track.state = { kind, because: messageOf(thrown).replace(/[.\s]+$/, '') };
  }
  tellStanding(walk);
}

function stateOf({ outcome, reason }: RolloutResult, { following }: Track): MemberState {
  if (outcome === 'succeeded' || outcome === 'unchanged')
    return { kind: 'good', undo: following === undefined ? 'none' : 'possible' };
  if (outcome === 'rolled-back') return { kind: 'back' };
  return { kind: following === undefined ? 'bad' : 'lost', because: reason };
}

/** Lets go of a deployment that is followed; the next decision takes back what there is. */
async function stop(track: Track, running: Promise<void> | undefined, because: string): Promise<void> {
  track.state = { kind: 'stopping' };
  track.controller.abort(new Cancelled(`the end of its group (${because})`));
  await running;
  if (track.state.kind !== 'stopping') return;
  track.state =
    track.following === undefined ? { kind: 'waiting' } : { kind: 'lost', because: 'stopped with its group' };
}

async function goBack(track: Track, because: string, walk: Walk): Promise<void> {
  const { following, context } = track;
  if (following === undefined) return;
  track.state = { kind: 'going-back' };
  const deadline = after(walk.context.clock.now(), ROLL_BACK_WITHIN);
  try {
    track.back = await rollBack({ following, deadline, reason: because }, toolsOf(context), walk.signal);
    const { outcome, reason } = track.back;
    track.state = outcome === 'rolled-back' ? { kind: 'back' } : { kind: 'bad', because: reason };
  } catch (thrown) {
    walk.signal.throwIfAborted();
    if (!(thrown instanceof Failure)) throw thrown;
    walk.context.log.warning(`${track.name}: ${thrown.message}`);
    track.wentBack = true;
    track.state = { kind: 'bad', because: messageOf(thrown).replace(/[.\s]+$/, '') };
  }
  track.following = undefined;
  tellStanding(walk);
}

/** What `post` and a signal would have to undo. */
function tellStanding({ tracks, context }: Walk): void {
  const standing = [...tracks.values()].flatMap(({ following, state }): readonly Standing[] =>
    following === undefined ? [] : [{ following, stands: state.kind === 'good' ? 'serves' : 'in-flight' }],
  );
  context.onFollowing(standing);
}

/** Tasks after the deployment in order, then checks and rules: of the group as a whole. */
async function judge(walk: Walk): Promise<void> {
  const verification = await judgementOf(walk);
  walk.judgement = verification.kind === 'good' ? 'good' : { because: verification.reason };
  walk.lines = verification.kind === 'good' ? [] : verification.lines;
}

async function judgementOf({ nodes, tracks, context, signal }: Walk): Promise<Verification> {
  for (const { name } of levelsOf(nodes).flat()) {
    const track = tracks.get(name);
    const wish = track?.request.after;
    if (track === undefined || wish === undefined) continue;
    const verification = await afterwards({ request: track.request, wish }, track.context, signal);
    if (verification.kind === 'bad') return verification;
  }
  return context.checking === undefined ? { kind: 'good' } : verifyRelease(context.checking, context, signal);
}

/** The tags of what serves say how the group ended. */
export async function closeAll(walk: Walk, end: 'good' | 'bad'): Promise<void> {
  const phase = end === 'good' ? 'done' : 'failed';
  await Promise.all(
    [...walk.tracks.values()].map(async (track) => {
      if (track.following === undefined) return;
      await closeJournal(track.following, { phase }, toolsOf(track.context), walk.signal);
      track.following = undefined;
    }),
  );
  tellStanding(walk);
}

export function resultOf(walk: Walk): GroupResult {
  const { judgement, tracks, lines } = walk;
  const members = [...tracks.values()].map(memberResult);
  const bad = [...tracks.values()].find(
    ({ state, result }) => state.kind === 'bad' || result?.outcome === 'rolled-back',
  );
  const because =
    typeof judgement === 'object'
      ? judgement.because
      : bad === undefined
        ? undefined
        : `${bad.name}: ${bad.result?.reason ?? (bad.state.kind === 'bad' ? bad.state.because : '')}`;
  return {
    outcome: outcomeOf(
      members.map(({ outcome }) => outcome),
      judgement,
    ),
    changed: [...tracks.values()].some(({ result, back }) => result?.changed === true || back !== undefined),
    members,
    diagnosis: lines,
    ...(because === undefined ? {} : { because }),
  };
}

function memberResult({ name, state, result, back, wentBack }: Track): MemberResult {
  const last = back ?? result;
  return {
    name,
    outcome: outcomeOfMember({ state, result, back, wentBack }),
    reason: state.kind === 'bad' || state.kind === 'lost' ? state.because : (last?.reason ?? ''),
    diagnosis: result?.diagnosis ?? [],
    ...(last === undefined ? {} : { taskDefinition: last.taskDefinition }),
    ...(last?.previousTaskDefinition === undefined ? {} : { previousTaskDefinition: last.previousTaskDefinition }),
    ...(last?.serviceDeploymentArn === undefined ? {} : { serviceDeploymentArn: last.serviceDeploymentArn }),
  };
}

function outcomeOfMember({
  state,
  result,
  back,
  wentBack,
}: Pick<Track, 'state' | 'result' | 'back' | 'wentBack'>): MemberOutcome {
  if (state.kind === 'waiting') return 'not-started';
  if (state.kind === 'back') return 'rolled-back';
  if (state.kind === 'good') return result?.outcome ?? 'succeeded';
  if (back !== undefined) return back.outcome === 'superseded' ? 'superseded' : 'rollback-failed';
  if (wentBack && result?.outcome !== 'superseded') return 'rollback-failed';
  return result?.outcome ?? 'failed';
}
