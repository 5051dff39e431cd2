import { type Duration, after } from '../../../../src/domain/duration.ts';
import { Cancelled, Failure, messageOf } from '../../../../src/domain/failure.ts';
import { conditionsOnce } from '../../../../src/engine/ecs-rollout/conditions-once.ts';
import { makeReady } from '../../../../src/engine/ecs-rollout/deploy-image.ts';
import { rollBack } from '../../../../src/engine/ecs-rollout/roll-back.ts';
import { clockTogether, ecsTogether, progressTogether } from '../../../../src/engine/ecs-rollout/together.ts';
import { type GroupResult, type MemberResult, type Node, levelsOf, outcomeOf, planOfGroup } from '../decide/group.ts';
import type { Plan } from '../decide.ts';
import { type GroupContext, type Walk, closeAll, newTrack, orderOf, resultOf, walkOn } from './group-walk.ts';
import { type Context, type Standing, lookAhead, toolsOf } from '../execute.ts';
import type { GroupMember, GroupRequest } from '../inputs.ts';

export type { GroupContext };

export const nodesOf = ({ members }: GroupRequest): readonly Node[] =>
  members.map(({ deploy, dependsOn }) => ({ name: deploy.service, dependsOn }));

/** Reads and plans each; writes nothing. */
export async function planGroup(request: GroupRequest, context: GroupContext, signal: AbortSignal): Promise<Plan> {
  return together(request, context, signal, async (walk) => {
    await lookAtAll(walk);
    return planOfGroup(walk.nodes, plansOf(walk));
  });
}

/**
 * Releases all services of the group, or none: each as a single one is, the independent ones at once, the others when all
 * that they depend on serve. Where one fails, or the judgement of all does, what is in flight is stopped, what serves goes
 * back in reverse order, and all of it is awaited.
 */
export async function deployGroup(
  request: GroupRequest,
  context: GroupContext,
  signal: AbortSignal,
): Promise<GroupResult> {
  return together(request, context, signal, async (walk) => {
    await lookAtAll(walk);
    refuse(plansOf(walk));
    const stopped = await makeAllReady(walk);
    if (stopped !== undefined) return stopped;
    try {
      const end = await walkOn(walk);
      await closeAll(walk, end);
      return resultOf(walk);
    } catch (thrown) {
      // Nobody goes on in the background while the error is told.
      await Promise.allSettled([...walk.tracks.values()].flatMap(({ running }) => running ?? []));
      throw thrown;
    }
  });
}

/** One beat, one batch and one line of progress for all of them. */
async function together<T>(
  request: GroupRequest,
  context: GroupContext,
  outer: AbortSignal,
  use: (walk: Walk) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const signal = AbortSignal.any([outer, over.signal]);
  const nodes = nodesOf(request);
  const progress = progressTogether(context.log, context.clock, nodes.length);
  const shared = {
    ecs: ecsTogether(context.ecs, context.clock, signal),
    clock: clockTogether(context.clock, signal),
    conditions: conditionsOnce(context.conditions),
  };
  const tracks = new Map(
    request.members.map(({ deploy }: GroupMember) => {
      const name = deploy.service;
      const definition = context.definitions.get(name);
      const sayWait = (wait: string): void => progress.say(name, `${name} (${wait})`);
      return [name, newTrack(deploy, { ...context, ...shared, definition, sayWait })] as const;
    }),
  );
  const judgement = asksJudgement(request) ? 'not-made' : 'none-asked';
  try {
    return await use({
      request,
      context: { ...context, ...shared },
      nodes,
      tracks,
      signal,
      progress,
      judgement,
      lines: [],
      judging: undefined,
      because: undefined,
    });
  } finally {
    over.abort(new Cancelled('the end of the group'));
  }
}

const asksJudgement = ({ checks, members }: GroupRequest): boolean =>
  checks !== undefined || members.some(({ deploy }) => deploy.after !== undefined);

