import {
  type Action,
  type ElasticLoadBalancingV2Client,
  DescribeListenersCommand,
  DescribeRulesCommand,
  ModifyListenerCommand,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Duration } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import { type TrafficSplit, formatSplit, sameSplit, splitGiving } from '../../domain/traffic-split.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TrafficRouter } from '../../ports/traffic-router.ts';
import { type CallFacts, callAws } from '../aws/errors.ts';
import { forwardOf, restoredTo, splitOf, stickyFor, withSplit } from './alb-actions.ts';
import type { AlbPlace } from './alb-place.ts';
import { stickinessMemory, tidyStickiness } from './alb-stickiness.ts';

/** Two clients of one account. Writes are made once: one that is repeated by the SDK after a pause would pass every fence. */
export interface AlbClients {
  readonly reads: ElasticLoadBalancingV2Client;
  readonly writes: ElasticLoadBalancingV2Client;
}

/** Weighted target groups in one rule, or in the default action of one listener, of an Application Load Balancer. */
export function albRouter(clients: AlbClients, place: AlbPlace, clock: Pick<Clock, 'now'>): TrafficRouter {
  /** As last read or written: what a signal handler may start from without a read. */
  let known: readonly Action[] | undefined;
  const memory = stickinessMemory(clients, place);
  /** What this process wrote into the tag. */
  let remembered: Duration | undefined;
  /** What `restore` took away though nothing remembers it: a way back that no `apply` of this process came before. */
  let dropped: Duration | undefined;
  const read = async (signal: AbortSignal): Promise<readonly Action[]> =>
    (known = await readActions(clients.reads, place, signal));
  const write = async (actions: Action[], facts: WriteFacts, signal: AbortSignal): Promise<void> => {
    await writeActions(clients.writes, place, { actions, ...facts }, signal);
    known = actions;
  };
  const note: TrafficRouter['noteDropped'] = async (signal, guard) => {
    if (dropped === undefined) return;
    await guard?.(signal);
    await memory.write({ duration: dropped, offSince: undefined }, signal);
    remembered = dropped;
    dropped = undefined;
  };
  return {
    name: place.name,
    grain: 'percent',
    driver: 'sluice',
    spread: 'at-once',
    async observe(signal) {
      return splitOf(forwardOf(await read(signal), place.groups, place.name));
    },
    async apply(split, signal, guard) {
      const actions = await read(signal);
      const forward = forwardOf(actions, place.groups, place.name);
      if (forward.seated.length === 2 && forward.weights.blue === split.blue && forward.weights.green === split.green)
        return;
      const sticky = stickyFor(forward);
      if (sticky > 0 && sticky !== remembered) {
        // A rollback may come from a signal handler, which has no time for a second write: remembered before it is needed.
        await guard?.(signal);
        await memory.write({ duration: sticky, offSince: undefined }, signal);
        remembered = sticky;
      }
      await guard?.(signal);
      await write(withSplit(actions, place.groups, split), { split, before: formatSplit(forward.weights) }, signal);
    },
    async restore(color, signal) {
      if (known === undefined)
        throw new Failure({ what: `Could not take the traffic of ${place.name} back`, why: 'it was never read' });
      const split = splitGiving(color, 100);
      const forward = forwardOf(known, place.groups, place.name);
      const { weights } = forward;
      const sticky = stickyFor(forward);
      // Before the write: one whose answer is lost may have been made.
      if (sticky > 0 && sticky !== remembered) dropped = sticky;
      await write(restoredTo(known, place.groups, split), { split, before: formatSplit(weights) }, signal);
    },
    noteDropped: note,
    async confirm(split, signal) {
      const forward = forwardOf(await read(signal), place.groups, place.name);
      const isNone = forward.weights.blue === 0 && forward.weights.green === 0;
      return forward.seated.length === 2 && !isNone && sameSplit(splitOf(forward), split) ? 'live' : 'propagating';
    },
    async lingers(signal) {
      return stickyFor(forwardOf(await read(signal), place.groups, place.name));
    },
    async tidy(signal, guard) {
      await note(signal, guard);
      remembered = undefined;
      return tidyStickiness({ memory, place, clock, read, write }, signal, guard);
    },
  };
}

async function readActions(
  client: ElasticLoadBalancingV2Client,
  place: AlbPlace,
  signal: AbortSignal,
): Promise<readonly Action[]> {
  const what = `Could not read ${place.name}`;
  const actions =
    place.kind === 'rule'
      ? await callAws({ action: 'elasticloadbalancing:DescribeRules', what }, signal, async () => {
          const answer = await client.send(new DescribeRulesCommand({ RuleArns: [place.arn] }), {
            abortSignal: signal,
          });
          return answer.Rules?.[0]?.Actions;
        })
      : await callAws({ action: 'elasticloadbalancing:DescribeListeners', what }, signal, async () => {
          const answer = await client.send(new DescribeListenersCommand({ ListenerArns: [place.arn] }), {
            abortSignal: signal,
          });
          return answer.Listeners?.[0]?.DefaultActions;
        });
  if (actions === undefined) throw new Failure({ what, why: 'it is gone' });
  return [...actions].sort((a, b) => (a.Order ?? 0) - (b.Order ?? 0));
}

/** What a write that fails says. */
export interface WriteFacts {
  readonly split: TrafficSplit;
  readonly before: string;
}

async function writeActions(
  client: ElasticLoadBalancingV2Client,
  place: AlbPlace,
  { actions, split, before }: WriteFacts & { readonly actions: Action[] },
  signal: AbortSignal,
): Promise<void> {
  const facts = (action: string): CallFacts => ({
    action,
    what: `Could not set ${formatSplit(split)} on ${place.name}`,
    now: `Traffic was ${before} before`,
  });
  // Only the actions are sent: conditions, transforms and every other property stay as they are.
  if (place.kind === 'rule') {
    await callAws(facts('elasticloadbalancing:ModifyRule'), signal, () =>
      client.send(new ModifyRuleCommand({ RuleArn: place.arn, Actions: actions }), { abortSignal: signal }),
    );
  } else {
    await callAws(facts('elasticloadbalancing:ModifyListener'), signal, () =>
      client.send(new ModifyListenerCommand({ ListenerArn: place.arn, DefaultActions: actions }), {
        abortSignal: signal,
      }),
    );
  }
}