/** What each would do by itself now. What speaks against any of them is said at once, before anything is written. */
async function lookAtAll({ tracks, signal }: Walk): Promise<void> {
  const failures: Failure[] = [];
  await Promise.all(
    [...tracks.values()].map(async (track) => {
      try {
        track.ahead = await lookAhead(track.request, track.context, signal);
      } catch (thrown) {
        if (!(thrown instanceof Failure)) throw thrown;
        failures.push(thrown);
      }
    }),
  );
  const [first] = failures;
  const messages = [...new Set(failures.map(({ message }) => message))];
  if (first !== undefined && messages.length === 1) throw first;
  if (first !== undefined) throw new Failure({ what: GROUP, why: messages.join(' '), now: 'Nothing was changed' });
}

const plansOf = ({ tracks }: Walk): ReadonlyMap<string, Plan> =>
  new Map([...tracks.values()].flatMap(({ name, ahead }) => (ahead === undefined ? [] : [[name, ahead.plan]])));

const GROUP = 'Could not deploy the services of service-group';

function refuse(plans: ReadonlyMap<string, Plan>): void {
  const refused = [...plans].flatMap(([name, { verdict, lines }]) =>
    verdict === 'would-be-refused'
      ? lines.flatMap((line) => (line.startsWith('Refuse: ') ? `${name}: ${line.slice('Refuse: '.length)}` : []))
      : [],
  );
  if (refused.length === 0) return;
  throw new Failure({
    what: GROUP,
    why: refused.join('; '),
    now: 'Nothing was changed',
    next: 'Mend what is named and re-run (for a deployment in flight see on-conflict, for an older release on-outdated)',
  });
}

/** Tasks before the deployment, one after the other, before any service is touched. */
async function makeAllReady(walk: Walk): Promise<GroupResult | undefined> {
  for (const { name } of levelsOf(walk.nodes).flat()) {
    const track = walk.tracks.get(name);
    if (track?.request.before === undefined) continue;
    const order = { ...orderOf(track), endsAs: 'open' } as const;
    const { registered, stopped } = await makeReady(order, toolsOf(track.context), walk.signal);
    track.registered = registered;
    if (stopped === undefined) continue;
    track.result = stopped;
    track.state = { kind: 'bad', because: stopped.reason };
    return { ...resultOf(walk), changed: stopped.changed };
  }
  return undefined;
}

/** What `post` has to undo it in: the services at once, because it has less time than their order would take. */
export async function undoGroup(
  standing: readonly Standing[],
  context: Pick<Context, 'ecs' | 'clock' | 'log' | 'logs'>,
  { within, signal: outer }: { readonly within: Duration; readonly signal: AbortSignal },
): Promise<GroupResult> {
  const over = new AbortController();
  const signal = AbortSignal.any([outer, over.signal]);
  const progress = progressTogether(context.log, context.clock, standing.length);
  const ecs = ecsTogether(context.ecs, context.clock, signal);
  const clock = clockTogether(context.clock, signal);
  const reason = 'the run ended before the release of its group did';
  const deadline = after(clock.now(), within);
  try {
    const members = await Promise.all(
      [...standing].reverse().map(async ({ following }): Promise<MemberResult> => {
        const name = following.ref.service;
        const sayWait = (wait: string): void => progress.say(name, `${name} (${wait})`);
        const tools = { ...context, ecs, clock, sayWait };
        try {
          const { outcome, ...back } = await rollBack({ following, deadline, reason }, tools, signal);
          progress.over(name);
          const took = outcome === 'rolled-back' || outcome === 'superseded' ? outcome : 'rollback-failed';
          return { ...back, name, outcome: took };
        } catch (thrown) {
          signal.throwIfAborted();
          if (!(thrown instanceof Failure)) throw thrown;
          return { name, outcome: 'rollback-failed', reason: messageOf(thrown), diagnosis: [] };
        }
      }),
    );
    const outcomes = members.map(({ outcome }) => outcome);
    return {
      outcome: outcomeOf(outcomes, 'none-asked'),
      because: reason,
      changed: true,
      members: members.reverse(),
      diagnosis: [],
    };
  } finally {
    over.abort(new Cancelled('the end of the group'));
  }
}
